//! Messages over a WebSocket.

use std::sync::Arc;

use futures_util::{StreamExt, future};
use reqwest::Url;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::backoff::Trouble;
use super::retry_after::retry_after;
use super::wire::{Connection, Fault, Received};
use super::{http, tls};

/// What a WebSocket runs on.
trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// What a message that is too long makes of its connection.
pub(super) const TOO_LONG: &str = "a message is longer than the limit";

/// Connects; messages longer than `longest` end the connection.
pub(super) async fn open(url: Url, config: Arc<ClientConfig>, longest: usize) -> Result<Connection, Fault> {
    let no_address = || Fault::network("the address names no host").of(Trouble::Refused);
    let host = url.host_str().ok_or_else(no_address)?.to_owned();
    let port = url.port_or_known_default().ok_or_else(no_address)?;
    let unbracketed = host.trim_matches(['[', ']']).to_owned();
    let tcp = TcpStream::connect((unbracketed.as_str(), port)).await;
    let tcp = tcp.map_err(|error| Fault::network(format!("no connection: {error}")))?;
    let transport: Box<dyn Transport> = if url.scheme() == "wss" {
        let name = ServerName::try_from(unbracketed).map_err(|_| no_address())?;
        let secured = TlsConnector::from(config).connect(name, tcp).await;
        let refused = |error: std::io::Error| {
            let reason = format!("no secure connection: {error}");
            let advice = tls::advice(&reason);
            Fault::network(reason + advice)
        };
        Box::new(secured.map_err(refused)?)
    } else {
        Box::new(tcp)
    };
    let mut request = url.as_str().into_client_request().map_err(fault)?;
    if let Ok(agent) = concat!("tweetfilter/", env!("CARGO_PKG_VERSION")).parse() {
        request.headers_mut().insert(reqwest::header::USER_AGENT, agent);
    }
    let limits = WebSocketConfig::default().max_message_size(Some(longest)).max_frame_size(Some(longest));
    let opened = tokio_tungstenite::client_async_with_config(request, transport, Some(limits)).await;
    let (socket, _) = opened.map_err(fault)?;
    let pieces = socket.map(|message| match message.map_err(fault)? {
        Message::Text(text) => Ok(Received::Bytes(text.as_bytes().to_vec())),
        Message::Binary(bytes) => Ok(Received::Bytes(bytes.to_vec())),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(Received::Alive),
        Message::Close(frame) => Err(Fault::network(match frame {
            Some(frame) => {
                let said: String = frame.reason.chars().filter(|c| !c.is_control()).take(200).collect();
                format!("the server closes, code {}: {said}", u16::from(frame.code))
            }
            None => "the server closes".to_owned(),
        })),
    });
    // What comes after a failure is no message of this stream.
    let pieces = pieces.scan(false, |failed, piece| {
        let ended = std::mem::replace(failed, piece.is_err());
        future::ready((!ended).then_some(piece))
    });
    Ok(Box::pin(pieces))
}

fn fault(error: Error) -> Fault {
    match error {
        Error::Http(response) => {
            let status = response.status().as_u16();
            let trouble = Trouble::of_status(status);
            let body = response.body().as_deref().unwrap_or_default();
            let body = String::from_utf8_lossy(&body[..body.len().min(200)]).replace(char::is_control, " ");
            let page = http::page(response.headers()).map(|page| format!("{page}: ")).unwrap_or_default();
            Fault {
                trouble,
                status: Some(status),
                retry_after: retry_after(response.headers(), trouble),
                reason: format!("status {status}: {page}{}", body.trim()),
            }
        }
        Error::Capacity(_) => Fault::network(TOO_LONG),
        other => Fault::network(other.to_string()),
    }
}
