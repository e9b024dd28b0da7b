//! Long-lived responses over HTTP.

use std::time::Duration;

use futures_util::stream;
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Response, Url, redirect};

use super::backoff::Trouble;
use super::inflate;
use super::proxy;
use super::retry_after::retry_after;
use super::tls::{self, Trust};
use super::wire::{Connection, Fault, Received};
use crate::source::SourceError;

/// What a server is asked with. It is made once, when all is said of it: that reads all certificates which the machine trusts.
#[derive(Debug, Default)]
pub(super) struct Asking {
    trust: Trust,
    client: Option<Client>,
}

impl Asking {
    /// With further authorities.
    pub(super) fn trusting(trust: &Trust) -> Self {
        Self { trust: trust.clone(), client: None }
    }

    /// Of another address.
    pub(super) fn anew(&mut self) {
        self.client = None;
    }

    /// The client for an address.
    pub(super) fn client(&mut self, url: &Url) -> Result<&Client, SourceError> {
        match &mut self.client {
            Some(client) => Ok(client),
            none => Ok(none.insert(client(&self.trust, url)?)),
        }
    }

    /// The same for who is about to connect.
    pub(super) fn connecting(&mut self, url: &Url) -> Result<&Client, Fault> {
        self.client(url).map_err(|error| Fault::network(error.to_string()).of(Trouble::Refused))
    }
}

/// Makes a client for a server that follows no redirect, since that would carry the token elsewhere.
pub(super) fn client(trust: &Trust, url: &Url) -> Result<Client, SourceError> {
    let builder = match proxy::of(url).map_err(SourceError::Setup)? {
        // The environment says so, which it reads as we do.
        Some(_) => Client::builder(),
        None => Client::builder().no_proxy(),
    };
    builder
        .tls_backend_preconfigured(tls::config(trust)?)
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(15))
        .tcp_keepalive(Duration::from_secs(60))
        .user_agent(concat!("tweetfilter/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .build()
        .map_err(|error| SourceError::Setup(format!("no HTTP client: {}", chain(&error))))
}

/// Reads an address. What can't be read is not repeated, since it may hold secrets.
pub(super) fn url(address: &str) -> Result<Url, SourceError> {
    Url::parse(address).map_err(|error| {
        SourceError::Setup(format!(
            "the address of the server can't be read: {error}. It begins with https://, that of Jetstream with wss://"
        ))
    })
}

/// With whom an address connects. Its user, password, path and query may be secrets.
pub(super) fn server(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    match url.host_str() {
        Some(host) => format!("{}://{host}{port}", url.scheme()),
        None => format!("{}:", url.scheme()),
    }
}

/// Reads an address to which a token may be sent: encrypted, or on this machine.
pub(super) fn safe_url(address: &str) -> Result<Url, SourceError> {
    let url = url(address)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local(&url) => Ok(url),
        _ => Err(SourceError::Setup(format!(
            "{}: https is needed, or the token could be read on its way",
            server(&url)
        ))),
    }
}

/// Whether it is this machine.
pub(super) fn is_local(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// What an answer is instead of a stream, if its headers say that it is a page: a success all the same, where a proxy or a
/// portal answers in the server's place. Whatever else they say, or don't, a stream may be in it.
pub(super) fn page(headers: &HeaderMap) -> Option<&'static str> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_page = ["text/html", "application/xhtml+xml"].iter().any(|page| kind.eq_ignore_ascii_case(page));
    is_page.then_some("a page came where the stream should, such as from a proxy or a portal in between")
}

/// Waits for the answer to a request; its body, unpacked, if it is a success.
pub(super) async fn open(request: reqwest::RequestBuilder) -> Result<Connection, Fault> {
    let mut response = request.send().await.map_err(|error| Fault::network(chain(&error)))?;
    let status = response.status().as_u16();
    if status != 200 {
        let trouble = Trouble::of_status(status);
        let retry_after = retry_after(response.headers(), trouble);
        let reason = format!("status {status}: {}", said(&mut response).await);
        return Err(Fault { trouble, status: Some(status), retry_after, reason });
    }
    if let Some(page) = page(response.headers()) {
        let reason = format!("status {status}: {page}: {}", said(&mut response).await);
        return Err(Fault { status: Some(status), ..Fault::network(reason).of(Trouble::Server) });
    }
    let is_packed = inflate::is_packed(response.headers()).map_err(|coding| {
        Fault::network(format!("it packs its answer as {coding}, and gzip alone was asked for"))
            .of(Trouble::Server)
    })?;
    let body = stream::unfold(Some(response), |response| async {
        let mut response = response?;
        match response.chunk().await {
            Ok(Some(bytes)) => Some((Ok(Received::Bytes(bytes.to_vec())), Some(response))),
            Ok(None) => None,
            Err(error) => Some((Err(Fault::network(chain(&error))), None)),
        }
    });
    Ok(if is_packed { inflate::unpacked(Box::pin(body)) } else { Box::pin(body) })
}

/// What the server says beside the status, shortened.
pub(super) async fn said(response: &mut Response) -> String {
    let place = response.headers().get(header::LOCATION).and_then(|at| at.to_str().ok());
    let place = place.map(|at| format!("it has moved to {}", without_query(at)));
    let body = tokio::time::timeout(Duration::from_secs(2), response.chunk()).await;
    let body = body.ok().and_then(Result::ok).flatten().unwrap_or_default();
    let body = match inflate::is_packed(response.headers()) {
        Ok(true) => inflate::beginning(&body),
        _ => body.to_vec(),
    };
    let text = String::from_utf8_lossy(&body[..body.len().min(1000)]).replace(char::is_control, " ");
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
    place.unwrap_or_else(|| if text.is_empty() { "nothing is said about it".to_owned() } else { text })
}

/// A place that a server names, without what may repeat our secrets.
fn without_query(place: &str) -> String {
    match Url::parse(place) {
        Ok(url) => format!("{}{}", server(&url), url.path()),
        Err(_) => place.split(['?', '#']).next().unwrap_or_default().to_owned(),
    }
}

/// An error with all its causes, without the address, which may carry secrets.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut text =
        if error.is_connect() { "no connection".to_owned() } else { "the connection failed".to_owned() };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    let advice = tls::advice(&text);
    text + advice
}

#[cfg(test)]
mod tests {
    use super::{safe_url, without_query};

    #[test]
    fn tokens_go_over_safe_ways_only() {
        for (address, safe) in [
            ("https://api.x.com/2", true),
            ("http://127.0.0.1:80/", true),
            ("http://[::1]/", true),
            ("http://localhost:1", true),
            ("http://api.x.com/2", false),
            ("http://127.0.0.1.x.com", false),
            ("ftp://localhost", false),
            ("wss://api.x.com/2", false),
            ("no address", false),
        ] {
            assert_eq!(safe_url(address).is_ok(), safe, "{address}");
        }
    }

    #[test]
    fn an_address_is_refused_by_its_server_alone() {
        let refused = |address| safe_url(address).expect_err("not safe").to_string();
        let text = refused("http://ann:secret@a.example:81/secret?access_token=secret#secret");
        assert!(text.starts_with("http://a.example:81: https is needed"), "{text}");
        for address in ["https://ann:secret@a.example:port/", "secret", "mailto:secret", "https://[secret]/"]
        {
            assert!(!refused(address).contains("secret"), "{}", refused(address));
        }
        assert_eq!(without_query("https://ann:secret@a.example/b?token=secret"), "https://a.example/b");
        assert_eq!(without_query("/b?token=secret"), "/b");
    }
}
