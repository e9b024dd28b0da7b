//! Thousands of connections of another process, and what those who come on top of them are told.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tweetfilter_http::api::Options;
use tweetfilter_http::parts::allow_files;
use tweetfilter_sql::Scope;

use crate::house::{House, patient};
use crate::server::{exchange, start};

/// Where the other process is to connect to, and how many times.
const CROWD: &str = "TWEETFILTER_CROWD";
const CONNECTIONS: usize = 10_000;

/// The other process: it connects, tells that it did, rests until its input ends, and tells how many of its connections
/// the server has closed.
#[tokio::test]
async fn the_crowd_itself() {
    let Ok(wanted) = std::env::var(CROWD) else { return };
    let (address, count) = wanted.split_once(' ').unwrap();
    let count: usize = count.parse().unwrap();
    allow_files(count as u64 + 100);
    let mut open = Vec::new();
    while open.len() < count {
        open.push(TcpStream::connect(address).await.unwrap());
    }
    println!("crowded");
    let mut byte = [0];
    let _ = std::io::Read::read(&mut std::io::stdin(), &mut byte);
    let is_closed = |stream: TcpStream| {
        let read = std::io::Read::read(&mut stream.into_std().unwrap(), &mut [0]);
        !matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    };
    println!("closed {}", open.into_iter().map(is_closed).filter(|closed| *closed).count());
    // What it would say of its tests nobody hears.
    std::process::exit(0);
}

fn crowd(address: std::net::SocketAddr, count: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crowd::the_crowd_itself", "--nocapture"])
        .env(CROWD, format!("{address} {count}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_idle_connections_disturb_nobody() {
    // Both sides need a descriptor for each.
    if allow_files(CONNECTIONS as u64 + 1_000) < CONNECTIONS as u64 + 1_000 {
        println!("skipped: the system does not allow so many descriptors");
        return;
    }
    // Once all of them have a place, once most have to make room.
    for connections in [CONNECTIONS + 100, Options::default().connections] {
        let house = House::with(Options { connections, rate: 1e9, burst: 1e9, ..patient() }).await;
        let (_, token) = house.account("ann", Scope::Read).await;
        let server = start(&house).await;
        let mut child = crowd(server.address, CONNECTIONS);
        let said = child.stdout.take().unwrap();
        let crowded = tokio::task::spawn_blocking(move || {
            let mut lines = std::io::BufRead::lines(std::io::BufReader::new(said)).map(Result::unwrap);
            assert!(lines.any(|line| line.contains("crowded")), "the crowd came");
            lines
        });
        // One that is kept, and a new one each time.
        let connect = async || BufReader::new(TcpStream::connect(server.address).await.unwrap());
        let (mut kept, mut lost) = (connect().await, 0);
        let (mut times, mut after) = (Vec::new(), 20);
        while after > 0 {
            let begin = Instant::now();
            let asked = format!("GET /api/v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n");
            match answered(&mut kept, &format!("{asked}\r\n")).await {
                Ok(first) => assert_eq!(first, "HTTP/1.1 200 OK\r\n"),
                // This side was held up, and thousands of connections began while this one rested.
                Err(error) => {
                    lost += 1;
                    assert!(lost <= 3, "{error}");
                    kept = connect().await;
                }
            }
            let answer =
                exchange(server.address, format!("{asked}Connection: close\r\n\r\n").as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            times.push(begin.elapsed());
            // Some more, when all of them are there.
            after -= usize::from(crowded.is_finished());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut said = crowded.await.unwrap();
        times.sort_unstable();
        println!(
            "{} answers beside {CONNECTIONS} of {connections} connections; the slowest two took {:?}",
            2 * times.len(),
            times.last()
        );
        // A busy machine may hold up two of them.
        let slow = times[times.len() - 3];
        assert!(slow < Duration::from_secs(5), "{slow:?}");
        drop(child.stdin.take());
        let closed = said.find_map(|line| line.strip_prefix("closed ")?.parse::<usize>().ok()).unwrap();
        child.wait().unwrap();
        // With the one that is kept.
        let over = (CONNECTIONS + 1).saturating_sub(connections);
        assert!(closed >= over, "{closed} made room, and {over} are too many");
    }
}

/// Asks, and reads the answer; its first line.
async fn answered(by: &mut BufReader<TcpStream>, asked: &str) -> io::Result<String> {
    by.write_all(asked.as_bytes()).await?;
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    by.read_line(&mut first).await?;
    while line != "\r\n" {
        line.clear();
        if by.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(bytes) = line.strip_prefix("content-length: ") {
            length = bytes.trim().parse().unwrap();
        }
    }
    by.read_exact(&mut vec![0; length]).await?;
    Ok(first)
}

#[tokio::test]
async fn who_finds_all_connections_busy_is_told_so() {
    let house = House::with(Options { connections: 3, ..patient() }).await;
    let (_, token) = house.account("ann", Scope::Read).await;
    let server = start(&house).await;
    let mut busy = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let asked = format!("GET /api/v1/live HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        // It is busy once it answers.
        stream.read_exact(&mut [0; 15]).await.unwrap();
        busy.push(stream);
    }
    let plain = b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = exchange(server.address, plain).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Retry-After: 1\r\n"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["error"]["code"], &body["data"]), (&json!("too_many_connections"), &json!(null)));
    // As soon as one ends there is room.
    busy.pop();
    let begin = Instant::now();
    while !exchange(server.address, plain).await.starts_with("HTTP/1.1 200") {
        assert!(begin.elapsed() < Duration::from_secs(20), "there is no room");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
