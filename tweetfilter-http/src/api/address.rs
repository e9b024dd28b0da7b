//! Where this server is reached from outside, as far as somebody says so.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};

use super::Options;

/// The address of this server, such as `https://tweets.example.org`: what the settings say, or else what a server in front
/// of it says with a request (`Forwarded` of RFC 7239, or `X-Forwarded-Proto`, with `X-Forwarded-Host` or `Host`).
///
/// A request alone does not say whether it came by TLS, and nobody is to be sent to a secret address without: then it is
/// not known. What somebody makes up in these headers is told to nobody else.
pub(super) fn public(options: &Options, headers: &HeaderMap) -> Option<String> {
    if let Some(address) = &options.public_address {
        return Some(address.clone());
    }
    let first = |name: &str| Some(headers.get(name)?.to_str().ok()?.split(',').next()?.trim());
    let forwarded = |wanted: &str| {
        let pairs = first("forwarded")?.split(';').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        values.next().map(|(_, value)| value.trim().trim_matches('"'))
    };
    let scheme = forwarded("proto").or_else(|| first("x-forwarded-proto"))?;
    let host = forwarded("host").or_else(|| first("x-forwarded-host"));
    of(scheme, host.or_else(|| first(header::HOST.as_str()))?)
}

/// An address that settings name, without the stroke that may stand at its end.
pub(super) fn named(text: &str) -> Option<String> {
    let (scheme, host) = text.strip_suffix('/').unwrap_or(text).split_once("://")?;
    of(scheme, host)
}

fn of(scheme: &str, host: &str) -> Option<String> {
    let scheme = ["http", "https"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
    let authority: Authority = host.parse().ok()?;
    // Of a user nobody is told.
    (!host.contains('@') && !authority.host().is_empty()).then(|| format!("{scheme}://{authority}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_where_somebody_says_how_it_is_reached() {
        let said = |headers: &[(&'static str, &str)]| {
            let headers = headers.iter().map(|(name, value)| {
                (header::HeaderName::from_static(name), value.parse().expect("a header"))
            });
            public(&Options::default(), &headers.collect())
        };
        let host = ("host", "a.example");
        let known = Some("https://a.example".to_owned());
        assert_eq!(said(&[host]), None);
        assert_eq!(said(&[host, ("x-forwarded-proto", "https")]), known);
        assert_eq!(said(&[host, ("x-forwarded-proto", "HTTPS, http")]), known);
        assert_eq!(
            said(&[
                ("host", "inside:8080"),
                ("forwarded", "for=1.2.3.4;Host=\"a.example\";proto=https, for=x")
            ]),
            known
        );
        let elsewhere = ("x-forwarded-host", "b.example:8443, c");
        assert_eq!(
            said(&[host, elsewhere, ("x-forwarded-proto", "https")]).as_deref(),
            Some("https://b.example:8443")
        );
        for (host, scheme) in [
            ("a.example", "gopher"),
            ("a\"b", "https"),
            ("u@a.example", "https"),
            ("", "http"),
            ("a/b", "http"),
        ] {
            assert_eq!(said(&[("host", host), ("x-forwarded-proto", scheme)]), None, "{scheme} {host}");
        }
        let options = Options { public_address: named("https://c.example/"), ..Options::default() };
        assert_eq!(public(&options, &HeaderMap::new()).as_deref(), Some("https://c.example"));
        assert_eq!(named("c.example"), None);
        assert_eq!(named("https://c.example/below"), None);
    }
}
