//! The store goes away, and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tweetfilter_http::api::{Options, digest};
use tweetfilter_sql::Scope;

use crate::house::{House, request};
use crate::live::Events;
use crate::maria::Maria;
use crate::operations::until;

/// An API over a database of the server, which has answered to the token `secret`.
async fn begun(server: &Maria, name: &str) -> House {
    let database = server.database(name).await;
    let account = database.add_account("ann", &[]).await.unwrap();
    database.add_token(account, "", &digest("secret"), Scope::Write).await.unwrap();
    let house = House::over(database, Options::default());
    answers(&house, "/me").await;
    house
}

/// Waits until a path is answered: a store that is there may be busy.
async fn answers(house: &House, path: &str) {
    let is_answered = async || (house.get("secret", path).await.status == StatusCode::OK).then_some(());
    until(path, is_answered).await;
}

/// How long it takes until it is said that the store is away, at best: a busy machine may hold up one.
async fn is_said(house: &House, (path, method, body): (&str, Method, Option<Value>)) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..3 {
        let begin = Instant::now();
        let got = house.send(request(method.clone(), path, "secret", body.clone())).await;
        least = least.min(begin.elapsed());
        assert_eq!((got.status, got.error()), (StatusCode::SERVICE_UNAVAILABLE, "store_away"), "{path}");
        assert!(got.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
        if least < WITHIN {
            break;
        }
    }
    least
}

/// It is said in less than a second; a busy machine may take longer.
const WITHIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_store_is_said_within_a_second() {
    let Some(mut server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let house = begun(&server, "away").await;
    answers(&house, "/health/ready").await;
    let listens = async || Events::try_open(&house, "secret", "").await.ok();
    let mut events = until("it listens", listens).await;
    events.until("commit").await;

    // Stopped, it takes connections and never answers; killed, it refuses them.
    for fault in ["STOP", "KILL"] {
        if fault == "KILL" {
            assert!(server.kill())
        } else {
            server.signal(fault)
        }
        let sent = [
            ("/me", Method::GET, None),
            ("/timeline", Method::GET, None),
            ("/filters", Method::POST, Some(json!({"text": "snow"}))),
            ("/search", Method::POST, Some(json!({"text": "snow"}))),
            ("/health/ready", Method::GET, None),
        ];
        for asked in sent {
            let (path, took) = (asked.0, is_said(&house, asked).await);
            assert!(took < WITHIN, "{fault} {path}: {took:?}");
        }
        house.get("secret", "/health/live").await.ok();
        if fault == "STOP" {
            assert_eq!(events.until("away").await.2["error"]["code"], "store_away");
            server.signal("CONT");
            assert!(events.until("back").await.2["commit"].is_i64());
            // It comes back by itself.
            answers(&house, "/health/ready").await;
        }
    }
}

/// Keeps every change waiting until it is ended, or the test has failed.
const HOLD: &str = "START TRANSACTION; SELECT COUNT(*) FROM state FOR UPDATE; DO SLEEP(240); ROLLBACK";
/// The connection that does, once it has the locks.
const HOLDER: &str = "SELECT id FROM information_schema.processlist \
    WHERE info LIKE '%DO SLEEP(%' AND id <> CONNECTION_ID()";

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_busy_is_not_said_to_be_away() {
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let house = begun(&server, "busy").await;
    let server = Arc::new(server);
    let holder = server.clone();
    let held = tokio::task::spawn_blocking(move || holder.try_ask("busy", HOLD));
    let holder = until("it is held", async || server.ask("", HOLDER).into_iter().flatten().next()).await;
    let add = || request(Method::POST, "/filters", "secret", Some(json!({"text": "snow"})));
    // Where the machine is held up as well, the store does not show in time that it is there.
    let is_busy = async || Some(house.send(add()).await).filter(|got| got.error() == "store_busy");
    let got = until("it is busy", is_busy).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        got.json["error"]["message"].as_str().unwrap().contains("look first whether it was made"),
        "{got:?}"
    );
    assert!(got.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    answers(&house, "/filters").await;
    is_unwell(&house, "store_busy").await;
    server.say(&format!("KILL {holder}"));
    held.await.unwrap().unwrap_err();
    until("it is made", async || house.send(add()).await.status.is_success().then_some(())).await;
}

/// Waits until the status says first that something is not well, and gives what it says of it.
async fn is_unwell(house: &House, code: &str) -> Value {
    let said = async || {
        let got = house.get("secret", "/status").await;
        Some(got.json["data"]["unwell"][0].clone()).filter(|unwell| unwell["code"] == code)
    };
    until(code, said).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_that_the_store_takes_no_writes() {
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let house = begun(&server, "unwritable").await;
    // Of a buffer this API knows nothing.
    is_unwell(&house, "buffer_away").await;
    server.ask(
        "unwritable",
        "CREATE TRIGGER no_room BEFORE UPDATE ON state FOR EACH ROW
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no room is left'",
    );
    // What was found before holds for a second.
    let unwell = is_unwell(&house, "store_takes_no_writes").await;
    assert!(unwell["message"].as_str().unwrap().contains("no room is left"), "{unwell}");
}
