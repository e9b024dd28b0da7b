//! One TLS configuration for all: rustls with ring, and the certificates that the machine trusts.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use crate::source::SourceError;

/// Authorities that servers may be certified by beside those that the machine trusts: none, unless told otherwise.
#[derive(Clone, Debug, Default)]
pub struct Trust(Vec<CertificateDer<'static>>);

impl Trust {
    /// Those in a file of certificates (PEM), such as the one of a proxy that looks into connections.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if it can't be read or has none.
    pub fn from_file(path: &Path) -> Result<Self, SourceError> {
        let failed = |why: String| SourceError::Setup(format!("{}: {why}", path.display()));
        let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let all = all.map_err(|error| failed(format!("no certificates can be read: {error}")))?;
        if all.is_empty() {
            return Err(failed("there is no certificate in it; it must be in PEM".to_owned()));
        }
        Ok(Self(all))
    }
}

/// Makes the configuration; nothing is installed for the process as a whole.
pub(super) fn config(trust: &Trust) -> Result<ClientConfig, SourceError> {
    let failed = |error: rustls::Error| SourceError::Setup(format!("TLS can't be set up: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(trust.0.iter().cloned(), provider.clone()).map_err(failed)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(failed)?.dangerous();
    Ok(builder.with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// What may be done where a certificate is refused, as a part of a sentence.
pub(super) fn advice(reason: &str) -> &'static str {
    if reason.contains("invalid peer certificate") {
        "; if a proxy or a server of your own is there, name the file of its authority (`ca-file`)"
    } else {
        ""
    }
}
