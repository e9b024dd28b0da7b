//! Which proxy leads to a server: for all sources the one that the environment names, as it does for most programs.

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::Url;

use super::http;

/// The proxy that leads to a server, if one does; fails with a sentence for one that can't be used.
///
/// It is that of `HTTPS_PROXY`, for what is not encrypted `HTTP_PROXY`, else `ALL_PROXY`, but for what `NO_PROXY` names, as
/// reqwest reads them too. None leads to this machine: it would lead to its own, and be shown the token.
pub(super) fn of(url: &Url) -> Result<Option<Intercept>, String> {
    by(&Matcher::from_system(), url)
}

fn by(matcher: &Matcher, url: &Url) -> Result<Option<Intercept>, String> {
    let scheme = match url.scheme() {
        "https" | "wss" => "https",
        _ => "http",
    };
    let Some(host) = url.host_str().filter(|_| !http::is_local(url)) else { return Ok(None) };
    let Ok(server) = format!("{scheme}://{host}/").parse() else { return Ok(None) };
    match matcher.intercept(&server) {
        Some(proxy) if !matches!(proxy.uri().scheme_str(), Some("http" | "https")) => Err(format!(
            "the environment says that {} leads to {host}, and no other proxies are used than those of HTTP: name such a one \
             (HTTPS_PROXY, ALL_PROXY), or except the server (NO_PROXY)",
            name(&proxy)
        )),
        found => Ok(found),
    }
}

/// The address of a proxy, without what it is asked with.
pub(super) fn name(proxy: &Intercept) -> String {
    let uri = proxy.uri();
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    format!("{}://{authority}", uri.scheme_str().unwrap_or("http"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_is_led_as_the_environment_says() {
        let matcher = Matcher::builder()
            .all("http://ann:s3cret@all.example:81")
            .https("https://secure.example")
            .no("Direct.example,10.0.0.0/8")
            .build();
        let led = |address: &str| {
            let found = by(&matcher, &Url::parse(address).expect("an address")).expect("usable");
            found.map(|proxy| (name(&proxy), proxy.basic_auth().is_some()))
        };
        let secure = Some(("https://secure.example".to_owned(), false));
        assert_eq!(led("https://ann:b@m.example/api?access_token=x"), secure);
        assert_eq!(led("wss://m.example:8443/subscribe"), secure);
        let all = Some(("http://all.example:81".to_owned(), true));
        assert_eq!(led("ws://m.example/"), all);
        assert_eq!(led("ws://[2001:db8::1]/"), all);
        for direct in
            ["wss://direct.example", "wss://sub.direct.example/", "ws://10.1.2.3", "http://127.0.0.1:7"]
        {
            assert_eq!(led(direct), None, "{direct}");
        }
    }

    #[test]
    fn a_proxy_of_another_kind_is_refused_without_its_password() {
        let matcher = Matcher::builder().all("socks5h://ann:s3cret@all.example:81").build();
        let refused = by(&matcher, &Url::parse("wss://m.example").expect("an address")).expect_err("refused");
        assert!(refused.contains("socks5h://all.example:81 leads to m.example"), "{refused}");
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}
