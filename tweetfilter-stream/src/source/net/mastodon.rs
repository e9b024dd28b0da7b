//! The home timeline of one account on a Mastodon server, as server-sent events.

use std::time::Duration;

use reqwest::{Method, Url, header};
use tweetfilter_core::post::Millis;

use super::sse::Events;
use super::tls::Trust;
use super::token::Token;
use super::wire::{BoxFuture, Connection, ENDED, Fault, Wire};
use super::{LONGEST_LINE, http};
use crate::source::{Chunk, SourceError};

/// A stream of a Mastodon server.
#[derive(Debug)]
pub struct Mastodon {
    asking: http::Asking,
    url: Url,
    /// The host whose ids it tells.
    server: String,
    token: Token,
    silence: Duration,
    longest: usize,
    events: Events,
}

impl Mastodon {
    /// What the token's account sees. `server` is the address of its streaming, such as `https://mastodon.example`.
    ///
    /// Each line says that it is of this host, since ids are those of the server that is read from. Streaming that has an
    /// address of its own is taken for the server's: `https://streaming.mastodon.example` is `mastodon.example`.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if the address is none, or neither encrypted nor on this machine.
    pub fn home(server: &str, token: Token) -> Result<Self, SourceError> {
        let mut url = http::safe_url(server)?;
        url.set_path("/api/v1/streaming/user");
        let server = host(&url);
        Ok(Self {
            asking: http::Asking::default(),
            url,
            token,
            silence: Duration::from_secs(90),
            longest: LONGEST_LINE,
            events: Events::new(&server, LONGEST_LINE),
            server,
        })
    }

    /// Looks whether an address is one that [`Mastodon::home`] takes, and at nothing that may be there.
    ///
    /// # Errors
    /// [`SourceError::Setup`] if it is none, with the way out.
    pub fn check_address(server: &str) -> Result<(), SourceError> {
        http::safe_url(server).map(drop)
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

    /// Counts the connection as dead after so long without an event or a comment, unless told otherwise 90 s.
    #[must_use]
    pub fn stalls_after(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// Accepts events of so many bytes.
    #[must_use]
    pub fn longest_line(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }
}

/// The server's host, as it stands in the addresses of its accounts.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("streaming.").filter(|rest| rest.contains('.')).unwrap_or(host);
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl Wire for Mastodon {
    fn address(&self) -> String {
        format!("{}{}", self.url.host_str().unwrap_or_default(), self.url.path())
    }

    fn silence(&self) -> Duration {
        self.silence
    }

    fn connect(&mut self) -> BoxFuture<Result<Connection, Fault>> {
        self.events = Events::new(&self.server, self.longest);
        let client = match self.asking.connecting(&self.url) {
            Ok(client) => client,
            Err(fault) => return Box::pin(std::future::ready(Err(fault))),
        };
        let mut request = client.get(self.url.clone()).header(header::ACCEPT, "text/event-stream");
        if let Some(token) = self.token.header(&Method::GET, &self.url) {
            request = request.header(header::AUTHORIZATION, token);
        }
        Box::pin(http::open(request))
    }

    fn take(&mut self, bytes: &[u8], _: Millis, chunk: &mut Chunk) -> Result<bool, Fault> {
        let before = chunk.lines.len();
        self.events.take(bytes, &mut chunk.lines);
        Ok(chunk.lines.len() > before)
    }

    fn ended(&mut self, chunk: &mut Chunk) -> Fault {
        match self.events.finish(&mut chunk.lines) {
            true => Fault::network(format!("{ENDED} within an event")),
            false => Fault::network(ENDED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Url, host};

    #[test]
    fn the_server_is_the_host_of_its_accounts() {
        for (address, server) in [
            ("https://m.example", "m.example"),
            ("https://M.example:443/x", "m.example"),
            ("https://streaming.m.example", "m.example"),
            ("https://streaming.example", "streaming.example"),
            ("http://127.0.0.1:3000", "127.0.0.1:3000"),
        ] {
            assert_eq!(Url::parse(address).map(|url| host(&url)).as_deref(), Ok(server), "{address}");
        }
    }
}
