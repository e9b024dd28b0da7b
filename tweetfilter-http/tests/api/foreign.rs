//! Two accounts, all routes, ids of both: nobody ever sees or changes what is the other's.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use tweetfilter_sql::Scope;

use crate::house::{House, patient};
use crate::tokens::routes;

/// Numbers that look like chance, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// What there is of an account, and by which word everything of it is known.
struct Party {
    account: i64,
    token: String,
    token_number: i64,
    word: &'static str,
    filters: Vec<i64>,
}

async fn party(house: &House, name: &str, word: &'static str) -> Party {
    let (account, token) = house.account(name, Scope::Write).await;
    let mut filters = Vec::new();
    for n in 0..3 {
        filters.push(house.filter(account, &format!("{word}{n} OR snow")).await);
        let text = format!("Snow {word}{n}");
        house.post(&format!("{word}{n}"), &text, false, &[(account, &[filters[n]])]).await;
    }
    let got = house.ask(Method::POST, &token, "/feeds", json!({"filter": filters[0]})).await;
    got.ok();
    house.ask(Method::PUT, &token, "/sets/mine", json!({"terms": [format!("{word}term")]})).await.ok();
    let path = format!("/reading/{word}");
    house.ask(Method::PUT, &token, &path, json!({"up_to": "1-1"})).await.ok();
    let token_number = house.database.account_tokens(account).await.unwrap()[0].0.id;
    Party { account, token, token_number, word, filters }
}

/// A body for a route. One that is not known here fails, so that no new route is forgotten.
fn body(method: &Method, path: &str, chance: &mut Chance, filters: &[i64], posts: &[i64]) -> Value {
    let (filter, post) = (chance.of(filters), chance.of(posts));
    match (method.as_str(), path) {
        ("GET" | "DELETE", _) => Value::Null,
        ("POST", "/filters") => json!({"text": "snow", "name": "n"}),
        ("PATCH", "/filters/{id}") => json!({"text": "changed", "enabled": false}),
        ("PUT", "/filters/order") => json!({"ids": [filter]}),
        ("POST", "/check") if chance.below(2) == 0 => json!({"text": "snow", "filter": filter}),
        ("POST", "/check") => json!({"text": chance.of(&["@me snow", "{mine} snow"])}),
        ("POST", "/explain") if chance.below(2) == 0 => json!({"post": post, "text": "snow"}),
        ("POST", "/explain") => json!({"post": post, "filter": filter}),
        ("POST", "/search") => json!({"text": chance.of(&["snow", "{mine} OR snow"])}),
        ("POST", "/preview") => json!({"text": "snow", "filter": filter}),
        ("POST", "/import") => json!({"content": "snow\nice\n", "apply": chance.below(2) == 0}),
        ("POST", "/feeds") => json!({"filter": filter}),
        ("POST", "/dead-letters/retry") => json!({"ids": [1]}),
        ("POST", "/tokens") => json!({"scope": "read"}),
        ("PUT", "/sets/{name}") => json!({"terms": ["a"]}),
        ("PUT", "/reading/{name}") => json!({"up_to": "3-1"}),
        other => panic!("say here what to send to {other:?}"),
    }
}

/// What stands in the store about parts that have the names of both in theirs.
async fn noted(house: &House, words: &[&str]) {
    use tweetfilter_sql::{CrashEvent, ProcessRow, Sample, SampleKind};
    let at = tweetfilter_http::parts::now() / 15_000 * 15_000;
    for word in words {
        let part = format!("ingest {word}");
        let (host, name) = (format!("host-{word}"), format!("ingest {word}"));
        let figures = json!({"began": 0, "parts": {&part: {"lines": 70}}});
        let sample = |kind, name: &str, body: &Value| Sample {
            at,
            kind,
            host: host.clone(),
            name: name.to_owned(),
            body: body.to_string(),
        };
        let samples = [
            sample(SampleKind::Process, &name, &figures),
            sample(SampleKind::Host, "", &json!({"watched": {*word: {}}})),
        ];
        let body = json!({"command": "ingest", "parts": [{"name": part}]}).to_string();
        let process = ProcessRow { host: host.clone(), name: name.clone(), at, body };
        house.database.keep_samples(&samples, Some(&process)).await.unwrap();
        let crash = CrashEvent { part, at, reason: format!("of {word}"), backtrace: (*word).to_owned() };
        house.database.record_crash(&crash).await.unwrap();
    }
}

/// Everything that an account can see of itself.
async fn all_of(house: &House, party: &Party) -> Vec<Value> {
    let mut all = Vec::new();
    let paths = [
        "/filters",
        "/feeds",
        "/reading",
        "/tokens",
        "/timeline?hidden=true",
        "/export",
        "/sets",
        "/sets/mine",
    ];
    for path in paths {
        let mut got = house.get(&party.token, path).await.ok().clone();
        // When a token was used is noted behind a request.
        for token in got.as_array_mut().into_iter().flatten() {
            token.as_object_mut().unwrap().remove("used_at");
        }
        all.push(got);
    }
    all
}

#[tokio::test]
async fn nobody_sees_or_changes_what_is_the_others() {
    let options = tweetfilter_http::api::Options { rate: 1e9, burst: 1e9, ..patient() };
    let house = House::with(options).await;
    let ann = party(&house, "ann", "annalone").await;
    let ben = party(&house, "ben", "benalone").await;
    noted(&house, &[ann.word, ben.word]).await;
    let posts: Vec<i64> = (1..=8).collect();
    let routes: Vec<_> = routes()
        .into_iter()
        .filter_map(|(method, path, _)| Some((method, path.strip_prefix("/api/v1")?.to_owned())))
        .filter(|(_, path)| path != "/openapi.json")
        .collect();
    let mut answered = std::collections::HashSet::new();
    for (me, other) in [(&ann, &ben), (&ben, &ann)] {
        // Its owner may have removed it, when that was whose turn it was.
        let terms = json!({"terms": [format!("{}term", other.word)]});
        house.ask(Method::PUT, &other.token, "/sets/mine", terms).await.ok();
        let before = all_of(&house, other).await;
        let mut chance = Chance(me.account as u64);
        let mut filters = Vec::new();
        for step in 0..1_500 {
            if step % 20 == 0 {
                filters = other.filters.clone();
                let own = house.get(&me.token, "/filters").await;
                filters
                    .extend(own.ok().as_array().unwrap().iter().map(|filter| filter["id"].as_i64().unwrap()));
                filters.push(9999);
            }
            let (method, path) = &routes[chance.below(routes.len())];
            let body = body(method, path, &mut chance, &filters, &posts);
            let number = match path.split('/').nth(1) {
                // Its own is needed for the rest.
                Some("tokens") => chance.of(&[other.token_number, 3, 4, 5, 6]),
                Some("posts") => chance.of(&posts),
                Some("feeds") => chance.of(&[1, 2, 3, 4]),
                _ => chance.of(&filters),
            };
            let mut filled =
                path.replace("{id}", &number.to_string()).replace("{number}", &number.to_string());
            filled = filled.replace("{name}", chance.of(&[me.word, "x", "mine"]));
            if path == "/timeline" || path == "/live" {
                let query =
                    [String::new(), format!("?filter={}", chance.of(&filters)), "?hidden=true".to_owned()];
                filled.push_str(&query[chance.below(3)]);
            }
            if path == "/timeline" && !filled.contains('?') {
                filled.push_str(chance.of(&["?public=true", "?highlights=true", "?before=99-99", ""]));
            }
            if path == "/live" {
                filled.push_str(if filled.contains('?') { "&after=0" } else { "?after=0" });
            }
            let builder = Request::builder().method(method).uri(format!("/api/v1{filled}"));
            let builder = builder.header("authorization", format!("Bearer {}", me.token));
            let builder = builder.header("content-type", "application/json");
            let sent = body.to_string();
            let response =
                house.app.clone().oneshot(builder.body(Body::from(sent.clone())).unwrap()).await.unwrap();
            let status = response.status();
            assert!(!status.is_server_error(), "{method} {filled} {sent}: {status}");
            // A stream does not end; what it has to tell at first comes at once.
            let mut text = Vec::new();
            let mut chunks = response.into_body().into_data_stream();
            let wait = Duration::from_millis(if path == "/live" { 30 } else { 5_000 });
            while let Ok(Some(chunk)) = tokio::time::timeout(wait, chunks.next()).await {
                text.extend_from_slice(&chunk.unwrap());
            }
            let text = String::from_utf8(text).unwrap();
            // What was sent may be named in an error.
            let named = filled.contains(other.word);
            assert!(named || !text.contains(other.word), "{method} {filled} {sent}: {text}");
            if status.is_success() {
                answered.insert((method.clone(), path.clone()));
            }
        }
        // Whatever was tried, nothing of the other changed.
        assert_eq!(all_of(&house, other).await, before);
    }
    // What is of all accounts is for those alone who run the server.
    let own = |(_, path): &&(Method, String)| !path.starts_with("/dead-letters");
    let silent: Vec<_> = routes.iter().filter(own).filter(|route| !answered.contains(route)).collect();
    assert!(!answered.iter().any(|route| !own(&route)));
    assert!(silent.is_empty(), "never answered: {silent:?}");
}
