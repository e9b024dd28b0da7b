//! Clients that hang up before they are answered.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower::ServiceExt;
use tweetfilter_http::api::Options;
use tweetfilter_sql::Scope;

use crate::house::{House, patient, request};
use crate::operations::until;
use crate::server::start;

#[tokio::test]
async fn who_hangs_up_has_asked_all_the_same() {
    let house = House::with(Options { rate: 0.001, burst: 100.0, ..patient() }).await;
    let (ann, _) = house.account("ann", Scope::Read).await;
    for is_known in [true, false] {
        let token = house.token(ann, Scope::Read).await;
        if is_known {
            house.get(&token, "/me").await.ok();
        }
        for _ in 0..90 {
            let asked = house.app.clone().oneshot(request(Method::GET, "/me", &token, None));
            let mut asked = Box::pin(asked);
            // It has begun, and the store is asked whose token it is.
            let is_begun = poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending())).await;
            assert!(is_begun);
        }
        // The store may still be answering.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut answered = 0;
        loop {
            let got = house.get(&token, "/me").await;
            if got.status == StatusCode::TOO_MANY_REQUESTS {
                break;
            }
            got.ok();
            answered += 1;
            assert!(answered <= 50, "nobody counted those that hung up; known: {is_known}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_leaves_the_turn_to_the_next() {
    let long = Duration::from_secs(600);
    let house = House::with(Options { slice: long, preview: long, ..patient() }).await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let ids: Vec<_> = (0..200).map(|id| id.to_string()).collect();
    house.posts(&ids, &letters(), false, &[(ann, &[])]).await;
    let server = start(&house).await;
    let quick = async || house.ask(Method::POST, &token, "/search", json!({"text": "hail"})).await;
    for (path, accepts) in
        [("/search", "*/*"), ("/preview", "application/json"), ("/preview", "text/event-stream")]
    {
        let body = json!({"text": slow()}).to_string();
        let head = format!(
            "POST /api/v1{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nAccept: {accepts}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        until("it runs", async || Some(quick().await).filter(|got| !got.status.is_success())).await;
        drop(stream);
        let ended = async || quick().await.status.is_success().then_some(());
        until(&format!("{path} as {accepts} ended"), ended).await;
    }
    server.stop.send(true).unwrap();
}

/// What takes a while in each post, and is in none.
fn slow() -> String {
    let one = |n: i32| format!("/[ad-z0-9][ac]{{{n}}}[^a-z]/");
    (40..56).map(one).collect::<Vec<_>>().join(" OR ")
}

/// Letters in no order, so that it does.
fn letters() -> String {
    let mut state = 1_u32;
    let letter = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { 'a' } else { 'c' }
    };
    (0..40_000).map(letter).collect()
}
