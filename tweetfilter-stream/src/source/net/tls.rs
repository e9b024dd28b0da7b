//! One TLS configuration for all: rustls with ring, and the certificates that the machine trusts.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

use crate::source::SourceError;

/// Makes the configuration; nothing is installed for the process as a whole.
pub(super) fn config() -> Result<ClientConfig, SourceError> {
    let failed = |error: rustls::Error| SourceError::Setup(format!("TLS can't be set up: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.and_then(|builder| builder.with_platform_verifier());
    Ok(builder.map_err(failed)?.with_no_client_auth())
}
