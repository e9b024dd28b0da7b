//! Bluesky's Jetstream, version 1: all posts of the network as JSON, without a key.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use rustls::ClientConfig;
use serde::Deserialize;
use tweetfilter_core::post::Millis;

use super::backoff::Trouble;
use super::seen::Seen;
use super::tls::{self, Trust};
use super::wire::{BoxFuture, Connection, Fault, Wire};
use super::{LONGEST_LINE, http, websocket};
use crate::buffer::Gap;
use crate::source::{Chunk, Notice, SourceError};

/// Bluesky's own servers.
pub const HOSTS: [&str; 4] = [
    "wss://jetstream2.us-east.bsky.network/subscribe",
    "wss://jetstream1.us-east.bsky.network/subscribe",
    "wss://jetstream2.us-west.bsky.network/subscribe",
    "wss://jetstream1.us-west.bsky.network/subscribe",
];

/// The collection of posts.
const POSTS: &str = "app.bsky.feed.post";

/// Microseconds that are read again: the servers' times differ a little.
const OVERLAP: u64 = 5_000_000;

/// A time that is so far ahead of our own is not believed, nor one that is earlier than any in microseconds.
const AHEAD: u64 = 86_400_000_000;
const EARLIEST: u64 = super::MICROS.cast_unsigned();

/// A stream of Jetstream. Its cursor is the time of the last event in microseconds, good for every server.
#[derive(Debug)]
pub struct Jetstream {
    hosts: Vec<Host>,
    /// Which is asked next.
    at: usize,
    parameters: Vec<(String, String)>,
    tls: Option<Arc<ClientConfig>>,
    silence: Duration,
    tolerance: Duration,
    longest: usize,
    /// The time of the latest event.
    latest: Option<u64>,
    /// What the first event must follow closely.
    follows: Option<Follows>,
    /// Behind a message that can't be read: the next connection begins with what is new.
    past: bool,
    seen: Seen,
}

#[derive(Debug)]
struct Host {
    url: Url,
    refused: bool,
}

#[derive(Debug)]
struct Follows {
    latest: u64,
    tolerance: u64,
}

impl Jetstream {
    /// Posts, from Bluesky's own servers.
    #[must_use]
    pub fn posts() -> Self {
        let urls = HOSTS.iter().filter_map(|host| Url::parse(host).ok());
        Self::of(urls).parameter("wantedCollections", POSTS)
    }

    /// Posts, from other servers, which are tried in turn.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if one of them is no address of a WebSocket, or if there is none.
    pub fn posts_from<S: AsRef<str>>(addresses: impl IntoIterator<Item = S>) -> Result<Self, SourceError> {
        let of = |address: S| {
            let url = http::url(address.as_ref())?;
            if matches!(url.scheme(), "ws" | "wss") && url.has_host() {
                return Ok(url);
            }
            let server = http::server(&url);
            Err(SourceError::Setup(format!("{server} is no address of a WebSocket: it is wss://HOST/PATH")))
        };
        let urls = addresses.into_iter().map(of).collect::<Result<Vec<_>, _>>()?;
        if urls.is_empty() {
            return Err(SourceError::Setup("Jetstream needs the address of a server".to_owned()));
        }
        Ok(Self::of(urls).parameter("wantedCollections", POSTS))
    }

    fn of(urls: impl IntoIterator<Item = Url>) -> Self {
        Self {
            hosts: urls.into_iter().map(|url| Host { url, refused: false }).collect(),
            at: 0,
            parameters: Vec::new(),
            tls: None,
            silence: Duration::from_secs(60),
            tolerance: Duration::from_secs(30),
            longest: LONGEST_LINE,
            latest: None,
            follows: None,
            past: false,
            seen: Seen::default(),
        }
    }

    /// Adds a parameter: `wantedDids` or a further one of `wantedCollections`.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Counts the connection as dead after so long without an event or a ping, unless told otherwise 60 s.
    #[must_use]
    pub fn stalls_after(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// How much later than the last event before it the first one of a connection may be, before something counts
    /// as missing: 30 s unless told otherwise.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Trusts further authorities with the certificates of servers.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if they are none.
    pub fn trusting(mut self, trust: &Trust) -> Result<Self, SourceError> {
        self.tls = Some(Arc::new(tls::config(trust)?));
        Ok(self)
    }

    /// Accepts messages of so many bytes, and asks the server to leave out longer ones.
    #[must_use]
    pub fn longest_line(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// Looks whether something is missing before the first event of a connection.
    fn arrived(&mut self, time: u64, chunk: &mut Chunk) {
        if let Some(host) = self.hosts.get_mut(self.at) {
            host.refused = false;
        }
        let Some(Follows { latest, tolerance }) = self.follows.take() else { return };
        if time > latest.saturating_add(tolerance) {
            let (from, to) = (millis(latest), millis(time));
            chunk.notices.push(Notice::CursorTooOld { wanted: from, got: to });
            let reason = "the server no longer has what follows the cursor".to_owned();
            chunk.gaps.push(Gap { from, to, reason, missing: None });
        }
    }
}

impl Wire for Jetstream {
    fn address(&self) -> String {
        let url = self.hosts.get(self.at).map(|host| &host.url);
        let port = |url: &Url| url.port().map(|port| format!(":{port}")).unwrap_or_default();
        url.map(|url| format!("{}{}", url.host_str().unwrap_or_default(), port(url))).unwrap_or_default()
    }

    fn silence(&self) -> Duration {
        self.silence
    }

    fn connect(&mut self) -> BoxFuture<Result<Connection, Fault>> {
        let setup = |error: SourceError| Fault::network(error.to_string()).of(Trouble::Refused);
        if self.tls.is_none() {
            match tls::config(&Trust::default()) {
                Ok(config) => self.tls = Some(Arc::new(config)),
                Err(error) => return Box::pin(async move { Err(setup(error)) }),
            }
        }
        let (Some(tls), Some(host)) = (self.tls.clone(), self.hosts.get(self.at)) else {
            return Box::pin(async { Err(Fault::network("no server").of(Trouble::Refused)) });
        };
        let mut url = host.url.clone();
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(&self.parameters);
            query.append_pair("maxMessageSizeBytes", &self.longest.to_string());
            if let Some(latest) = self.latest.filter(|_| !self.past) {
                query.append_pair("cursor", &latest.saturating_sub(OVERLAP).to_string());
            }
        }
        let tolerance =
            if self.past { 0 } else { u64::try_from(self.tolerance.as_micros()).unwrap_or(u64::MAX) };
        self.follows = self.latest.map(|latest| Follows { latest, tolerance });
        Box::pin(websocket::open(url, tls, self.longest))
    }

    fn take(&mut self, bytes: &[u8], at: Millis, chunk: &mut Chunk) -> Result<bool, Fault> {
        // What can't be read is counted by whoever decodes it.
        if let Ok(event) = serde_json::from_slice::<Peek<'_>>(bytes) {
            let now = u64::try_from(at).unwrap_or(0).saturating_mul(1000);
            let believed = EARLIEST..=now.saturating_add(AHEAD);
            if let Some(time) = event.time_us.filter(|time| believed.contains(time)) {
                self.arrived(time, chunk);
                self.past = false;
                self.latest = self.latest.max(Some(time));
            }
            if event.key().is_some_and(|key| !self.seen.is_new(&key.each_ref().map(|part| &**part))) {
                return Ok(true);
            }
        }
        chunk.lines.push(bytes, b"");
        Ok(true)
    }

    fn resumes(&self) -> bool {
        true
    }

    fn cursor(&self) -> Option<String> {
        self.latest.map(|time| time.to_string())
    }

    fn resume(&mut self, cursor: &str) -> Result<(), SourceError> {
        let latest = cursor.parse().ok().filter(|time| *time >= EARLIEST);
        self.latest = Some(latest.ok_or(SourceError::Cursor("Jetstream"))?);
        Ok(())
    }

    fn turn(&mut self, fault: &Fault) -> bool {
        self.past |= fault.reason == websocket::TOO_LONG;
        if fault.trouble == Trouble::Refused
            && let Some(host) = self.hosts.get_mut(self.at)
        {
            host.refused = true;
        }
        let count = self.hosts.len();
        let others = (1..=count).map(|step| (self.at + step) % count);
        match others.into_iter().find(|at| !self.hosts[*at].refused) {
            Some(at) => self.at = at,
            None => {
                // Whoever asks once more, asks all of them.
                self.hosts.iter_mut().for_each(|host| host.refused = false);
                return false;
            }
        }
        true
    }
}

fn millis(micros: u64) -> Millis {
    Millis::try_from(micros / 1000).unwrap_or(Millis::MAX)
}

/// What must be known of an event to keep one's place.
#[derive(Deserialize)]
struct Peek<'e> {
    #[serde(borrow, default)]
    did: Cow<'e, str>,
    time_us: Option<u64>,
    #[serde(borrow, default)]
    kind: Cow<'e, str>,
    #[serde(borrow)]
    commit: Option<Commit<'e>>,
    identity: Option<Numbered>,
    account: Option<Numbered>,
}

#[derive(Deserialize)]
struct Commit<'e> {
    #[serde(borrow, default)]
    rev: Cow<'e, str>,
    #[serde(borrow, default)]
    operation: Cow<'e, str>,
    #[serde(borrow, default)]
    collection: Cow<'e, str>,
    #[serde(borrow, default)]
    rkey: Cow<'e, str>,
    #[serde(borrow, default)]
    cid: Cow<'e, str>,
}

#[derive(Deserialize)]
struct Numbered {
    seq: Option<u64>,
}

impl Peek<'_> {
    /// What is equal in the same event only, from whichever server.
    fn key(&self) -> Option<[Cow<'_, str>; 5]> {
        let same = |text| Cow::Borrowed(text);
        if let Some(commit) = &self.commit {
            let version = if commit.rev.is_empty() { &commit.cid } else { &commit.rev };
            let known = !(self.did.is_empty() || commit.rkey.is_empty() || version.is_empty());
            let parts = [&*self.did, &*commit.collection, &*commit.rkey, &**version, &*commit.operation];
            return known.then(|| parts.map(same));
        }
        let seq = self.identity.as_ref().or(self.account.as_ref())?.seq?.to_string();
        Some([same(&self.did), same(&self.kind), Cow::Owned(seq), same(""), same("")])
    }
}
