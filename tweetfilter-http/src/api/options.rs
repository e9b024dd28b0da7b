//! The settings of the API, and which of them would keep everybody out.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::address;

/// What bounds requests and who may ask.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Requests a second for each token, on average.
    #[serde(deserialize_with = "rate")]
    pub rate: f64,
    /// Requests that a token may have saved up.
    #[serde(deserialize_with = "burst")]
    pub burst: f64,
    /// Live streams of a token that are open at once.
    #[serde(deserialize_with = "one_or_more")]
    pub streams: usize,
    /// Filters of an account.
    pub filters: usize,
    /// Named sets of an account.
    pub sets: usize,
    /// Bytes that the named sets of an account may have together.
    pub set_bytes: usize,
    /// Bytes of a request's body.
    #[serde(deserialize_with = "body_bytes")]
    pub body_bytes: usize,
    /// Origins whose pages may call the API from a browser; none: only pages of its own origin.
    #[serde(deserialize_with = "origins")]
    pub origins: Vec<String>,
    /// Where this server is reached from outside, such as `https://tweets.example.org`: feeds name their own address by it.
    #[serde(deserialize_with = "address", skip_serializing_if = "Option::is_none")]
    pub public_address: Option<String>,
    /// Connections at once.
    #[serde(deserialize_with = "one_or_more")]
    pub connections: usize,
    /// How long a client may take to send its headers, and how long a connection may rest.
    #[serde(skip)]
    pub header_time: Duration,
    /// How long a client may take to send a body, or to take some of an answer.
    #[serde(skip)]
    pub body_time: Duration,
    /// How long a slice of a search takes.
    #[serde(skip)]
    pub slice: Duration,
    /// How long a preview takes.
    #[serde(skip)]
    pub preview: Duration,
    /// How long the store may take to answer, before who asks is told that it is away or busy.
    #[serde(skip)]
    pub store_time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rate: 50.0,
            burst: 200.0,
            streams: 8,
            filters: 10_000,
            sets: 200,
            set_bytes: 4 << 20,
            body_bytes: 1 << 20,
            origins: Vec::new(),
            public_address: None,
            connections: 4_000,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(20),
            slice: Duration::from_millis(180),
            preview: Duration::from_secs(2),
            // So that it is said well within a second.
            store_time: Duration::from_millis(800),
        }
    }
}

/// Less than one request in a quarter of an hour is none.
const RATE: f64 = 0.001;
/// What the shortest filters and searches take.
const BODY: usize = 1024;

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    number(deserializer, RATE)
}

/// Each request takes one of what is saved up.
fn burst<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    number(deserializer, 1.0)
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(deserializer, 1)
}

fn body_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(deserializer, BODY)
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let refused =
        || D::Error::custom("must be https:// or http:// and a host, such as https://tweets.example.org");
    address::named(&text).map(Some).ok_or_else(refused)
}

fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let origins = Vec::<String>::deserialize(deserializer)?;
    let known = |text: &String| {
        let refused = || {
            D::Error::custom(format!(
                "{text:?} is no origin: it must be a scheme and a host, and a port unless it is the usual one, such as \
                 https://app.example.org or http://localhost:3000; or \"*\", which is all of them"
            ))
        };
        origin(text).ok_or_else(refused)
    };
    origins.iter().map(known).collect()
}

/// An origin as browsers say it; none if it is no such thing.
fn origin(text: &str) -> Option<String> {
    if text == "*" {
        return Some(text.to_owned());
    }
    let (scheme, rest) = text.split_once("://")?;
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let authority = host.parse::<axum::http::uri::Authority>().ok()?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if !is_scheme || host.contains('@') || authority.host().is_empty() {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let usual = match &*scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    let name = authority.host().to_ascii_lowercase();
    match authority.port_u16() {
        Some(port) if Some(port) != usual => Some(format!("{scheme}://{name}:{port}")),
        None if host.len() > name.len() => None,
        _ => Some(format!("{scheme}://{name}")),
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D, least: f64) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    let refused =
        || D::Error::custom(format!("must be a number from {least} on; less would keep everybody out"));
    (value.is_finite() && value >= least).then_some(value).ok_or_else(refused)
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D, least: usize) -> Result<usize, D::Error> {
    let value = usize::deserialize(deserializer)?;
    let refused =
        || D::Error::custom(format!("must be a whole number from {least} on; less would keep everybody out"));
    (value >= least).then_some(value).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn origins_are_as_browsers_say_them() {
        for (text, known) in [
            ("*", "*"),
            ("https://a.example", "https://a.example"),
            ("https://a.example/", "https://a.example"),
            ("HTTPS://B.example:443", "https://b.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://a.example:80", "https://a.example:80"),
            ("http://[::1]:80", "http://[::1]"),
            ("moz-extension://1a-2b", "moz-extension://1a-2b"),
        ] {
            assert_eq!(origin(text).as_deref(), Some(known), "{text}");
        }
        for text in [
            "c.example",
            "null",
            "",
            "https://",
            "https://a.example/app",
            "https://a:b@c",
            "https://a:x",
            "https://a:",
            "https://*.a b",
        ] {
            assert_eq!(origin(text), None, "{text}");
        }
    }
}
