//! X's streams: those of API v1.1 and the filtered stream of v2.

use std::time::Duration;

use reqwest::{Method, Url, header};
use serde::de::IgnoredAny;
use tweetfilter_core::post::Millis;

use super::LONGEST_LINE;
use super::backoff::Trouble;
use super::frame::{Frames, Framing};
use super::http;
use super::tls::Trust;
use super::token::Token;
use super::wire::{BoxFuture, Connection, ENDED, Fault, Wire};
use crate::Event;
use crate::buffer::Gap;
use crate::source::limit::{Limit, held_back};
use crate::source::{Chunk, Line, SourceError};
use crate::wire::decode;

/// A stream of X.
#[derive(Debug)]
pub struct X {
    asking: http::Asking,
    url: Url,
    method: Method,
    parameters: Vec<(String, String)>,
    token: Token,
    silence: Duration,
    longest: usize,
    framing: Framing,
    frames: Frames,
    limit: Limit,
}

impl X {
    /// A sample of all posts: `statuses/sample`.
    ///
    /// # Errors
    /// [`SourceError::Setup`], as for all that follow.
    pub fn sample(token: Token) -> Result<Self, SourceError> {
        Self::v1(Method::GET, "https://stream.twitter.com/1.1/statuses/sample.json", token)
    }

    /// Posts that match `track`, `follow` or `locations`, which are [parameters](X::parameter): `statuses/filter`.
    ///
    /// # Errors
    /// As [`X::sample`].
    pub fn filter(token: Token) -> Result<Self, SourceError> {
        Self::v1(Method::POST, "https://stream.twitter.com/1.1/statuses/filter.json", token)
    }

    /// All that one user sees: `user`.
    ///
    /// # Errors
    /// As [`X::sample`].
    pub fn user(token: Token) -> Result<Self, SourceError> {
        Self::v1(Method::GET, "https://userstream.twitter.com/1.1/user.json", token)
    }

    /// All that each of many users sees, whose ids are the parameter `follow`: `site`.
    ///
    /// # Errors
    /// As [`X::sample`].
    pub fn site(token: Token) -> Result<Self, SourceError> {
        Self::v1(Method::GET, "https://sitestream.twitter.com/1.1/site.json", token)
    }

    /// The filtered stream of API v2, with all fields of posts that filters look at.
    ///
    /// # Errors
    /// As [`X::sample`].
    pub fn v2(token: Token) -> Result<Self, SourceError> {
        let x = Self::at(Method::GET, "https://api.x.com/2/tweets/search/stream", token, 20)?;
        Ok(FIELDS.iter().fold(x, |x, (name, value)| x.parameter(name, value)))
    }

    fn v1(method: Method, url: &str, token: Token) -> Result<Self, SourceError> {
        Ok(Self::at(method, url, token, 90)?.parameter("stall_warnings", "true"))
    }

    fn at(method: Method, url: &str, token: Token, silence: u64) -> Result<Self, SourceError> {
        Ok(Self {
            asking: http::Asking::default(),
            url: http::safe_url(url)?,
            method,
            parameters: Vec::new(),
            token,
            silence: Duration::from_secs(silence),
            longest: LONGEST_LINE,
            framing: Framing::Newline,
            frames: Frames::new(Framing::Newline, LONGEST_LINE),
            limit: Limit::default(),
        })
    }

    /// Looks whether an address is one that [`X::address_is`] takes, and at nothing that may be there.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if it is none, with the way out.
    pub fn check_address(url: &str) -> Result<(), SourceError> {
        http::safe_url(url).map(drop)
    }

    /// Asks another address, such as a server that speaks the same. Parameters in it take the place of those of the same
    /// names that were added before.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if it is none, or neither encrypted nor on this machine.
    pub fn address_is(mut self, url: &str) -> Result<Self, SourceError> {
        self.url = http::safe_url(url)?;
        self.asking.anew();
        let stated: Vec<(String, String)> = self.url.query_pairs().into_owned().collect();
        self.parameters.retain(|(known, _)| stated.iter().all(|(name, _)| name != known));
        self.parameters.extend(stated);
        self.url.set_query(None);
        Ok(self)
    }

    /// Trusts further authorities with the certificates of servers.
    #[must_use]
    pub fn trusting(mut self, trust: &Trust) -> Self {
        self.asking = http::Asking::trusting(trust);
        self
    }

    /// Sets up what it connects with, so that what can't be set up is said now, and not when it connects.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if the authorities that it is to trust are none, or the environment names a proxy that can't be
    /// used.
    pub fn ready(mut self) -> Result<Self, SourceError> {
        self.asking.client(&self.url)?;
        Ok(self)
    }

    /// Adds a parameter, or replaces it.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.retain(|(known, _)| known != name);
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks for messages that come with their length.
    #[must_use]
    pub fn delimited(mut self) -> Self {
        self.framing = Framing::Length;
        self.parameter("delimited", "length")
    }

    /// Accepts lines of so many bytes.
    #[must_use]
    pub fn longest_line(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// Counts the connection as dead after so long without a line: 90 s, with API v2 20 s, unless told otherwise.
    #[must_use]
    pub fn stalls_after(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }
}

/// The fields of API v2 that are read into posts.
const FIELDS: [(&str, &str); 5] = [
    (
        "tweet.fields",
        "attachments,author_id,conversation_id,created_at,edit_history_tweet_ids,entities,geo,\
         in_reply_to_user_id,lang,possibly_sensitive,public_metrics,referenced_tweets,source,withheld",
    ),
    (
        "expansions",
        "attachments.media_keys,author_id,entities.mentions.username,geo.place_id,in_reply_to_user_id,\
         referenced_tweets.id,referenced_tweets.id.author_id",
    ),
    (
        "user.fields",
        "created_at,description,entities,location,protected,public_metrics,verified,verified_type",
    ),
    ("media.fields", "alt_text,type"),
    ("place.fields", "country_code,full_name,geo,place_type"),
];

impl Wire for X {
    fn address(&self) -> String {
        format!("{}{}", self.url.host_str().unwrap_or_default(), self.url.path())
    }

    fn silence(&self) -> Duration {
        self.silence
    }

    fn connect(&mut self) -> BoxFuture<Result<Connection, Fault>> {
        self.frames = Frames::new(self.framing, self.longest);
        self.limit.begins_anew();
        let mut url = self.url.clone();
        if !self.parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.parameters);
        }
        let token = self.token.header(&self.method, &url);
        let client = match self.asking.connecting(&self.url) {
            Ok(client) => client,
            Err(fault) => return Box::pin(std::future::ready(Err(fault))),
        };
        let mut request = if self.method == Method::POST {
            let form = url.query().unwrap_or_default().to_owned();
            url.set_query(None);
            let request = client.post(url);
            request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
        } else {
            client.get(url)
        };
        request = request.header(header::ACCEPT_ENCODING, "gzip");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, token);
        }
        Box::pin(http::open(request))
    }

    fn take(&mut self, bytes: &[u8], at: Millis, chunk: &mut Chunk) -> Result<bool, Fault> {
        let before = chunk.lines.len();
        self.frames.take(bytes, &mut chunk.lines);
        let new = || chunk.lines.iter().skip(before);
        let held_back = new().filter_map(held_back).max();
        let fault = new().find_map(parting);
        chunk.gaps.extend(self.limit.came(at, held_back));
        match fault {
            Some(fault) => Err(fault),
            None => Ok(chunk.lines.len() > before),
        }
    }

    fn ended(&mut self, chunk: &mut Chunk) -> Fault {
        let before = chunk.lines.len();
        let is_cut = self.frames.finish(&mut chunk.lines);
        let last = chunk.lines.iter().nth(before);
        if let Some(fault) = last.and_then(parting) {
            return fault;
        }
        // An error that ends the response is why it ends.
        if let Some(fault) = last.and_then(|line| failure(line.bytes)) {
            return fault.of(Trouble::Server);
        }
        let is_whole = |line: Line<'_>| serde_json::from_slice::<IgnoredAny>(line.bytes).is_ok();
        match is_cut && !last.is_some_and(is_whole) {
            true => Fault::network(format!("{ENDED} within a line")),
            false => Fault::network(ENDED),
        }
    }

    fn rest(&mut self) -> Vec<Gap> {
        self.limit.rest().collect()
    }
}

/// How errors of API v2 begin that come in no list: they are about the stream, and no post begins so.
const PROBLEMS: [&[u8]; 5] =
    [b"{\"title\"", b"{\"detail\"", b"{\"type\"", b"{\"status\"", b"{\"connection_issue\""];

/// What a last message says: that the stream ends, and whether to come back soon.
fn parting(line: Line<'_>) -> Option<Fault> {
    let bytes = line.bytes.trim_ascii_start();
    if line.too_long {
        return None;
    }
    if PROBLEMS.iter().any(|begin| bytes.starts_with(begin)) {
        // Such as that another connection of ours is there already.
        return failure(bytes).map(|fault| fault.of(Trouble::Server));
    }
    if bytes.starts_with(b"{\"errors\"") {
        // API v2 sends errors about posts as well; those about the stream name the kind of disconnect.
        let ends = memchr::memmem::find(bytes, b"isconnect").is_some();
        return failure(bytes).filter(|_| ends);
    }
    if !bytes.starts_with(b"{\"disconnect\"") {
        return None;
    }
    let Ok(Event::Disconnect { code, reason, .. }) = decode(bytes) else { return None };
    let fault = Fault::network(format!("the server disconnects, code {code}: {reason}"));
    Some(match code {
        // Another connection of ours took this one's place; coming back at once would end that one.
        2 | 9 => fault.of(Trouble::Server),
        // The token was revoked, or its user logged out.
        6 | 7 => fault.of(Trouble::Refused),
        _ => fault,
    })
}

/// What an error says.
fn failure(line: &[u8]) -> Option<Fault> {
    let Ok(Event::Failure { message }) = decode(line) else { return None };
    Some(Fault::network(format!("the server says: {message}")))
}
