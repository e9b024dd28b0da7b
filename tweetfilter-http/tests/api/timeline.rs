//! What an account saw, page by page.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use tweetfilter_http::api::Options;
use tweetfilter_sql::{LookBack, Scope};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Outcome, Said, Store, Verdict};

use crate::house::{House, patient, request};

fn ids(posts: &Value) -> Vec<String> {
    posts.as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let filter = house.filter(ann, "snow").await;
    for n in 0..25 {
        let matched: &[i64] = if n % 3 == 0 { &[filter] } else { &[] };
        // Everybody sees every fifth; those that match are delivered, the others are there to be seen.
        let public = n % 5 == 0;
        let seen: &[(i64, &[i64])] = if public && matched.is_empty() { &[] } else { &[(ann, matched)] };
        house.post(&n.to_string(), "Snow in Oslo", public, seen).await;
    }
    for (query, expected) in [
        ("", (0..25).rev().filter(|n| n % 5 != 0 || n % 3 == 0).collect::<Vec<_>>()),
        ("&public=true", (0..25).rev().collect()),
        (&format!("&filter={filter}")[..], (0..25).rev().filter(|n| n % 3 == 0).collect()),
    ] {
        let (mut all, mut before) = (Vec::new(), String::new());
        loop {
            let got = house.get(&token, &format!("/timeline?limit=4{query}{before}")).await;
            all.extend(ids(got.ok()));
            match got.json["summary"]["next"].as_str() {
                Some(next) => before = format!("&before={next}"),
                None => break,
            }
        }
        let expected: Vec<_> = expected.into_iter().map(|n: i32| n.to_string()).collect();
        assert_eq!(all, expected, "{query}");
    }
}

#[tokio::test]
async fn what_was_found_is_marked_where_it_is_asked_for() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let filter = house.filter(ann, "snow oslo").await;
    house.post("7", "Über Oslo: <b>Snow</b>", false, &[(ann, &[filter])]).await;
    let got = house.get(&token, "/timeline?highlights=true").await;
    let post = &got.ok()[0];
    assert_eq!(
        post["content"]["segments"],
        json!([
            {"text": "Über ", "mark": false}, {"text": "Oslo", "mark": true}, {"text": ": <b>", "mark": false},
            {"text": "Snow", "mark": true}, {"text": "</b>", "mark": false},
        ])
    );
    assert_eq!((&post["filters"], &post["highlighted"]), (&json!([filter]), &json!(true)));
    assert_eq!(post["url"], "https://x.com/bob/status/7");
    let number = post["number"].as_i64().unwrap();
    let got = house.get(&token, &format!("/posts/{number}")).await;
    assert_eq!(got.ok()["content"]["segments"][1]["text"], "Oslo");
    assert_eq!(got.ok()["filters"], json!([filter]));
}

#[tokio::test]
async fn a_wrong_request_is_refused_also_where_its_tag_is_known() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let (bob, _) = house.account("bob", Scope::Read).await;
    let (own, other) = (house.filter(ann, "snow").await, house.filter(bob, "snow").await);
    house.post("1", "a", false, &[(ann, &[])]).await;
    let tag = house.get(&token, "/timeline").await.headers["etag"].clone();
    let asked = async |query: &str| {
        let mut request = request(Method::GET, &format!("/timeline?{query}"), &token, None);
        request.headers_mut().insert("if-none-match", tag.clone());
        house.send(request).await.status
    };
    assert_eq!(asked(&format!("filter={own}")).await, StatusCode::NOT_MODIFIED);
    for query in [
        &format!("filter={own}&public=true")[..],
        "limit=0",
        "limit=201",
        "before=x",
        "made-up=1",
        "hidden=2",
    ] {
        assert_eq!(asked(query).await, StatusCode::BAD_REQUEST, "{query}");
    }
    for filter in [other, 99] {
        assert_eq!(asked(&format!("filter={filter}")).await, StatusCode::NOT_FOUND, "{filter}");
    }
}

#[tokio::test]
async fn an_unchanged_timeline_is_not_sent_again() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    house.post("1", "a", false, &[(ann, &[])]).await;
    let again = async |tag: &HeaderValue| {
        let mut request = request(Method::GET, "/timeline", &token, None);
        request.headers_mut().insert("if-none-match", tag.clone());
        house.send(request).await
    };
    let first = house.get(&token, "/timeline").await.headers["etag"].clone();
    assert_eq!(again(&first).await.status, StatusCode::NOT_MODIFIED);
    house.post("2", "b", false, &[(ann, &[])]).await;
    let second = again(&first).await;
    assert_eq!(ids(second.ok()), ["2", "1"]);
    // What is deleted is gone from whatever is asked for next, with the tags of both answers that had it.
    let change = Change::Delete { network: "x".into(), id: "1".into() };
    let changes = vec![Said { change, at: 0 }];
    house.database.commit(&Outcome { changes, ..Outcome::default() }, &[]).await.unwrap();
    for tag in [&first, &second.headers["etag"]] {
        assert_eq!(ids(again(tag).await.ok()), ["2"]);
    }
}

#[tokio::test]
async fn what_is_decided_anew_or_forgotten_is_sent_again() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let filter = house.filter(ann, "snow").await;
    house.post("1", "Snow", false, &[(ann, &[])]).await;
    house.post("2", "Rain", false, &[(ann, &[])]).await;
    let again = async |tag: &HeaderValue| {
        let mut request = request(Method::GET, "/timeline", &token, None);
        request.headers_mut().insert("if-none-match", tag.clone());
        house.send(request).await
    };
    let first = house.get(&token, "/timeline").await;
    assert_eq!(again(&first.headers["etag"]).await.status, StatusCode::NOT_MODIFIED);
    let look_back = async || {
        let mut reapply = house.database.reapply(LookBack::default()).await.unwrap();
        loop {
            let stepped = house.database.reapply_step(&mut reapply).await.unwrap();
            match stepped.wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None if stepped.done => break,
                None => {}
            }
        }
    };
    look_back().await;
    let second = again(&first.headers["etag"]).await;
    assert_eq!(second.ok()[1]["filters"], json!([filter]));
    // Nothing is another when it is done again.
    look_back().await;
    assert_eq!(again(&second.headers["etag"]).await.status, StatusCode::NOT_MODIFIED);
    house.database.forget_oldest().await.unwrap();
    assert_eq!(again(&second.headers["etag"]).await.ok(), &json!([]));
}

#[tokio::test]
async fn a_page_ends_early_where_nearly_all_is_hidden() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    house.post("shown", "Snow", false, &[(ann, &[])]).await;
    let hidden = Verdict { hidden: true, ..Verdict::default() };
    for n in 0..40 {
        let ids: Vec<_> = (0..1_000).map(|post| format!("{n}-{post}")).collect();
        house.decided(&ids, hidden, ann).await;
    }
    let got = house.get(&token, "/timeline?limit=5").await;
    assert_eq!(got.ok(), &json!([]), "so much is not read at once");
    let (mut pages, mut next) = (1, got.json["summary"]["next"].clone());
    while let Some(before) = next.as_str() {
        let got = house.get(&token, &format!("/timeline?limit=5&before={before}")).await;
        next = got.json["summary"]["next"].clone();
        pages += 1;
        if next.is_null() {
            assert_eq!(ids(got.ok()), ["shown"]);
        }
    }
    assert_eq!(pages, 3);
    let got = house.get(&token, "/timeline?limit=5&hidden=true").await;
    assert_eq!(ids(got.ok())[0], "39-999");
}

#[tokio::test]
async fn nonsense_is_refused_with_a_way_out() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Read).await;
    for query in ["limit=0", "limit=1000", "limit=x", "before=x", "colour=red", "filter=1&public=true"] {
        let got = house.get(&token, &format!("/timeline?{query}")).await;
        assert_eq!((got.status, got.error()), (StatusCode::BAD_REQUEST, "bad_request"), "{query}");
    }
    assert_eq!(house.get(&token, "/timeline?filter=99").await.error(), "not_found");
    assert_eq!(house.get(&token, "/posts/99").await.error(), "not_found");
    let got = house.get(&token, "/posts/x").await;
    assert_eq!((got.status, got.error()), (StatusCode::BAD_REQUEST, "bad_request"));
    assert_eq!(got.json["error"]["message"], "`number` in the address must be a whole number, and is `x`");
    let message =
        async |path: &str| house.get(&token, path).await.json["error"]["message"].as_str().map(str::to_owned);
    let said = message("/export?format=own").await.unwrap();
    assert!(said.starts_with("The parameter `format` must be one of `auto`, "), "{said}");
    let said = message("/timeline?limit=x").await.unwrap();
    assert!(said.starts_with("The parameter `limit` must be a whole number"), "{said}");
    let got = house.ask(Method::POST, &token, "/check", json!(7)).await;
    assert_eq!(got.json["error"]["message"], "The body must be a JSON object, and is `7`");
    let got = house.ask(Method::POST, &token, "/check", json!({"dialect": "x"})).await;
    assert_eq!(got.json["error"]["message"], "`text` is missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_has_nothing_newer_than_the_commit_that_it_names() {
    // It is asked without a pause.
    let house = House::with(Options { rate: 1e9, burst: 1e9, ..patient() }).await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let filter = house.filter(ann, "snow").await;
    let got = house.ask(Method::POST, &token, "/feeds", json!({"filter": filter})).await;
    let feed = got.ok()["json"].as_str().unwrap().to_owned();
    let ended = std::sync::atomic::AtomicBool::new(false);
    let store = async {
        for n in 0..300 {
            let public = n % 2 == 0;
            house.post(&format!("p{n}"), "Snow", public, &[(ann, &[filter])]).await;
        }
        ended.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let read = async || {
        while !ended.load(std::sync::atomic::Ordering::SeqCst) {
            for path in ["/timeline", "/timeline?public=true", &format!("/timeline?filter={filter}")] {
                let got = house.get(&token, path).await;
                let commit = got.json["summary"]["commit"].as_i64().unwrap();
                let newest =
                    got.ok().as_array().unwrap().iter().map(|post| post["commit"].as_i64().unwrap()).max();
                assert!(newest.is_none_or(|newest| newest <= commit), "{path}: {commit} {newest:?}");
            }
            let asked = Request::builder().uri(&feed).body(Body::empty()).unwrap();
            assert_eq!(house.send(asked).await.status, StatusCode::OK);
        }
    };
    tokio::join!(store, read(), read(), read());
    let got = house.get(&token, "/timeline?public=true&limit=200").await;
    assert_eq!(got.ok().as_array().unwrap().len(), 200);
}
