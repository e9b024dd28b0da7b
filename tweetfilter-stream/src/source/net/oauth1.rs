//! Requests that are signed with four keys, as X's streams of API v1.1 want it for users and sites: OAuth 1.0a (RFC 5849)
//! with HMAC-SHA1.

use std::fmt;
use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, Url};
use serde::Deserialize;
use sha1::Sha1;

/// The keys of an application and of the account that it acts for. They are never shown.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    consumer_key: String,
    consumer_secret: String,
    token: String,
    token_secret: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// What makes a request another one than the same a moment ago.
#[derive(Debug)]
struct Moment<'m> {
    nonce: &'m str,
    /// Seconds since 1970.
    timestamp: u64,
}

impl Keys {
    /// Whether each is there, and can stand in a header.
    pub(super) fn are_whole(&self) -> bool {
        let all = [&self.consumer_key, &self.consumer_secret, &self.token, &self.token_secret];
        all.iter().all(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()))
    }

    /// The header `Authorization` of a request. All its parameters stand in the query of its address, also those that are sent
    /// as a form: they are signed in the same way.
    pub(super) fn header(&self, method: &Method, url: &Url) -> String {
        // Nobody has to guess it, but it may not come twice.
        let part = || RandomState::new().build_hasher().finish();
        let nonce = format!("{:016x}{:016x}", part(), part());
        let timestamp = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        self.at(&Moment { nonce: &nonce, timestamp }, method, url)
    }

    fn at(&self, moment: &Moment<'_>, method: &Method, url: &Url) -> String {
        let timestamp = moment.timestamp.to_string();
        let own = [
            ("oauth_consumer_key", &*self.consumer_key),
            ("oauth_nonce", moment.nonce),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &timestamp),
            ("oauth_token", &self.token),
            ("oauth_version", "1.0"),
        ];
        let signature = self.signature(&own, method, url);
        let mut header = "OAuth ".to_owned();
        for (name, value) in own.into_iter().chain([("oauth_signature", &*signature)]) {
            let comma = if header.ends_with(' ') { "" } else { ", " };
            let _ = write!(header, "{comma}{name}=\"{}\"", encoded(value));
        }
        header
    }

    fn signature(&self, own: &[(&str, &str)], method: &Method, url: &Url) -> String {
        let query = url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value)));
        let own = own.iter().map(|(name, value)| (encoded(name), encoded(value)));
        // Sorted as they are written, not as they are read.
        let mut all: Vec<_> = query.chain(own).collect();
        all.sort_unstable();
        let all: Vec<_> = all.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut bare = url.clone();
        bare.set_query(None);
        bare.set_fragment(None);
        let base = format!("{method}&{}&{}", encoded(bare.as_str()), encoded(&all.join("&")));
        let key = format!("{}&{}", encoded(&self.consumer_secret), encoded(&self.token_secret));
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return String::new() };
        mac.update(base.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// Percent-encoded but for letters, digits and `-._~`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request for a photo in RFC 5849, section 1.2, which states no version.
    #[test]
    fn the_example_of_the_standard_is_signed_as_it_says() {
        let keys = Keys {
            consumer_key: "dpf43f3p2l4k3l03".into(),
            consumer_secret: "kd94hf93k423kf44".into(),
            token: "nnch734d00sl2jdk".into(),
            token_secret: "pfkkdhi9sl3r4s00".into(),
        };
        let own = [
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
        ];
        let url = Url::parse("http://photos.example.net/photos?size=original&file=vacation%2Ejpg#1");
        let url = url.expect("an address");
        assert_eq!(keys.signature(&own, &Method::GET, &url), "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
    }

    /// The request of X's page on creating a signature.
    #[test]
    fn the_example_of_x_is_signed_as_it_says() {
        let keys = Keys {
            consumer_key: "xvz1evFS4wEEPTGEFPHBog".into(),
            consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw".into(),
            token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb".into(),
            token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE".into(),
        };
        let moment = Moment { nonce: "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", timestamp: 1_318_622_958 };
        let url = "https://api.twitter.com/1.1/statuses/update.json?include_entities=true";
        let mut url = Url::parse(url).expect("an address");
        let status = "Hello Ladies + Gentlemen, a signed OAuth request!";
        url.query_pairs_mut().append_pair("status", status);
        let header = keys.at(&moment, &Method::POST, &url);
        assert!(header.starts_with("OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", oauth_nonce="));
        assert!(header.ends_with(", oauth_signature=\"hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D\""), "{header}");
        assert!(!format!("{keys:?}{header}").contains("kAcSOqF"));
    }

    #[test]
    fn letters_of_every_script_are_encoded_and_no_request_is_made_twice() {
        assert_eq!(encoded("Ladies + é☃~"), "Ladies%20%2B%20%C3%A9%E2%98%83~");
        let keys: Keys = serde_json::from_str(
            r#"{"consumer_key":"a","consumer_secret":"b","token":"c","token_secret":"d"}"#,
        )
        .expect("keys");
        assert!(keys.are_whole());
        let url = Url::parse("https://example.org/").expect("an address");
        assert_ne!(keys.header(&Method::GET, &url), keys.header(&Method::GET, &url));
    }
}
