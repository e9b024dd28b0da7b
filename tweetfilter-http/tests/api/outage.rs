//! The store is away for ten minutes, in a thirtieth of the time and under thirty times the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde_json::json;
use tweetfilter_http::api::{Options, digest};
use tweetfilter_sql::Scope;

use crate::house::{Got, House, request};
use crate::live::Events;
use crate::maria::Maria;
use crate::operations::until;

/// Ten minutes, thirty times as fast: a half of it in silence, the other half refused.
const OUTAGE: Duration = Duration::from_secs(20);
/// A busy page asks twenty times a second; thirty times as often is six hundred.
const CLIENTS: u64 = 60;
const EACH: Duration = Duration::from_millis(100);

/// What clients were answered while the store was away.
#[derive(Default)]
struct Heard {
    away: u64,
    answered: u64,
    slowest: Duration,
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_without_the_store_are_said_at_once_and_then_forgotten() {
    let Some(mut server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let database = server.database("outage").await;
    let account = database.add_account("ann", &[]).await.unwrap();
    database.add_token(account, "", &digest("secret"), Scope::Write).await.unwrap();
    let options = Options { rate: 1e9, burst: 1e9, ..Options::default() };
    let house = Arc::new(House::over(database, options));
    house.post("before", "Snow", false, &[(account, &[])]).await;
    let listens = async || Events::try_open(&house, "secret", "?after=0").await.ok();
    let mut events = until("it listens", listens).await;
    assert_eq!(events.until("post").await.2["id"], "before");

    let (away, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| tokio::spawn(ask(house.clone(), client, away.clone(), ended.clone())))
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    away.store(true, Ordering::SeqCst);
    server.signal("STOP");
    assert_eq!(events.until("away").await.2["error"]["code"], "store_away");
    tokio::time::sleep(OUTAGE / 2).await;
    server.kill();
    tokio::time::sleep(OUTAGE / 2).await;
    away.store(false, Ordering::SeqCst);
    server.restart();
    // It comes back by itself, for all routes and for those who listen.
    let begin = Instant::now();
    loop {
        let got = house.ask(Method::POST, "secret", "/filters", json!({"text": "snow"})).await;
        if got.status == StatusCode::CREATED
            && house.get("secret", "/health/ready").await.status == StatusCode::OK
        {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "it does not come back: {got:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let back = begin.elapsed();
    house.post("after", "Snow", false, &[(account, &[])]).await;
    assert_eq!(events.until("post").await.2["id"], "after");
    ended.store(true, Ordering::SeqCst);
    let mut all = Heard::default();
    for client in clients {
        let heard = client.await.unwrap();
        all.away += heard.away;
        all.answered += heard.answered;
        all.slowest = all.slowest.max(heard.slowest);
    }
    println!(
        "{} were told that the store is away, the slowest after {:?}; {} answered beside it; back after {back:?}",
        all.away, all.slowest, all.answered
    );
    assert!(all.away > 100 && all.answered > 100, "{} and {}", all.away, all.answered);
    // Less than a second where nobody else uses the machine; half of the outage where it was waited for.
    assert!(all.slowest < Duration::from_secs(9), "{:?}", all.slowest);
    // Nobody changed anything twice, and what was told to be kept is kept.
    let got = house.get("secret", "/filters").await;
    assert!(!got.ok().as_array().unwrap().is_empty());
}

/// Asks again and again, and looks at each answer.
async fn ask(house: Arc<House>, client: u64, away: Arc<AtomicBool>, ended: Arc<AtomicBool>) -> Heard {
    let (mut heard, mut turn) = (Heard::default(), client);
    while !ended.load(Ordering::SeqCst) {
        let (method, path, body) = match turn % 5 {
            0 => (Method::GET, "/timeline", None),
            1 => (Method::GET, "/filters", None),
            2 => (Method::POST, "/check", Some(json!({"text": "snow"}))),
            3 => (Method::GET, "/me", None),
            _ => (Method::POST, "/search", Some(json!({"text": "snow"}))),
        };
        turn += 1;
        let (begin, was_away) = (Instant::now(), away.load(Ordering::SeqCst));
        let got: Got = house.send(request(method, path, "secret", body)).await;
        match got.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                // As it comes back, it may be there and have much to do.
                assert!(matches!(got.error(), "store_away" | "store_busy"), "{path}: {got:?}");
                assert!(got.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
                heard.away += 1;
                if was_away {
                    heard.slowest = heard.slowest.max(begin.elapsed());
                }
            }
            // Others of this token search.
            StatusCode::TOO_MANY_REQUESTS => assert_eq!(got.error(), "search_running"),
            _ => {
                got.ok();
                heard.answered += 1;
            }
        }
        tokio::time::sleep(EACH).await;
    }
    heard
}
