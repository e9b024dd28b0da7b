//! Bluesky's AppView: who is who.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tweetfilter_stream::source::Clock;
use tweetfilter_stream::source::net::TokioClock;
use tweetfilter_stream::source::net::lookup::{Later, Lookup};

use crate::server::Step::{Chunk as C, Cut, Stay};
use crate::server::{LIMIT, Server, Step, ok, status};

/// Time that stands still, so that what is to be waited for lasts.
struct Still;

impl Clock for Still {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(time))
    }
}

const NOBODY: &str = r#"{"error":"InvalidRequest","message":"Unable to resolve handle"}"#;

fn lookup(server: &Server) -> Lookup {
    let lookup = Lookup::at(&format!("http://127.0.0.1:{}", server.port)).expect("an address");
    lookup.timeout(LIMIT).rate(100, Duration::from_millis(1))
}

fn json(body: &str) -> Vec<Step> {
    // In small pieces, and the connection is not kept.
    let pieces = body.as_bytes().chunks(7).map(|piece| C(piece.to_vec()));
    [ok("Connection: close\r\n")].into_iter().chain(pieces).collect()
}

fn profiles(ids: std::ops::Range<usize>) -> String {
    let each =
        ids.map(|n| format!(r#"{{"did":"did:plc:{n}","handle":"h{n}.example","displayName":"N{n}"}}"#));
    format!(r#"{{"profiles":[{}]}}"#, each.collect::<Vec<_>>().join(","))
}

fn asked(server: &Server) -> Vec<String> {
    let requests = server.requests();
    requests.iter().map(|request| request.split(' ').nth(1).expect("a path").to_owned()).collect()
}

#[tokio::test]
async fn handles_have_an_account_or_none() {
    let server = Server::start(vec![json(r#"{"did":"did:plc:a"}"#), status("400 Bad", "", NOBODY)]).await;
    let mut lookup = lookup(&server);
    assert_eq!(lookup.handle("ann.example").await, Ok(Some("did:plc:a".to_owned())));
    assert_eq!(lookup.handle("gone.example").await, Ok(None));
    // What is no handle is not asked for.
    assert_eq!(lookup.handle("ann").await, Ok(None));
    assert_eq!(lookup.blocked(), None);
    let base = "/xrpc/com.atproto.identity.resolveHandle?handle=";
    assert_eq!(asked(&server), [format!("{base}ann.example"), format!("{base}gone.example")]);
}

#[tokio::test]
async fn profiles_come_in_batches_of_whom_the_server_knows_some() {
    // The second answer leaves some out, and adds one that was not asked for.
    let second = profiles(25..29).replace("did:plc:28", "did:plc:stranger");
    let server = Server::start(vec![json(&profiles(0..25)), json(&second)]).await;
    let ids: Vec<String> = (0..30).map(|n| format!("did:plc:{n}")).chain(["no id".to_owned()]).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let found = lookup(&server).profiles(&ids).await.expect("profiles");
    let found: Vec<_> = found.iter().map(|found| &*found.account.handle).collect();
    assert_eq!(found.len(), 28);
    assert_eq!(found[..2], ["h0.example", "h1.example"]);
    let asked = asked(&server);
    assert_eq!(
        asked.iter().map(|path| path.matches("actors=did%3Aplc%3A").count()).collect::<Vec<_>>(),
        [25, 5]
    );
}

#[tokio::test]
async fn an_id_that_spoils_its_batch_is_found() {
    let bad = || status("400 Bad", "", r#"{"error":"InvalidRequest","message":"actors"}"#);
    let answers = vec![bad(), json(&profiles(0..2)), bad(), json(&profiles(2..3)), bad()];
    let server = Server::start(answers).await;
    let ids = ["did:plc:0", "did:plc:1", "did:plc:2", "did:plc:odd"];
    let found = lookup(&server).profiles(&ids).await.expect("profiles");
    assert_eq!((found.len(), server.requests().len()), (3, 5));
}

/// What the first answer leads to, and that the second request is not made meanwhile.
async fn later(answer: Vec<Step>) -> Later {
    later_within(answer, LIMIT).await
}

/// The same, if the answer does not come in time.
async fn later_within(answer: Vec<Step>, time: Duration) -> Later {
    let server = Server::start(vec![answer]).await;
    let mut lookup = lookup(&server).timeout(time).with_clock(Arc::new(Still));
    let later = lookup.handle("ann.example").await.expect_err("nothing");
    let again = lookup.profiles(&["did:plc:a"]).await.expect_err("nothing yet");
    assert_eq!(again.reason, later.reason);
    assert!(again.wait <= later.wait && lookup.blocked().is_some());
    // On a busy machine the time may be over before the server has read the first one.
    assert!(server.requests().len() <= 1, "{}", later.reason);
    later
}

#[tokio::test]
async fn a_server_that_limits_is_left_alone_as_long_as_it_says() {
    let limited = later(status("429 Slow", "Retry-After: 321\r\n", "slow down")).await;
    assert_eq!(limited.wait, Duration::from_secs(321), "{}", limited.reason);
    assert!(limited.reason.contains("status 429: slow down"), "{}", limited.reason);
    assert_eq!(later(status("429 Slow", "", "")).await.wait, Duration::from_secs(60));
    assert_eq!(later(status("503 Away", "Retry-After: 40\r\n", "")).await.wait, Duration::from_secs(40));
    assert_eq!(later(status("404 No", "", "no such service")).await.wait, Duration::from_secs(3600));
    // A redirect is not followed.
    let moved = later(status("302 Moved", "Location: https://elsewhere.example/\r\n", "")).await;
    assert!(moved.reason.contains("elsewhere.example"), "{}", moved.reason);
}

#[tokio::test]
async fn stalls_garbage_cuts_and_floods_are_met() {
    let wait = Duration::from_secs(5);
    let begun = Instant::now();
    for (answer, reason) in
        [(vec![Stay], "no answer in time"), (vec![ok(""), C(br#"{"did":"#.to_vec()), Stay], "half an answer")]
    {
        let later = later_within(answer, Duration::from_millis(700)).await;
        assert_eq!(later.wait, wait, "{reason}: {}", later.reason);
        assert!(later.reason.starts_with("127.0.0.1: "), "{}", later.reason);
    }
    for (answer, reason) in [
        (vec![ok(""), C(br#"{"did":"did:plc:a"}"#.to_vec()), Cut], "a cut"),
        (vec![Cut], "no answer"),
        (json("<html>hello</html>"), "no JSON"),
        (json(r#"{"did":"not one"}"#), "no id"),
        (json("[]"), "something else"),
        (status("400 Bad", "", "<html>proxy</html>"), "not the AppView's refusal"),
    ] {
        let later = later(answer).await;
        assert_eq!(later.wait, wait, "{reason}: {}", later.reason);
        assert!(later.reason.starts_with("127.0.0.1: "), "{}", later.reason);
    }
    assert!(begun.elapsed() < LIMIT);
    let flood = (0..40).map(|_| C(vec![b' '; 64 << 10]));
    let flood = later([ok("")].into_iter().chain(flood).chain([Stay]).collect()).await;
    assert!(flood.reason.contains("longer than"), "{}", flood.reason);
    let garbage = Server::start(vec![json(r#"{"profiles":7}"#)]).await;
    assert!(lookup(&garbage).profiles(&["did:plc:a"]).await.is_err());
}

#[tokio::test]
async fn no_more_requests_are_made_than_allowed() {
    let server = Server::start(vec![json(r#"{"did":"did:plc:a"}"#)]).await;
    let mut lookup =
        lookup(&server).rate(2, Duration::from_millis(150)).with_clock(Arc::new(TokioClock::default()));
    let begun = Instant::now();
    for _ in 0..6 {
        assert!(lookup.handle("ann.example").await.is_ok());
    }
    assert!(begun.elapsed() >= Duration::from_millis(4 * 150), "{:?}", begun.elapsed());
}
