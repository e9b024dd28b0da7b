//! A server by hand: it answers each connection with what it was told to, byte for byte.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tweetfilter_stream::source::net::{Live, Token, Wire};
use tweetfilter_stream::source::{Chunk, Notice, Source, SourceError};

/// One step of an answer.
#[derive(Clone, Debug)]
pub enum Step {
    /// Bytes as they are.
    Raw(Vec<u8>),
    /// Bytes as one chunk of the chunked coding.
    Chunk(Vec<u8>),
    /// Nothing for a while.
    Wait(u64),
    /// Nothing any longer, and no end either.
    Stay,
    /// The end of the connection without the end of the response.
    Cut,
}

use Step::{Chunk as C, Cut, Raw, Stay, Wait};

/// How long what comes soon may take on a machine with much else to do.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A silence that ends a connection in these tests. A reader that was held up for longer than a second waits for what lies
/// there before it calls that a stall: of a shorter silence it would not notice that it had not listened.
pub const SILENCE: Duration = Duration::from_secs(2);

/// A server with an answer for each connection in turn; the last one for all that follow.
pub struct Server {
    pub port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start(answers: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        let task = tokio::spawn(async move {
            for n in 0.. {
                let Ok((socket, _)) = listener.accept().await else { return };
                let answer = answers[n.min(answers.len() - 1)].clone();
                tokio::spawn(serve(socket, answer, seen.clone()));
            }
        });
        Self { port, requests, task }
    }

    /// What was asked, heads and bodies.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("whole").clone()
    }
}

async fn serve(mut socket: TcpStream, answer: Vec<Step>, seen: Arc<Mutex<Vec<String>>>) {
    socket.set_nodelay(true).expect("set");
    let mut request = Vec::new();
    while !complete(&request) {
        let mut some = [0; 1024];
        match socket.read(&mut some).await {
            Ok(0) | Err(_) => return,
            Ok(n) => request.extend_from_slice(&some[..n]),
        }
    }
    seen.lock().expect("whole").push(String::from_utf8_lossy(&request).into_owned());
    for step in answer {
        let sent = match step {
            Raw(bytes) => socket.write_all(&bytes).await,
            C(bytes) => {
                let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat();
                socket.write_all(&framed).await
            }
            Wait(millis) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok(())
            }
            Stay => std::future::pending().await,
            Cut => return,
        };
        if sent.is_err() {
            return;
        }
    }
    let _ = socket.write_all(b"0\r\n\r\n").await;
}

/// Whether the head, and the body that it announces, are there.
fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// The head of a chunked answer, with further headers.
pub fn ok(headers: &str) -> Step {
    Raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}Transfer-Encoding: chunked\r\n\r\n"
    )
    .into())
}

/// A whole answer that is no success.
pub fn status(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    vec![Raw(answer.into()), Cut]
}

/// The token of the tests, which nothing may show.
pub fn token() -> Token {
    // Written once: another test reads it meanwhile.
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("token-{}", std::process::id()));
        std::fs::write(&path, "s3cret\n").expect("written");
        path
    });
    Token::from_file(&*PATH).expect("a token")
}

/// What a source gave.
#[derive(Debug, Default)]
pub struct Seen {
    pub lines: Vec<String>,
    pub chunks: Vec<Chunk>,
}

impl Seen {
    pub fn notices(&self) -> String {
        let all: Vec<&Notice> = self.chunks.iter().flat_map(|chunk| &chunk.notices).collect();
        format!("{all:?}")
    }

    pub fn gaps(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.gaps.len()).sum()
    }
}

/// Reads until so many lines have come; too long ones show as `…`.
pub async fn read<W: Wire>(live: &mut Live<W>, count: usize) -> Seen {
    let mut seen = Seen::default();
    let reading = async {
        while seen.lines.len() < count {
            let chunk = live.next().await.expect("lines").expect("no end");
            seen.lines.extend(chunk.lines.iter().map(|line| match line.too_long {
                true => "…".to_owned(),
                false => String::from_utf8_lossy(line.bytes).into_owned(),
            }));
            seen.chunks.push(chunk);
        }
    };
    let ended = tokio::time::timeout(LIMIT, reading).await;
    assert!(ended.is_ok(), "only {:?}", seen.lines);
    assert!(!format!("{seen:?}").contains("s3cret"));
    seen
}

/// Reads until it is told how long to wait, and gives that up.
pub async fn waits<W: Wire>(live: &mut Live<W>) -> (Duration, String) {
    let reading = async {
        loop {
            let chunk = live.next().await.expect("no refusal").expect("no end");
            let wait = chunk.notices.iter().find_map(|notice| match notice {
                Notice::BackingOff { wait } => Some(*wait),
                _ => None,
            });
            if let Some(wait) = wait {
                return (wait, format!("{:?}", chunk.notices));
            }
        }
    };
    tokio::time::timeout(LIMIT, reading).await.expect("in time")
}

/// Reads until it is refused.
pub async fn refused<W: Wire>(live: &mut Live<W>) -> (Option<u16>, String) {
    loop {
        match tokio::time::timeout(LIMIT, live.next()).await.expect("in time") {
            Ok(_) => {}
            Err(SourceError::Refused { status, reason, .. }) => return (status, reason),
            Err(other) => panic!("{other}"),
        }
    }
}
