//! The store is away for ten minutes, in a thirtieth of the time and under thirty times the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use tweetfilter_http::api::{Options, digest, new_secret};
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
/// Of them so many change something.
const WRITERS: u64 = 12;
/// In this time it is to be said that the store is away.
const WITHIN: Duration = Duration::from_secs(1);

/// What clients were answered while the store was away.
#[derive(Default)]
struct Heard {
    away: u64,
    answered: u64,
    /// How long it took to say that it is away, where it was so from the first to the last.
    took: Vec<Duration>,
}

impl Heard {
    fn take(&mut self, other: Self) {
        self.away += other.away;
        self.answered += other.answered;
        self.took.extend(other.took);
    }

    /// Holds what is said while the store is away against what was promised: within a second, with when to come again.
    async fn send(&mut self, house: &House, request: Request<Body>, away: &AtomicBool) -> Got {
        let path = request.uri().to_string();
        let (begin, was_away) = (Instant::now(), away.load(Ordering::SeqCst));
        let got = house.send(request).await;
        if got.status != StatusCode::SERVICE_UNAVAILABLE {
            self.answered += u64::from(got.status.is_success());
            return got;
        }
        // As it comes back, it may be there and have much to do.
        assert!(matches!(got.error(), "store_away" | "store_busy"), "{path}: {got:?}");
        assert_eq!(got.json["summary"]["text"], got.json["error"]["message"], "{path}: {got:?}");
        assert!(got.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
        self.away += 1;
        if was_away && away.load(Ordering::SeqCst) {
            self.took.push(begin.elapsed());
        }
        got
    }

    /// How long it took in the middle, and at most.
    fn times(&mut self) -> (Duration, Duration) {
        self.took.sort_unstable();
        (self.took[self.took.len() / 2], *self.took.last().unwrap())
    }
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

    let mut writers = Vec::new();
    for client in 0..WRITERS {
        writers.push(Writer::new(house.clone(), client).await);
    }
    let (away, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (WRITERS..CLIENTS)
        .map(|client| tokio::spawn(ask(house.clone(), client, away.clone(), ended.clone())))
        .collect();
    let writers: Vec<_> =
        writers.into_iter().map(|writer| tokio::spawn(writer.run(away.clone(), ended.clone()))).collect();
    let late = tokio::spawn(lateness(ended.clone()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.signal("STOP");
    away.store(true, Ordering::SeqCst);
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
    let (mut reads, mut writes) = (Heard::default(), Heard::default());
    for reader in readers {
        reads.take(reader.await.unwrap());
    }
    let mut changed = 0;
    for writer in writers {
        let (writer, heard) = writer.await.unwrap();
        writes.take(heard);
        changed += writer.is_kept_once().await;
    }
    let late = late.await.unwrap();
    // A busy machine comes to little in the seconds around the outage.
    for (what, heard, least) in [("asked", &mut reads, 100), ("changed", &mut writes, 2 * WRITERS)] {
        let (middle, slowest) = heard.times();
        println!(
            "who {what} something was told {} times that the store is away, in {middle:?}, the slowest after {slowest:?}, and \
             answered {} times beside it",
            heard.away, heard.answered
        );
        assert!(heard.away > 100 && heard.answered > least, "{what}: {} and {}", heard.away, heard.answered);
        // A second, in the middle: a machine with much else to do lets some of them wait for a processor, and all of them as
        // long as it lets whoever sleeps oversleep, which an answer does at each of the few times that it waits.
        assert!(middle <= WITHIN + 4 * late, "{what}: {middle:?}, and who sleeps is woken {late:?} late");
        // Nobody waited for the outage to end, or half of it.
        assert!(slowest < OUTAGE / 2 - WITHIN, "{what}: {slowest:?}");
    }
    println!("{changed} changes, each once; back after {back:?}; who sleeps is woken {late:?} late");
}

/// How late it is in the middle when somebody is woken who sleeps.
async fn lateness(ended: Arc<AtomicBool>) -> Duration {
    let mut late = Vec::new();
    while !ended.load(Ordering::SeqCst) {
        let begin = Instant::now();
        tokio::time::sleep(EACH).await;
        late.push(begin.elapsed().saturating_sub(EACH));
    }
    late.sort_unstable();
    late[late.len() / 2]
}

/// Somebody who changes one thing after the other, and asks for each until it is made: for a list with the tag of the one
/// before it, for a feed with its secret, for a filter by an import, which adds none that is there.
struct Writer {
    house: Arc<House>,
    token: String,
    filter: Value,
    /// The tag of the list, once there is one.
    tag: Option<HeaderValue>,
    lists: usize,
    feeds: usize,
    filters: usize,
    random: String,
}

impl Writer {
    async fn new(house: Arc<House>, client: u64) -> Self {
        let (_, token) = house.account(&format!("writer {client}"), Scope::Write).await;
        let filter = house.ask(Method::POST, &token, "/filters", json!({"text": "first"})).await;
        let filter = filter.ok()["id"].clone();
        let random = new_secret("").unwrap();
        Self { house, token, filter, tag: None, lists: 0, feeds: 0, filters: 1, random }
    }

    async fn run(mut self, away: Arc<AtomicBool>, ended: Arc<AtomicBool>) -> (Self, Heard) {
        let mut heard = Heard::default();
        let mut turn = 0;
        while !ended.load(Ordering::SeqCst) {
            turn += 1;
            while !self.change(turn, &mut heard, &away).await {
                tokio::time::sleep(EACH).await;
            }
            tokio::time::sleep(EACH).await;
        }
        (self, heard)
    }

    /// Asks for a change; whether it is made.
    async fn change(&mut self, turn: usize, heard: &mut Heard, away: &AtomicBool) -> bool {
        let put = |token: &str, body: Value| request(Method::PUT, "/sets/list", token, Some(body));
        match turn % 3 {
            0 => {
                let mut asked = put(&self.token, json!({"terms": [format!("term{}", self.lists + 1)]}));
                match &self.tag {
                    Some(tag) => asked.headers_mut().insert("if-match", tag.clone()),
                    None => asked.headers_mut().insert("if-none-match", HeaderValue::from_static("*")),
                };
                let got = heard.send(&self.house, asked, away).await;
                let tag = match got.status {
                    StatusCode::SERVICE_UNAVAILABLE => return false,
                    // It was made, and the answer was lost: nobody else has this list.
                    StatusCode::PRECONDITION_FAILED => {
                        let asked = request(Method::GET, "/sets/list", &self.token, None);
                        let now = heard.send(&self.house, asked, away).await;
                        if now.status == StatusCode::SERVICE_UNAVAILABLE {
                            return false;
                        }
                        assert_eq!(now.ok()["terms"], json!([format!("term{}", self.lists + 1)]), "{got:?}");
                        now.headers["etag"].clone()
                    }
                    _ => {
                        got.ok();
                        got.headers["etag"].clone()
                    }
                };
                (self.tag, self.lists) = (Some(tag), self.lists + 1);
            }
            1 => {
                // Another for each, and random enough to be taken for one.
                let secret = format!("{:04x}{}", self.feeds, &self.random[4..]);
                let body = json!({"filter": self.filter, "secret": secret});
                let asked = request(Method::POST, "/feeds", &self.token, Some(body));
                let got = heard.send(&self.house, asked, away).await;
                if got.status == StatusCode::SERVICE_UNAVAILABLE {
                    return false;
                }
                got.ok();
                self.feeds += 1;
            }
            _ => {
                let body =
                    json!({"content": format!("word{}", self.filters), "format": "plain", "apply": true});
                let asked = request(Method::POST, "/import", &self.token, Some(body));
                let got = heard.send(&self.house, asked, away).await;
                if got.status == StatusCode::SERVICE_UNAVAILABLE {
                    return false;
                }
                got.ok();
                self.filters += 1;
            }
        }
        true
    }

    /// Whether all that it was told to be made is there, and once; how much that is.
    async fn is_kept_once(&self) -> usize {
        let got = async |path: &str| {
            let asked = async || Some(self.house.get(&self.token, path).await);
            until(path, async || asked().await.filter(|got| got.status == StatusCode::OK)).await
        };
        let list = got("/sets/list").await;
        assert_eq!(list.ok()["terms"], json!([format!("term{}", self.lists)]));
        let feeds = got("/feeds").await;
        assert_eq!(feeds.ok().as_array().unwrap().len(), self.feeds);
        let filters = got("/filters").await;
        let texts: Vec<_> =
            filters.ok().as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
        let expected = (1..self.filters).map(|n| format!("word{n}"));
        assert_eq!(texts, std::iter::once("first".to_owned()).chain(expected).collect::<Vec<_>>());
        self.lists + self.feeds + self.filters
    }
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
        let got = heard.send(&house, request(method, path, "secret", body), &away).await;
        match got.status {
            StatusCode::SERVICE_UNAVAILABLE => {}
            // Others of this token search.
            StatusCode::TOO_MANY_REQUESTS => assert_eq!(got.error(), "search_running"),
            _ => drop(got.ok()),
        }
        tokio::time::sleep(EACH).await;
    }
    heard
}
