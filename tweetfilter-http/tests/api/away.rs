//! The store goes away, and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use serde_json::json;
use tweetfilter_http::api::{Options, digest};
use tweetfilter_sql::Scope;

use crate::house::{House, request};
use crate::live::Events;
use crate::maria::Maria;

/// An API over a database of the server, which has answered to the token `secret`.
async fn begun(server: &Maria, name: &str) -> House {
    let database = server.database(name).await;
    let account = database.add_account("ann", &[]).await.unwrap();
    database.add_token(account, "", &digest("secret"), Scope::Write).await.unwrap();
    let house = House::over(database, Options::default());
    house.get("secret", "/me").await.ok();
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_store_is_said_within_a_second() {
    let Some(mut server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let house = begun(&server, "away").await;
    house.get("secret", "/health/ready").await.ok();
    let mut events = Events::open(&house, "secret", "").await;
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
        for (path, method, body) in sent {
            let begin = Instant::now();
            let got = house.send(request(method, path, "secret", body)).await;
            let took = begin.elapsed();
            assert_eq!((got.status, got.error()), (StatusCode::SERVICE_UNAVAILABLE, "store_away"), "{path}");
            assert!(got.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
            // It says so in less than a second; a busy machine may take longer.
            assert!(took < Duration::from_secs(3), "{fault} {path}: {took:?}");
        }
        house.get("secret", "/health/live").await.ok();
        if fault == "STOP" {
            assert_eq!(events.until("away").await.2["error"]["code"], "store_away");
            server.signal("CONT");
            assert!(events.until("back").await.2["commit"].is_i64());
            let begin = Instant::now();
            while house.get("secret", "/health/ready").await.status != StatusCode::OK {
                assert!(begin.elapsed() < Duration::from_secs(10), "it comes back by itself");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Keeps every change waiting for longer than a request may take.
const HOLD: &str = "START TRANSACTION; SELECT COUNT(*) FROM state FOR UPDATE; DO SLEEP(4); ROLLBACK";

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
    let begin = Instant::now();
    let sleeps = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'DO SLEEP%'";
    while server.ask("", sleeps)[0][0] == "0" {
        assert!(begin.elapsed() < Duration::from_secs(20), "nobody holds it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let add = || request(Method::POST, "/filters", "secret", Some(json!({"text": "snow"})));
    let got = house.send(add()).await;
    assert_eq!((got.status, got.error()), (StatusCode::SERVICE_UNAVAILABLE, "store_busy"));
    assert!(
        got.json["error"]["message"].as_str().unwrap().contains("look first whether it was made"),
        "{got:?}"
    );
    assert!(got.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    house.get("secret", "/filters").await.ok();
    let got = house.get("secret", "/status").await;
    assert_eq!(got.ok()["unwell"][0]["code"], "store_busy", "{got:?}");
    held.await.unwrap().unwrap();
    house.send(add()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_that_the_store_takes_no_writes() {
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let house = begun(&server, "unwritable").await;
    // Of a buffer this API knows nothing.
    assert_eq!(house.get("secret", "/status").await.ok()["unwell"][0]["code"], "buffer_away");
    server.ask(
        "unwritable",
        "CREATE TRIGGER no_room BEFORE UPDATE ON state FOR EACH ROW
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no room is left'",
    );
    // What was found holds for a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let got = house.get("secret", "/status").await;
    let unwell = &got.ok()["unwell"][0];
    assert_eq!(unwell["code"], "store_takes_no_writes", "{got:?}");
    assert!(unwell["message"].as_str().unwrap().contains("no room is left"), "{got:?}");
}
