//! A connection that is kept, and requests that are written by hand: the client shares the cores with the server.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ground::secret;

/// A connection.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of the buffer that belong to the answer that was given last.
    used: usize,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) head: &'a str,
    pub(super) body: &'a str,
}

/// A request of an account.
pub(super) fn request(method: &str, path: &str, account: i64, more: &str, body: &str) -> String {
    let length = match body.len() {
        0 => String::new(),
        bytes => format!("Content-Type: application/json\r\nContent-Length: {bytes}\r\n"),
    };
    format!(
        "{method} /api/v1{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n{more}{length}\r\n{body}",
        secret(account)
    )
}

/// A request for something to read.
pub(super) fn get(path: &str, account: i64) -> String {
    request("GET", path, account, "", "")
}

impl Client {
    pub(super) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10), used: 0 })
    }

    /// Sends a request, and reads the answer whole.
    pub(super) async fn ask(&mut self, request: &str) -> io::Result<Answer<'_>> {
        self.send(request).await?;
        let (head, length) = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                let head = text(&self.buffer[..end + 4])?;
                let length = header(head, "content-length").and_then(|length| length.parse().ok());
                break (end + 4, length.unwrap_or(0_usize));
            }
            self.more().await?;
        };
        while self.buffer.len() < head + length {
            self.more().await?;
        }
        self.used = head + length;
        let (head, body) = (text(&self.buffer[..head])?, text(&self.buffer[head..head + length])?);
        let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(|| broken(head))?;
        Ok(Answer { status, head, body })
    }

    /// Sends a request whose answer is read piece by piece.
    pub(super) async fn send(&mut self, request: &str) -> io::Result<()> {
        self.buffer.drain(..self.used);
        self.used = 0;
        self.stream.write_all(request.as_bytes()).await
    }

    /// The next line of what comes, without its end.
    pub(super) async fn line(&mut self) -> io::Result<&str> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let mut looked = 0;
        let end = loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer[looked..]) {
                break looked + end;
            }
            looked = self.buffer.len();
            self.more().await?;
        };
        self.used = end + 1;
        Ok(text(&self.buffer[..end])?.trim_end_matches('\r'))
    }

    async fn more(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

impl Answer<'_> {
    /// What is said in the summary, which stands first, of a name: its text or number.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        let summary = self.body.split_once(",\"data\"").map_or(self.body, |(summary, _)| summary);
        said(summary, name)
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// Fails unless it is of a status and lists so many things.
    pub(super) fn must(&self, status: u16, count: Option<usize>) -> io::Result<()> {
        let counted = self.said("count").and_then(|count| count.parse().ok());
        if self.status == status && (count.is_none() || counted == count) {
            return Ok(());
        }
        let start: String = self.body.chars().take(300).collect();
        Err(broken(&format!(
            "{} instead of {status}, {counted:?} instead of {count:?}: {start}",
            self.status
        )))
    }
}

/// The value of a member of an object, as far as it has no escapes.
pub(super) fn said<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let from = memchr::memmem::find(json.as_bytes(), format!("\"{name}\":").as_bytes())? + name.len() + 3;
    let value = &json[from..];
    match value.strip_prefix('"') {
        Some(text) => text.split_once('"').map(|(text, _)| text),
        None => value.split([',', '}', ']']).next(),
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

fn text(bytes: &[u8]) -> io::Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| broken("no UTF-8"))
}

pub(super) fn broken(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_and_other_counts_are_refused() {
        let body =
            r#"{"summary":{"text":"20 posts","count":20,"next":"7-9"},"data":[{"count":3}],"error":null}"#;
        let answer = Answer { status: 200, head: "HTTP/1.1 200 OK\r\nETag: W/\"1\"\r\n", body };
        assert_eq!((answer.said("count"), answer.said("next")), (Some("20"), Some("7-9")));
        assert_eq!((answer.said("commit"), answer.header("etag")), (None, Some("W/\"1\"")));
        assert!(answer.must(200, Some(20)).is_ok() && answer.must(200, None).is_ok());
        assert!(answer.must(200, Some(3)).is_err() && answer.must(304, None).is_err());
    }
}
