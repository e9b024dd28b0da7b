//! Streams of what is new.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use futures_util::StreamExt;
use serde_json::Value;
use tower::ServiceExt;
use tweetfilter_sql::Scope;

use crate::house::{House, request};

/// A stream that is read event by event.
pub struct Events {
    body: axum::body::BodyDataStream,
    text: String,
}

/// Name, id, data.
pub type Event = (String, Option<i64>, Value);

impl Events {
    pub async fn open(house: &House, token: &str, query: &str) -> Self {
        Self::try_open(house, token, query).await.unwrap()
    }

    /// Opens a stream, or says what was answered instead.
    pub async fn try_open(house: &House, token: &str, query: &str) -> Result<Self, String> {
        let request = request(Method::GET, &format!("/live{query}"), token, None);
        let response = house.app.clone().oneshot(request).await.unwrap();
        if response.status() != StatusCode::OK {
            let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            return Err(String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(Self::of(response))
    }

    /// The events of an answer.
    pub fn of(response: axum::response::Response) -> Self {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim_start().to_owned())
                };
                let parsed = field("data:").map(|data| {
                    let id = field("id:").map(|id| id.parse().unwrap());
                    (field("event:").unwrap_or_default(), id, serde_json::from_str(&data).unwrap())
                });
                self.text = rest.to_owned();
                if let Some(parsed) = parsed {
                    return Some(parsed);
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.body.next()).await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }

    pub async fn until(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if event.0 == name {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn what_is_new_comes_and_a_stream_is_taken_up_where_it_ended() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let filter = house.filter(ann, "snow").await;
    house.post("old", "Snow", false, &[(ann, &[filter])]).await;
    let mut events = Events::open(&house, &token, "?highlights=true").await;
    let (_, begin, _) = events.until("commit").await;
    let commit = house.post("1", "Snow at last", false, &[(ann, &[filter])]).await;
    let (_, _, post) = events.until("post").await;
    assert_eq!((post["id"].as_str(), post["commit"].as_i64()), (Some("1"), Some(commit)));
    assert_eq!(post["content"]["segments"][0]["mark"], true);
    let (_, id, _) = events.until("commit").await;
    assert_eq!(id, Some(commit));
    drop(events);

    house.post("2", "Snow again", false, &[(ann, &[filter])]).await;
    let mut events = Events::open(&house, &token, &format!("?after={}", begin.unwrap())).await;
    let mut found = Vec::new();
    while found.len() < 2 {
        found.push(events.until("post").await.2["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(found, ["1", "2"]);
}

#[tokio::test]
async fn a_changed_filter_is_told() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let mut events = Events::open(&house, &token, "").await;
    events.until("commit").await;
    house.filter(ann, "snow").await;
    assert_eq!(events.until("filters").await.0, "filters");
}

#[tokio::test]
async fn a_revoked_token_ends_its_stream_at_once() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let other = house.token(ann, Scope::Read).await;
    let mut events = Events::open(&house, &token, "").await;
    let mut kept = Events::open(&house, &other, "").await;
    events.until("commit").await;
    kept.until("commit").await;
    let number = house.database.tokens().await.unwrap()[0].id;
    house.database.revoke_token(number).await.unwrap();
    let (_, _, end) = events.until("end").await;
    assert_eq!(end["error"]["code"], "unknown_token");
    assert!(events.next().await.is_none());
    house.post("1", "a", false, &[(ann, &[])]).await;
    assert_eq!(kept.until("post").await.2["id"], "1");
}

#[tokio::test]
async fn streams_of_a_token_are_counted_and_end_with_the_server() {
    let options = tweetfilter_http::api::Options { streams: 1, ..tweetfilter_http::api::Options::default() };
    let house = House::with(options).await;
    let (_, token) = house.account("ann", Scope::Read).await;
    let mut events = Events::open(&house, &token, "").await;
    let got = house.get(&token, "/live").await;
    assert_eq!((got.status, got.error()), (StatusCode::TOO_MANY_REQUESTS, "too_many_streams"));
    house.stop.send(true).unwrap();
    assert_eq!(events.until("end").await.2["error"]["code"], "server_ends");
    drop(events);
    Events::open(&house, &token, "").await;
}
