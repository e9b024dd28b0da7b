//! Messages over a WebSocket.

use std::sync::Arc;

use futures_util::{StreamExt, future};
use reqwest::Url;
use rustls::ClientConfig;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::backoff::Trouble;
use super::retry_after::retry_after;
use super::wire::{Connection, Fault, Received};
use super::{http, transport};

/// What a message that is too long makes of its connection.
pub(super) const TOO_LONG: &str = "a message is longer than the limit";

/// Connects; messages longer than `longest` end the connection.
pub(super) async fn open(url: Url, config: Arc<ClientConfig>, longest: usize) -> Result<Connection, Fault> {
    let transport = transport::connect(&url, config).await?;
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
