//! Who is who on Bluesky: handles to ids, ids to profiles, from the network's public AppView.
//!
//! Jetstream names authors by their DIDs alone. [`Lookup`] asks for what stands behind them: few requests, never more
//! than it was told to make, and none at all for a while after the server refused or failed. It keeps nothing; the
//! caller does, with a date.

mod answer;
mod bucket;

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use tweetfilter_core::post::Author;

use super::backoff::{Backoff, LONGEST_RETRY_AFTER, Trouble};
use super::http;
use super::retry_after::retry_after;
use super::time::TokioClock;
use super::tls::Trust;
use crate::source::{Clock, SourceError};

pub use bucket::Bucket;

/// Bluesky's own AppView, which needs no key.
pub const PUBLIC: &str = "https://public.api.bsky.app";

/// The network that is asked about, as in posts.
pub const NETWORK: &str = "bluesky";

/// Profiles that one request asks for at most.
pub const BATCH: usize = 25;

/// Bytes of an answer that are read.
const LARGEST: usize = 1 << 20;

/// Whether a name can be a handle of Bluesky: a host name of two or more parts, whose last begins with a letter.
///
/// ```
/// use tweetfilter_stream::source::net::lookup::is_handle;
/// assert!(is_handle("ann.bsky.social") && is_handle("NASA.gov"));
/// assert!(!is_handle("ann") && !is_handle("did:plc:abc") && !is_handle("ann@mastodon.social"));
/// ```
#[must_use]
pub fn is_handle(name: &str) -> bool {
    let part = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253
        && name.contains('.')
        && name.split('.').all(part)
        && last.starts_with(|first: char| first.is_ascii_alphabetic())
        // Kept for other uses, so that nobody has them.
        && !["invalid", "local", "localhost", "arpa", "internal", "onion"]
            .iter()
            .any(|reserved| last.eq_ignore_ascii_case(reserved))
}

/// Whether a text is a DID, which is what Bluesky calls the id of an account.
#[must_use]
pub fn is_did(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let method = |method: &str| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_lowercase());
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"._:%-".contains(&byte);
    text.len() <= 250
        && parts.next() == Some("did")
        && parts.next().is_some_and(method)
        && parts.next().is_some_and(|id| !id.is_empty() && id.bytes().all(name))
}

/// Nothing is known yet: ask again, but not before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Later {
    /// How long not to ask.
    pub wait: Duration,
    /// A sentence for people.
    pub reason: String,
}

/// Asks an AppView.
///
/// ```no_run
/// use tweetfilter_stream::source::net::lookup::Lookup;
/// # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
/// let mut lookup = Lookup::public()?;
/// match lookup.handle("bsky.app").await? {
///     Some(did) => println!("{:?}", lookup.profiles(&[did.as_str()]).await?),
///     None => println!("nobody is called so"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Lookup {
    client: Client,
    address: Url,
    clock: Clocked,
    bucket: Bucket,
    timeout: Duration,
    backoff: Backoff,
    /// Until when nothing is asked, and why.
    blocked: Option<(Duration, String)>,
}

/// A clock that can be shown.
#[derive(Clone)]
struct Clocked(Arc<dyn Clock>);

impl std::fmt::Debug for Clocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// What a server said.
enum Reply {
    Success(Vec<u8>),
    /// Status 400.
    Refused(Vec<u8>),
}

impl Lookup {
    /// Asks Bluesky's own AppView.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if there can be no client.
    pub fn public() -> Result<Self, SourceError> {
        Self::at(PUBLIC)
    }

    /// Asks another AppView. Two requests a second, ten at once, each within ten seconds, unless told otherwise.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if the address is none, or neither encrypted nor on this machine.
    pub fn at(address: &str) -> Result<Self, SourceError> {
        let mut url = http::url(address)?;
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(local && url.scheme() == "http") {
            return Err(SourceError::Setup(format!(
                "{}: https is needed, or answers could be forged on their way",
                http::server(&url)
            )));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self {
            client: http::client(&Trust::default(), &url)?,
            address: url,
            clock: Clocked(Arc::new(TokioClock::default())),
            bucket: Bucket::new(10, Duration::from_millis(500)),
            timeout: Duration::from_secs(10),
            backoff: Backoff::default(),
            blocked: None,
        })
    }

    /// Goes by another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Clocked(clock);
        self
    }

    /// Makes so many requests at once, and then one in each period.
    #[must_use]
    pub fn rate(mut self, burst: u32, period: Duration) -> Self {
        self.bucket = Bucket::new(burst, period);
        self
    }

    /// Gives up a request after so long.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Why nothing is asked now, if it is so.
    #[must_use]
    pub fn blocked(&self) -> Option<Later> {
        let (until, reason) = self.blocked.as_ref()?;
        let wait = until.checked_sub(self.clock.0.now()).filter(|wait| !wait.is_zero())?;
        Some(Later { wait, reason: reason.clone() })
    }

    /// The id of the account that has a handle; `None` if nobody has it.
    ///
    /// The answer is the AppView's, which has asked the handle's own domain.
    ///
    /// # Errors
    /// See [`Later`].
    pub async fn handle(&mut self, handle: &str) -> Result<Option<String>, Later> {
        if !is_handle(handle) {
            return Ok(None);
        }
        match self.get("com.atproto.identity.resolveHandle", &[("handle", handle)]).await? {
            Reply::Success(body) => match answer::did(&body) {
                Some(did) => Ok(Some(did)),
                None => Err(self.failed(Trouble::Server, None, "the answer names no account".to_owned())),
            },
            Reply::Refused(body) if answer::is_about_the_request(&body) => Ok(None),
            Reply::Refused(_) => Err(self.odd()),
        }
    }

    /// The profiles of accounts, in no order; who is not there is not known to the network, or hidden by it.
    ///
    /// [`BATCH`] of them are asked for at once. An id that makes the server refuse a batch is found by halves.
    ///
    /// # Errors
    /// See [`Later`].
    pub async fn profiles(&mut self, ids: &[&str]) -> Result<Vec<Author>, Later> {
        let ids: Vec<&str> = ids.iter().copied().filter(|id| is_did(id)).collect();
        let mut open: Vec<&[&str]> = ids.chunks(BATCH).rev().collect();
        let mut found = Vec::new();
        while let Some(part) = open.pop() {
            let actors: Vec<_> = part.iter().map(|id| ("actors", *id)).collect();
            match self.get("app.bsky.actor.getProfiles", &actors).await? {
                Reply::Success(body) => {
                    let Some(mut profiles) = answer::profiles(&body) else {
                        let reason = "the answer holds no profiles".to_owned();
                        return Err(self.failed(Trouble::Server, None, reason));
                    };
                    profiles.retain(|profile| part.contains(&profile.account.id.as_str()));
                    found.append(&mut profiles);
                }
                Reply::Refused(body) if answer::is_about_the_request(&body) => {
                    if part.len() > 1 {
                        let (first, rest) = part.split_at(part.len() / 2);
                        open.extend([rest, first]);
                    }
                }
                Reply::Refused(_) => return Err(self.odd()),
            }
        }
        Ok(found)
    }

    /// Asks, when it is our turn.
    async fn get(&mut self, method: &str, query: &[(&str, &str)]) -> Result<Reply, Later> {
        if let Some(later) = self.blocked() {
            return Err(later);
        }
        while let Err(wait) = self.bucket.take(self.clock.0.now()) {
            self.clock.0.sleep(wait).await;
        }
        let mut url = match self.address.join(&format!("xrpc/{method}")) {
            Ok(url) => url,
            Err(error) => return Err(self.failed(Trouble::Refused, None, error.to_string())),
        };
        url.query_pairs_mut().extend_pairs(query);
        let sent = self.client.get(url).timeout(self.timeout).send().await;
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => return Err(self.failed(Trouble::Server, None, http::chain(&error))),
        };
        let status = response.status().as_u16();
        if !matches!(status, 200 | 400) {
            let trouble = Trouble::of_status(status);
            let retry_after = retry_after(response.headers(), trouble);
            let reason = format!("status {status}: {}", http::said(&mut response).await);
            return Err(self.failed(trouble, retry_after, reason));
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(bytes)) if body.len() + bytes.len() <= LARGEST => body.extend_from_slice(&bytes),
                Ok(Some(_)) => {
                    let reason = format!("the answer is longer than {LARGEST} bytes");
                    return Err(self.failed(Trouble::Server, None, reason));
                }
                Err(error) => return Err(self.failed(Trouble::Server, None, http::chain(&error))),
            }
        }
        if status == 400 {
            return Ok(Reply::Refused(body));
        }
        self.backoff = Backoff::default();
        Ok(Reply::Success(body))
    }

    fn odd(&mut self) -> Later {
        let reason = "status 400, and not as an AppView says it".to_owned();
        self.failed(Trouble::Server, None, reason)
    }

    /// Notes a failure, after which nothing is asked for a while.
    fn failed(&mut self, trouble: Trouble, retry_after: Option<Duration>, reason: String) -> Later {
        let (backoff, wait) = self.backoff.after(trouble, retry_after);
        self.backoff = backoff;
        // A refusal may end too, but not soon.
        let wait = wait.unwrap_or(LONGEST_RETRY_AFTER);
        let reason = format!("{}: {reason}", self.address.host_str().unwrap_or_default());
        self.blocked = Some((self.clock.0.now().saturating_add(wait), reason.clone()));
        Later { wait, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lookup, is_did, is_handle};

    #[test]
    fn handles_are_told_from_other_names() {
        for (name, expected) in [
            ("a.bsky.social", true),
            ("8.cn", true),
            ("xn--notarealidn.com", true),
            ("a-b.example", true),
            ("bob", false),
            ("a..com", false),
            ("-a.com", false),
            ("a-.com", false),
            ("1.2.3.4", false),
            ("handle.invalid", false),
            ("Printer.LOCAL", false),
            ("a_b.com", false),
            (".com", false),
            ("a.com.", false),
            ("jö.com", false),
        ] {
            assert_eq!(is_handle(name), expected, "{name}");
        }
        assert!(!is_handle(&format!("{}.com", "a".repeat(64))));
        assert!(!is_handle(&format!("{}com", "abcdefgh.".repeat(30))));
    }

    #[test]
    fn ids_are_told_from_other_names() {
        for (text, expected) in [
            ("did:plc:abc", true),
            ("did:web:a.example%3A8080", true),
            ("did:plc:", false),
            ("did::abc", false),
            ("plc:abc", false),
            ("did:plc:a&actors=b", false),
            ("did:plc:a b", false),
        ] {
            assert_eq!(is_did(text), expected, "{text}");
        }
    }

    #[test]
    fn answers_come_over_safe_ways_only() {
        for (address, safe) in [
            ("https://appview.example/under/it", true),
            ("http://127.0.0.1:1", true),
            ("http://appview.example", false),
            ("wss://appview.example", false),
            ("no address", false),
        ] {
            assert_eq!(Lookup::at(address).is_ok(), safe, "{address}");
        }
    }
}
