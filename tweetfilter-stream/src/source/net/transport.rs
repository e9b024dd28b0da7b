//! Connections to servers: through a proxy where the environment names one, and encrypted where the address says so.

use std::sync::Arc;

use hyper_util::client::proxy::matcher::Intercept;
use reqwest::Url;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::backoff::Trouble;
use super::wire::Fault;
use super::{proxy, tls};

/// What bytes are sent over.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A connection of any kind.
pub(super) type Boxed = Box<dyn Transport>;

/// Bytes that a proxy may say before it leads on.
const LONGEST_HEAD: usize = 16 << 10;

/// Connects with the server of an address.
pub(super) async fn connect(url: &Url, config: Arc<ClientConfig>) -> Result<Boxed, Fault> {
    let host = url.host_str().ok_or_else(no_address)?;
    let port = url.port_or_known_default().ok_or_else(no_address)?;
    let proxy = proxy::of(url).map_err(|reason| Fault::network(reason).of(Trouble::Refused))?;
    let transport = match proxy {
        Some(proxy) => through(&proxy, host, port, config.clone()).await?,
        None => plain(host, port).await.map_err(|error| Fault::network(format!("no connection: {error}")))?,
    };
    match url.scheme() {
        "wss" | "https" => secured(transport, host, config).await.map_err(Fault::network),
        _ => Ok(transport),
    }
}

fn no_address() -> Fault {
    Fault::network("the address names no host").of(Trouble::Refused)
}

async fn plain(host: &str, port: u16) -> std::io::Result<Boxed> {
    let tcp = TcpStream::connect((unbracketed(host), port)).await?;
    Ok(Box::new(tcp))
}

/// A host as it is looked up.
fn unbracketed(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

async fn secured(transport: Boxed, host: &str, config: Arc<ClientConfig>) -> Result<Boxed, String> {
    let name = ServerName::try_from(unbracketed(host).to_owned());
    let name = name.map_err(|_| format!("no secure connection: {host} can have no certificate"))?;
    match TlsConnector::from(config).connect(name, transport).await {
        Ok(secured) => Ok(Box::new(secured)),
        Err(error) => {
            let reason = format!("no secure connection: {error}");
            let advice = tls::advice(&reason);
            Err(reason + advice)
        }
    }
}

/// Has a proxy lead on to a server.
async fn through(
    proxy: &Intercept,
    host: &str,
    port: u16,
    config: Arc<ClientConfig>,
) -> Result<Boxed, Fault> {
    let failed =
        |why: &dyn std::fmt::Display| Fault::network(format!("the proxy {}: {why}", proxy::name(proxy)));
    let is_secure = proxy.uri().scheme_str() == Some("https");
    let at = proxy.uri().host().unwrap_or_default();
    let at_port = proxy.uri().port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let mut transport =
        plain(at, at_port).await.map_err(|error| failed(&format!("no connection: {error}")))?;
    if is_secure {
        transport = secured(transport, at, config).await.map_err(|reason| failed(&reason))?;
    }
    let mut request = format!(
        "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {}\r\n",
        concat!("tweetfilter/", env!("CARGO_PKG_VERSION"))
    );
    if let Some(secret) = proxy.basic_auth().and_then(|secret| secret.to_str().ok()) {
        request = format!("{request}Proxy-Authorization: {secret}\r\n");
    }
    request.push_str("\r\n");
    transport.write_all(request.as_bytes()).await.map_err(|error| failed(&error))?;
    transport.flush().await.map_err(|error| failed(&error))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // Byte by byte: what follows is the server's.
        let byte = transport.read_u8().await.map_err(|error| failed(&error))?;
        head.push(byte);
        if head.len() > LONGEST_HEAD {
            return Err(failed(&"its answer has no end"));
        }
    }
    let said = String::from_utf8_lossy(&head);
    let line = said.lines().next().unwrap_or_default();
    let status: Option<u16> = line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split_ascii_whitespace().nth(1))
        .and_then(|status| status.parse().ok());
    match status {
        Some(200..=299) => Ok(transport),
        Some(407) => Err(failed(
            &"it wants a user and a password that it knows (HTTPS_PROXY=http://USER:PASSWORD@HOST)",
        )
        .of(Trouble::Server)),
        _ => {
            let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
            Err(failed(&format!("it does not lead to {host}: {line}")).of(Trouble::Server))
        }
    }
}
