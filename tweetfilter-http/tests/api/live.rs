//! Streams of what is new.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use tweetfilter_http::api::Options;
use tweetfilter_sql::{NewFilter, Scope};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Said, Store, Verdict};

use crate::house::{House, patient, request};
use crate::maria::Maria;

/// How long a stream may be silent, which says that it lives every 15 seconds.
const PATIENCE: Duration = Duration::from_secs(60);

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
            let chunk = tokio::time::timeout(PATIENCE, self.body.next()).await.unwrap()?;
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
    let mut took = Vec::new();
    // A busy machine may hold up one of them.
    while took.len() < 3 {
        house.filter(ann, "snow").await;
        let begin = Instant::now();
        assert_eq!(events.until("filters").await.0, "filters");
        took.push(begin.elapsed());
        // Two seconds, and three for a machine of two cores that has other tests to run.
        if begin.elapsed() < Duration::from_secs(5) {
            return;
        }
    }
    panic!("{took:?}");
}

#[tokio::test]
async fn what_changed_between_two_streams_is_seen_by_the_numbers_they_begin_with() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let filter = house.filter(ann, "snow").await;
    house.post("1", "Snow", false, &[(ann, &[])]).await;
    let me = house.get(&token, "/me").await.ok().clone();
    let begin = async || Events::open(&house, &token, "").await.until("commit").await.2;
    let numbers = |said: &Value| [said["revision"].clone(), said["change"].clone(), said["results"].clone()];
    let before = begin().await;
    assert_eq!(numbers(&before), numbers(&me));
    assert_eq!(numbers(&begin().await), numbers(&before), "nothing changed");
    let enabled = async |on: bool| house.database.enable_filter(filter, on).await.unwrap();
    enabled(false).await;
    let [revision, change, results] = numbers(&begin().await);
    assert!(revision.as_i64() > before["revision"].as_i64());
    house.ask(Method::PUT, &token, "/reading/timeline", json!({"up_to": "1-1"})).await.ok();
    house.database.forget_oldest().await.unwrap();
    let after = numbers(&begin().await);
    assert_eq!(after[0], revision);
    assert!(after[1].as_i64() > change.as_i64() && after[2].as_i64() > results.as_i64(), "{after:?}");
}

#[tokio::test]
async fn what_is_decided_anew_is_told() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    house.post("1", "Snow", false, &[(ann, &[])]).await;
    let mut events = Events::open(&house, &token, "").await;
    events.until("commit").await;
    house.database.forget_oldest().await.unwrap();
    assert!(events.until("results").await.2["results"].is_i64());
    assert_eq!(house.get(&token, "/timeline").await.ok(), &json!([]));
}

/// Thirty commits of a post each, the older of which are not kept any more.
async fn thirty(house: &House, account: i64, filters: &[i64]) {
    for n in 0..30 {
        house.post(&n.to_string(), "Snow", false, &[(account, filters)]).await;
        // Numbers of posts and times of commits grow together.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let at = house.database.received_at(21).await.unwrap().unwrap();
    // All before that time, however long it is ago by now.
    let now = tweetfilter_http::parts::now();
    let keep = Duration::from_millis((now - at).cast_unsigned());
    house.database.clone().with_clock(move || now).forget_older(keep).await.unwrap();
}

#[tokio::test]
async fn who_takes_up_what_is_not_kept_any_more_is_told_so_once() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    thirty(&house, ann, &[]).await;
    let mut events = Events::open(&house, &token, "?after=3").await;
    let (mut missed, mut found) = (Vec::new(), Vec::new());
    while found.last().is_none_or(|last| last != "29") {
        let (name, _, data) = events.next().await.unwrap();
        match name.as_str() {
            "missed" => missed.push(data),
            "post" => {
                assert!(!missed.is_empty(), "it comes first");
                found.push(data["id"].as_str().unwrap().to_owned());
            }
            _ => {}
        }
    }
    let [missed] = &missed[..] else { panic!("{missed:?}") };
    let before = missed["before"].as_i64().unwrap();
    assert_eq!(missed["after"], 3);
    assert!(before > 15 && found.len() as i64 == 31 - before, "{missed} {found:?}");
    // Who asks in place of a stream is told so, too.
    let asked = async |after: i64| house.get(&token, &format!("/withdrawn?after={after}")).await.ok().clone();
    assert_eq!(asked(3).await["missed_before"], before);
    assert_eq!(asked(before - 1).await["missed_before"], json!(null));
    // Who was not so far back is told nothing of it.
    let mut events = Events::open(&house, &token, &format!("?after={}", before - 1)).await;
    while let Some((name, _, data)) = events.next().await {
        assert_ne!(name, "missed");
        if data["id"] == "29" {
            break;
        }
    }
}

#[tokio::test]
async fn what_is_missed_is_told_once_however_often_what_follows_fails() {
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let database = "missed_once";
    let house = House::over(server.database(database).await, patient());
    let (ann, token) = house.account("ann", Scope::Read).await;
    let filter = house.filter(ann, "snow").await;
    thirty(&house, ann, &[filter]).await;
    // A filter that can't be read marks nothing.
    server.ask(database, "UPDATE filter SET dialect = 'none'");
    let mut events = Events::open(&house, &token, "?after=3&highlights=true").await;
    let (begin, mut missed) = (Instant::now(), 0);
    while begin.elapsed() < Duration::from_secs(1) {
        let next = tokio::time::timeout(Duration::from_millis(100), events.next());
        let Ok(event) = next.await else { continue };
        let (name, _, data) = event.unwrap();
        assert_ne!(name, "post", "{data}");
        missed += usize::from(name == "missed");
    }
    server.ask(database, "UPDATE filter SET dialect = 'native'");
    while let Some((name, _, data)) = events.next().await {
        missed += usize::from(name == "missed");
        if data["id"] == "29" {
            assert_eq!(data["content"]["segments"][0]["mark"], true, "{data}");
            break;
        }
    }
    assert_eq!(missed, 1);
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
    let options = Options { streams: 1, ..patient() };
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

#[tokio::test]
async fn what_is_withdrawn_is_told_on_sqlite() {
    what_is_withdrawn_is_told(&House::new().await).await;
}

#[tokio::test]
async fn what_is_withdrawn_is_told_on_mariadb() {
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let database = server.database("withdrawn").await;
    what_is_withdrawn_is_told(&House::over(database, patient())).await;
}

/// Deletes, withheld posts and authors, edits and lost quotes: to whoever could see them, in the order of their
/// commits, also to who takes the stream up from before, and to nobody else.
async fn what_is_withdrawn_is_told(house: &House) {
    let (ann, token) = house.account("ann", Scope::Read).await;
    let (ben, other) = house.account("ben", Scope::Read).await;
    let filter = house.filter(ann, "snow").await;
    for id in ["gone", "withheld", "edited"] {
        house.post(id, "Snow", false, &[(ann, &[filter])]).await;
    }
    house.post("public", "Snow", true, &[]).await;
    let begin = house.post("bens", "Rain", false, &[(ben, &[])]).await;
    let mut events = Events::open(house, &token, "").await;
    let mut others = Events::open(house, &other, "").await;
    events.until("commit").await;
    others.until("commit").await;

    let delete = |id: &str| Change::Delete { network: "x".into(), id: id.into() };
    let told = |event: &Event| (event.0.clone(), event.2["posts"].clone());
    let change = async |changes: Vec<Change>| {
        let changes = changes.into_iter().map(|change| Said { at: 0, change }).collect();
        let outcome = Outcome { changes, ..Outcome::default() };
        house.database.commit(&outcome, &[]).await.unwrap().number
    };
    let commit = change(vec![delete("gone"), delete("public"), delete("never stored")]).await;
    let event = events.until("removed").await;
    assert_eq!((told(&event), event.1), (("removed".to_owned(), json!([1, 4])), None));
    assert_eq!(event.2["commit"], commit);
    // The number that the stream is taken up behind comes after it.
    let (_, id, _) = events.until("commit").await;
    assert_eq!(id, Some(commit));
    assert_eq!(told(&others.until("removed").await).1, json!([4]), "the other saw the public one alone");

    let country = |countries: &[&str]| Change::StatusWithheld {
        network: "x".into(),
        id: "withheld".into(),
        countries: countries.iter().map(|&country| country.into()).collect(),
    };
    change(vec![country(&["DE"])]).await;
    assert_eq!(told(&events.until("removed").await).1, json!([2]));

    // An edit takes the old version back, and brings the new one to whoever sees it.
    let mut post = tweetfilter_core::Post::from_text("Snow, edited");
    (post.network, post.id) = ("x".into(), "edited".into());
    let delivery = Delivery { account: ann, verdict: Verdict::default(), filters: vec![filter], seen: true };
    let edited = Evaluated {
        post,
        version: 5,
        source: "test".into(),
        at: tweetfilter_http::parts::now(),
        place: None,
        public: false,
        deliveries: vec![delivery],
        strangers: 0,
        stored: None,
    };
    let outcome = Outcome { posts: vec![edited], ..Outcome::default() };
    let commit = house.database.commit(&outcome, &[]).await.unwrap().number;
    let event = events.until("removed").await;
    assert_eq!((told(&event).1, &event.2["commit"]), (json!([3]), &json!(commit)));
    let (_, id, post) = events.until("post").await;
    assert_eq!((id, &post["content"]["text"]), (Some(commit), &json!("Snow, edited")));

    let author = Change::AccountStatus {
        network: "x".into(),
        author: "7".into(),
        active: false,
        status: "suspended".into(),
    };
    change(vec![author]).await;
    let (_, _, data) = events.until("removed").await;
    assert_eq!((&data["posts"], &data["authors"]), (&json!([]), &json!([{"network": "x", "id": "7"}])));

    // From before: all of it again, in order, and what is gone does not come as a post.
    let mut again = Events::open(house, &token, "?after=0").await;
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let event = again.next().await.unwrap();
        if event.0 == "post" {
            assert!(event.2["number"] == 3 && event.2["content"]["text"] == "Snow, edited", "{event:?}");
        } else if event.0 == "removed" {
            seen.push(event.2["commit"].as_i64().unwrap());
        }
    }
    assert_eq!(seen, [begin + 1, begin + 2, begin + 3, begin + 4]);

    // Whoever has no stream asks for the same, and of nobody else's.
    let asked = async |token: &str, after: i64| {
        house.get(token, &format!("/withdrawn?after={after}")).await.ok().clone()
    };
    let all = asked(&token, begin).await;
    assert_eq!((&all["commit"], &all["missed_before"]), (&json!(begin + 4), &json!(null)));
    let first = json!({"commit": begin + 1, "posts": [1, 4], "authors": [], "changed": []});
    assert_eq!(all["commits"][0], first);
    assert_eq!(all["commits"][3]["authors"], json!([{"network": "x", "id": "7"}]));
    assert_eq!(asked(&other, begin).await["commits"][0]["posts"], json!([4]));
    let rest = asked(&token, begin + 3).await;
    assert_eq!(rest["commits"].as_array().unwrap().len(), 1);
    // A commit that never was.
    assert_eq!(
        asked(&token, begin + 99).await,
        json!({"commit": begin + 4, "missed_before": null, "commits": []})
    );
}

#[tokio::test]
async fn what_an_account_keeps_is_told_to_it_alone() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let (_, other) = house.account("ben", Scope::Write).await;
    let mut events = Events::open(&house, &token, "").await;
    let mut others = Events::open(&house, &other, "").await;
    events.until("commit").await;
    others.until("commit").await;
    house.ask(Method::PUT, &token, "/reading/timeline", json!({"up_to": "1-1"})).await.ok();
    events.until("account").await;
    house.ask(Method::POST, &token, "/tokens", json!({"scope": "read"})).await.ok();
    events.until("account").await;
    house.database.add_filter(1, &NewFilter { text: "snow".into(), ..NewFilter::default() }).await.unwrap();
    while let Some(event) = others.next().await {
        assert_ne!(event.0, "account");
        if event.0 == "filters" {
            break;
        }
    }
}
