//! Bluesky's Jetstream, over real WebSockets.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tweetfilter_stream::source::net::{Jetstream, Live};
use tweetfilter_stream::source::{Notice, Source};

use crate::server::{SILENCE, Server, read, refused, status, waits};

/// What a server does on each connection in turn, the last of them for all that follow.
#[derive(Clone)]
enum Act {
    Send(Vec<String>),
    Close(u16),
    Ping(u32),
    Stay,
}

struct Host {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Host {
    async fn start(acts: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("ws://{}/subscribe", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let task = tokio::spawn(async move {
            for n in 0.. {
                let Ok((socket, _)) = listener.accept().await else { return };
                let (acts, seen) = (acts[n.min(acts.len() - 1)].clone(), seen.clone());
                tokio::spawn(serve(socket, acts, seen));
            }
        });
        Self { address, asked, task }
    }

    /// The cursors that were asked for.
    fn cursors(&self) -> Vec<Option<u64>> {
        let asked = self.asked.lock().expect("whole");
        let cursor =
            |query: &String| query.split('&').find_map(|part| part.strip_prefix("cursor=")?.parse().ok());
        asked.iter().map(cursor).collect()
    }

    fn source(&self) -> Jetstream {
        Jetstream::posts_from([&self.address]).expect("an address")
    }
}

async fn serve(socket: tokio::net::TcpStream, acts: Vec<Act>, seen: Arc<Mutex<Vec<String>>>) {
    // The library's signature.
    #[allow(clippy::result_large_err)]
    let note = |request: &Request, response: Response| {
        seen.lock().expect("whole").push(request.uri().query().unwrap_or_default().to_owned());
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(socket, note).await else { return };
    for act in acts {
        match act {
            Act::Send(lines) => {
                for line in lines {
                    if socket.send(Message::text(line)).await.is_err() {
                        return;
                    }
                }
            }
            Act::Close(code) => {
                let frame = CloseFrame { code: CloseCode::from(code), reason: "slow".into() };
                let _ = socket.close(Some(frame)).await;
            }
            Act::Ping(times) => {
                for n in 0..times {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    if socket.send(Message::Ping(n.to_string().into())).await.is_err() {
                        return;
                    }
                    assert_eq!(
                        socket.next().await.and_then(Result::ok),
                        Some(Message::Pong(n.to_string().into()))
                    );
                }
            }
            Act::Stay => std::future::pending().await,
        }
    }
}

/// A moment a little ago, in microseconds.
fn base() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros();
    u64::try_from(now).expect("fits") - 600_000_000
}

fn event(n: u64, time: u64) -> String {
    format!(
        r#"{{"did":"did:plc:a","time_us":{time},"kind":"commit","commit":{{"rev":"r{n}","operation":"create","collection":"app.bsky.feed.post","rkey":"k{n}","record":{{"$type":"app.bsky.feed.post","text":"{n}"}},"cid":"c{n}"}}}}"#
    )
}

fn events(range: std::ops::Range<u64>, base: u64) -> Vec<String> {
    range.map(|n| event(n, base + n * 1_000_000)).collect()
}

#[tokio::test]
async fn reading_on_overlaps_and_gives_nothing_twice() {
    let base = base();
    let host = Host::start(vec![
        vec![Act::Send(events(0..10, base)), Act::Close(1001)],
        vec![Act::Send(events(4..20, base)), Act::Stay],
    ])
    .await;
    let mut live = Live::new(host.source());
    let seen = read(&mut live, 20).await;
    assert_eq!(seen.lines, events(0..20, base));
    assert_eq!((seen.gaps(), host.cursors()), (0, vec![None, Some(base + 4_000_000)]));
    assert!(seen.notices().contains("code 1001: slow"), "{}", seen.notices());
    assert!(
        host.asked.lock().expect("whole")[0]
            .starts_with("wantedCollections=app.bsky.feed.post&maxMessageSizeBytes=")
    );
    let last = seen.chunks.last().and_then(|chunk| chunk.cursor.clone()).expect("a cursor");
    assert_eq!(last, (base + 19_000_000).to_string());

    // Another process: what overlaps comes again, nothing is left out.
    let host = Host::start(vec![vec![Act::Send(events(14..22, base)), Act::Stay]]).await;
    let mut live = Live::new(host.source()).resume(&last).expect("its own cursor");
    let seen = read(&mut live, 8).await;
    assert_eq!(
        (seen.lines, seen.chunks.iter().all(|chunk| chunk.gaps.is_empty())),
        (events(14..22, base), true)
    );
    assert_eq!(host.cursors(), [Some(base + 14_000_000)]);
    assert!(Live::new(host.source()).resume("then").is_err());
}

#[tokio::test]
async fn what_the_server_no_longer_has_is_a_gap() {
    let base = base();
    let host = Host::start(vec![vec![Act::Send(events(100..102, base)), Act::Stay]]).await;
    let from = base / 1000;
    for (seconds, tolerance, gap) in [(10, 30, true), (80, 30, false), (80, 10, true), (100, 0, false)] {
        let source = host.source().tolerance(Duration::from_secs(tolerance));
        let cursor = (base + seconds * 1_000_000).to_string();
        let seen = read(&mut Live::new(source).resume(&cursor).expect("its own cursor"), 2).await;
        assert_eq!(seen.gaps(), usize::from(gap), "{seconds} {tolerance}");
        if gap {
            let found = seen.chunks.iter().flat_map(|chunk| &chunk.gaps).next().expect("a gap");
            let (begin, end) = (from + seconds * 1000, from + 100_000);
            assert_eq!(
                (found.from, found.to),
                (i64::try_from(begin).expect("fits"), i64::try_from(end).expect("fits"))
            );
            assert!(seen.notices().contains("CursorTooOld"), "{}", seen.notices());
        }
    }
}

#[test]
fn a_cursor_of_another_kind_of_source_is_refused() {
    // The last is one of another stream, in milliseconds.
    for cursor in ["", "{\"file\":\"a\",\"lines\":7}", "generated 7", "1614834367089"] {
        let refused = Live::new(Jetstream::posts()).resume(cursor).expect_err(cursor).to_string();
        assert!(refused.contains("something else than Jetstream was read before"), "{refused}");
        assert!(cursor.is_empty() || !refused.contains(cursor), "{refused}");
    }
    assert!(Live::new(Jetstream::posts()).resume("1614834367089000").is_ok());
}

#[tokio::test]
async fn hosts_are_tried_in_turn() {
    let base = base();
    let refusing = Server::start(vec![status("403 No", "", "no")]).await;
    let good = Host::start(vec![
        vec![Act::Send(events(0..1, base)), Act::Close(1001)],
        vec![Act::Send(events(1..2, base)), Act::Stay],
    ])
    .await;
    // Nobody listens there, and nobody else can begin to.
    let closed = TcpSocket::new_v4().expect("a socket");
    closed.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let closed_at = closed.local_addr().expect("bound");
    let addresses = [format!("ws://{closed_at}/"), good.address.clone()];
    let seen = read(&mut Live::new(Jetstream::posts_from(addresses).expect("addresses")), 2).await;
    assert_eq!(seen.lines, events(0..2, base));

    // One that refuses is passed over, when its time has come; if all do, that is the end.
    let refusing = format!("ws://127.0.0.1:{}/", refusing.port);
    let addresses = [refusing.clone(), good.address.clone()];
    let (wait, said) = waits(&mut Live::new(Jetstream::posts_from(addresses).expect("addresses"))).await;
    assert_eq!(wait, Duration::from_secs(5), "{said}");
    let mut live = Live::new(Jetstream::posts_from([refusing]).expect("an address"));
    assert_eq!(refused(&mut live).await.0, Some(403));
    let away = Server::start(vec![status("503 Away", "Retry-After: 33\r\n", "")]).await;
    let mut live =
        Live::new(Jetstream::posts_from([format!("ws://127.0.0.1:{}/", away.port)]).expect("an address"));
    assert_eq!(waits(&mut live).await.0, Duration::from_secs(33));
    assert!(
        Jetstream::posts_from(["https://x.example/"]).is_err() && Jetstream::posts_from([""; 0]).is_err()
    );
    for address in ["https://ann:s3cret@x.example/?key=s3cret", "wss://ann:s3cret@x.example:port/"] {
        let refused = Jetstream::posts_from([address]).expect_err("no WebSocket").to_string();
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}

#[tokio::test]
async fn silence_is_a_stall_and_pings_are_not() {
    let base = base();
    let host = Host::start(vec![
        vec![Act::Send(events(0..1, base)), Act::Ping(8), Act::Send(events(1..2, base)), Act::Stay],
        vec![Act::Send(events(2..3, base)), Act::Stay],
    ])
    .await;
    let mut live = Live::new(host.source().stalls_after(SILENCE));
    let seen = read(&mut live, 2).await;
    assert_eq!((seen.lines, host.cursors().len()), (events(0..2, base), 1));
    let seen = read(&mut live, 1).await;
    assert!(seen.notices().contains("it stalled"), "{}", seen.notices());
}

#[tokio::test]
async fn garbage_and_unbelievable_times_do_no_harm() {
    let base = base();
    let odd = [
        "garbage".to_owned(),
        "[]".to_owned(),
        format!(r#"{{"did":"d","time_us":{},"kind":"commit"}}"#, u64::MAX),
        r#"{"did":"d","kind":"identity","identity":{"seq":4}}"#.to_owned(),
        format!(r#"{{"did":"d","time_us":{base},"kind":"new"}}"#),
    ];
    let host = Host::start(vec![vec![
        Act::Send(odd.to_vec()),
        Act::Send(vec![odd[3].clone(), event(1, base)]),
        Act::Stay,
    ]])
    .await;
    let seen = read(&mut Live::new(host.source()), 6).await;
    assert_eq!(seen.lines, [&odd[..], &[event(1, base)]].concat());
    assert_eq!(seen.chunks.last().and_then(|chunk| chunk.cursor.clone()), Some(base.to_string()));
}

#[tokio::test]
async fn a_message_that_is_too_long_is_passed_over_and_leaves_a_gap() {
    let base = base();
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(10_000));
    let host = Host::start(vec![
        vec![Act::Send(events(0..1, base)), Act::Send(vec![long]), Act::Stay],
        vec![Act::Send(events(3..4, base)), Act::Stay],
    ])
    .await;
    let seen = read(&mut Live::new(host.source().longest_line(5_000)), 2).await;
    assert_eq!(seen.lines, [events(0..1, base), events(3..4, base)].concat());
    assert_eq!((seen.gaps(), host.cursors()), (1, vec![None, None]), "the same message would come again");
}

#[tokio::test]
async fn nothing_is_lost_when_nobody_waits_any_longer() {
    let base = base();
    let acts = (0..50)
        .flat_map(|n| [Act::Send(events(n..n + 1, base)), Act::Send(vec![])])
        .chain([Act::Stay])
        .collect();
    let host = Host::start(vec![acts]).await;
    let (mut live, mut lines, mut asked) = (Live::new(host.source()), 0, 0);
    while lines < 50 && asked < 10_000 {
        asked += 1;
        if let Ok(next) = tokio::time::timeout(Duration::from_micros(300), live.next()).await {
            let chunk = next.expect("lines").expect("no end");
            assert!(!chunk.notices.iter().any(|notice| matches!(notice, Notice::Disconnected { .. })));
            lines += chunk.lines.len();
        }
    }
    assert_eq!((lines, host.cursors().len()), (50, 1));
}
