//! The server itself, over a socket: what it bears, and that it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tweetfilter_http::api::{Options, app, listen};
use tweetfilter_http::parts::Stop;
use tweetfilter_sql::Scope;

use crate::house::{House, patient};

pub struct Listening {
    pub address: std::net::SocketAddr,
    pub stop: tokio::sync::watch::Sender<bool>,
    pub task: JoinHandle<()>,
}

pub async fn start(house: &House) -> Listening {
    let serving = Arc::new(listen(&house.api, app(&house.api), "127.0.0.1:0").await.unwrap());
    let address = serving.address().unwrap();
    let (stop, told) = Stop::new();
    let task = tokio::spawn(async move { serving.run(told).await });
    Listening { address, stop, task }
}

/// Sends bytes, and reads what comes until the other side closes.
pub async fn exchange(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The other side may close before all is written.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(20), read).await.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends bytes until what comes is as it is to be: this side may be held up for so long that it is cut off.
async fn is_answered(address: std::net::SocketAddr, bytes: &[u8], begins: &str) {
    let mut answer = String::new();
    for _ in 0..5 {
        answer = exchange(address, bytes).await;
        if answer.starts_with(begins) {
            return;
        }
    }
    panic!("not {begins}: {answer}");
}

const PLAIN: &[u8] = b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn slow_and_huge_requests_are_cut_off_and_others_go_on() {
    let options = Options {
        header_time: Duration::from_millis(500),
        body_time: Duration::from_millis(500),
        ..patient()
    };
    let house = House::with(options).await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let server = start(&house).await;
    // Headers that never end.
    let begin = Instant::now();
    let slow = tokio::spawn(async move {
        exchange(server.address, b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-A: ").await
    });
    is_answered(server.address, PLAIN, "HTTP/1.1 200").await;
    slow.await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(400));
    // A connection that says nothing at all.
    assert_eq!(exchange(server.address, b"").await, "");
    // A body that never ends.
    let body = format!(
        "POST /api/v1/check HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"
    );
    is_answered(server.address, body.as_bytes(), "HTTP/1.1 408").await;
    // Headers without end in another sense.
    let huge = format!("GET /health/live HTTP/1.1\r\nHost: a\r\nX-A: {}\r\n\r\n", "a".repeat(1 << 20));
    let answer = exchange(server.address, huge.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = format!("GET /health/live HTTP/1.1\r\n{}\r\n", "X-A: a\r\n".repeat(200));
    let answer = exchange(server.address, many.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    is_answered(server.address, PLAIN, "HTTP/1.1 200").await;
}

/// Sends a request whose body takes a while, all of it, and then reads the answer.
async fn spoken_to_the_end(address: std::net::SocketAddr, head: &str, bytes: usize) -> String {
    // What nobody wants is taken for three seconds, for which this side may be held up.
    for _ in 0..3 {
        match spoken(address, head, bytes).await {
            Ok(answer) => return answer,
            Err(error) => println!("{error}"),
        }
    }
    panic!("what is sent is taken, though nobody wants it");
}

async fn spoken(address: std::net::SocketAddr, head: &str, bytes: usize) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        format!("{head}\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {bytes}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let some = vec![b' '; bytes / 20];
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(&some).await?;
    }
    let mut answer = String::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await;
    read.expect("the server closes")?;
    Ok(answer)
}

#[tokio::test]
async fn an_answer_arrives_though_nobody_wanted_the_body() {
    let house = House::new().await;
    let (ann, write) = house.account("ann", Scope::Write).await;
    let read = house.token(ann, Scope::Read).await;
    let server = start(&house).await;
    for (token, bytes, status) in
        [("nope", 900_000, 401), (&read[..], 900_000, 403), (&write[..], 4_000_000, 413)]
    {
        let head = format!("POST /api/v1/import HTTP/1.1\r\nAuthorization: Bearer {token}");
        let answer = spoken_to_the_end(server.address, &head, bytes).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.to_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
    }
    // Who waits to be asked for the body is refused without it.
    let waits =
        b"POST /api/v1/import HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 900\r\n\r\n";
    let answer = exchange(server.address, waits).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn connections_that_rest_make_room_for_new_ones() {
    let house = House::with(Options { connections: 10, ..patient() }).await;
    let server = start(&house).await;
    let mut resting = Vec::new();
    for _ in 0..50 {
        resting.push(TcpStream::connect(server.address).await.unwrap());
    }
    for _ in 0..20 {
        assert!(exchange(server.address, PLAIN).await.starts_with("HTTP/1.1 200"));
    }
    // The first were closed.
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_secs(60), resting[0].read(&mut byte)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
}

#[tokio::test]
async fn it_ends_when_it_is_told_to() {
    let house = House::new().await;
    let mut took = Vec::new();
    // A busy machine may hold up one of them.
    while took.len() < 3 {
        let server = start(&house).await;
        let mut idle = TcpStream::connect(server.address).await.unwrap();
        let told = Instant::now();
        server.stop.send(true).unwrap();
        server.task.await.unwrap();
        took.push(told.elapsed());
        let mut byte = [0];
        assert!(matches!(idle.read(&mut byte).await, Ok(0) | Err(_)));
        if took.last() < Some(&Duration::from_secs(4)) {
            return;
        }
    }
    panic!("{took:?}");
}
