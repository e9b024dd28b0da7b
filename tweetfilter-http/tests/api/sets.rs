//! Named sets: how many and how large, and that an account's own are nobody else's.

use std::time::Instant;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tweetfilter_http::api::Options;
use tweetfilter_sql::{NewFilter, Scope};

use crate::house::{House, patient, request};

#[tokio::test]
async fn an_account_has_so_many_sets_and_so_large_ones() {
    let house = House::with(Options { sets: 2, set_bytes: 60, ..patient() }).await;
    let (_, ann) = house.account("ann", Scope::Write).await;
    let (_, ben) = house.account("ben", Scope::Write).await;
    let put = async |token: &str, name: &str, terms: &[&str]| {
        house.ask(Method::PUT, token, &format!("/sets/{name}"), json!({"terms": terms})).await
    };
    put(&ann, "a", &["oslo"]).await.ok();
    put(&ann, "b", &["rome"]).await.ok();
    let got = put(&ann, "c", &["bonn"]).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "too_many_sets"));
    assert!(got.json["error"]["message"].as_str().unwrap().contains("has 2 named sets"), "{got:?}");
    // One that is there can be replaced, within what all may have together.
    put(&ann, "b", &["rome", "paris"]).await.ok();
    // Names count as well: what is there beside it has five bytes, and its own name one.
    let long = "x".repeat(55);
    let got = put(&ann, "b", &[&long]).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "sets_too_large"));
    assert!(got.json["error"]["message"].as_str().unwrap().contains("and may have 60"), "{got:?}");
    assert_eq!(house.get(&ann, "/sets/b").await.ok()["terms"], json!(["rome", "paris"]));
    put(&ann, "b", &[&long[1..]]).await.ok();
    // Each account has its own.
    put(&ben, "b", &[&long]).await.ok();
    house.ask(Method::DELETE, &ann, "/sets/a", Value::Null).await.ok();
    put(&ann, "c", &["bonn"]).await.ok();
    let limits = &house.get(&ann, "/me").await.ok()["limits"].clone();
    assert_eq!((&limits["sets"], &limits["set_bytes"]), (&json!(2), &json!(60)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_removes_a_set_is_told_which_filters_name_it() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let put = async |name: &str| {
        house.ask(Method::PUT, &token, &format!("/sets/{name}"), json!({"terms": ["oslo"]})).await.ok();
    };
    for name in ["cities", "lone", "shared"] {
        put(name).await;
    }
    for text in ["{cities} snow", "rain -{cities}", "\"{lone}\" hail", "{lone}", "{shared}"] {
        house.filter(ann, text).await;
    }
    let off = house.filter(ann, "{cities}").await;
    house.ask(Method::PATCH, &token, &format!("/filters/{off}"), json!({"enabled": false})).await.ok();
    let ended = NewFilter { text: "{cities} fog".into(), expires_at: Some(1), ..NewFilter::default() };
    house.database.add_filter(ann, &ended).await.unwrap();
    house.database.set_named(None, "shared", "rome").await.unwrap();
    for (name, said) in [
        ("cities", "Removed; 2 filters name it and are not used until it is there again"),
        ("lone", "Removed; 1 filter names it and is not used until it is there again"),
        ("shared", "Removed; 1 filter names it and means the set for all of this name now"),
    ] {
        let got = house.ask(Method::DELETE, &token, &format!("/sets/{name}"), Value::Null).await;
        assert_eq!(got.json["summary"]["text"], json!(said), "{got:?}");
    }
    put("other").await;
    let got = house.ask(Method::DELETE, &token, "/sets/other", Value::Null).await;
    assert_eq!(got.json["summary"]["text"], json!("Removed"));
}

/// The store prices all filters of an account for each, which takes longer the longer its lists are.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_put_sets_beside_long_ones_at_the_same_moment_do_so_one_after_the_other() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    for n in 0..3 {
        let terms: String = (0..10_000).map(|term| format!("word{term} of{n}\n")).collect();
        house.database.set_named(Some(ann), &format!("long{n}"), &terms).await.unwrap();
    }
    let put = async |house: &House, n: usize| {
        house.ask(Method::PUT, &token, &format!("/sets/s{n}"), json!({"terms": [format!("snow{n}")]})).await
    };
    let many = 10 * std::thread::available_parallelism().map_or(1, usize::from);
    let mut kept = Vec::new();
    // Alone each has time enough; at the same moment, none would. A busy machine may hold up some of them.
    while kept.iter().all(|kept| *kept <= many / 2) {
        assert!(kept.len() < 5, "of {many} each time: {kept:?}");
        // What one takes alone, on this machine at this moment.
        let begun = Instant::now();
        put(&house, 0).await.ok();
        let store_time = begun.elapsed() * 5;
        let hasty = House::over(house.database.clone(), Options { store_time, ..patient() });
        let all = (0..many).map(|n| put(&hasty, n));
        let answers = futures_util::future::join_all(all).await;
        kept.push(answers.iter().filter(|got| got.status == StatusCode::OK).count());
    }
}

#[tokio::test]
async fn what_is_too_large_already_can_be_made_smaller() {
    let house = House::with(Options { set_bytes: 20, ..patient() }).await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    house.database.set_named(Some(ann), "towns", &"oslo\n".repeat(20)).await.unwrap();
    let terms: Vec<_> = (0..15).map(|n| format!("t{n}")).collect();
    house.ask(Method::PUT, &token, "/sets/towns", json!({"terms": terms})).await.ok();
    let terms: Vec<_> = (0..16).map(|n| format!("t{n}")).collect();
    let got = house.ask(Method::PUT, &token, "/sets/towns", json!({"terms": terms})).await;
    assert_eq!(got.error(), "sets_too_large");
}

#[tokio::test]
async fn nothing_of_another_accounts_set_can_be_asked_for() {
    let house = House::new().await;
    let (_, ann) = house.account("ann", Scope::Write).await;
    let (_, ben) = house.account("ben", Scope::Write).await;
    let post = house.post("1", "Snow in Oslo", true, &[]).await;
    house.ask(Method::PUT, &ann, "/sets/private", json!({"terms": ["oslo"]})).await.ok();
    let hers = json!({"post": post, "text": "{private}"});
    assert_eq!(house.ask(Method::POST, &ann, "/explain", hers).await.ok()["matched"], true);
    // To ben there is no such set, as there is none that nobody has; whoever asked before him.
    let mut said = Vec::new();
    for name in ["private", "privata"] {
        let got = house.ask(Method::POST, &ben, "/check", json!({"text": format!("{{{name}}} snow")})).await;
        said.push(got.ok().to_string().replace(name, "NAME"));
        for (path, body) in [
            ("/search", json!({"text": format!("{{{name}}}")})),
            ("/preview", json!({"text": format!("{{{name}}}")})),
            ("/explain", json!({"post": post, "text": format!("{{{name}}}")})),
            ("/filters", json!({"text": format!("{{{name}}}")})),
        ] {
            let got = house.ask(Method::POST, &ben, path, body).await;
            assert_eq!(got.error(), "set_unknown", "{path}");
            said.push(got.json.to_string().replace(name, "NAME"));
        }
        let got = house.get(&ben, &format!("/sets/{name}")).await;
        assert_eq!(got.error(), "not_found");
        said.push(got.json.to_string().replace(name, "NAME"));
    }
    let (one, other) = said.split_at(said.len() / 2);
    assert_eq!(one, other);
    assert!(!said.concat().contains("oslo"));
}

#[tokio::test]
async fn blank_terms_are_none() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let got = house.ask(Method::PUT, &token, "/sets/towns", json!({"terms": ["", "oslo", "  "]})).await;
    assert_eq!((got.ok(), &got.json["summary"]["count"]), (&json!({"terms": ["oslo"]}), &json!(1)));
    let got = house.ask(Method::PUT, &token, "/sets/ok", json!({"terms": [""]})).await;
    assert_eq!((got.ok(), &got.json["summary"]["text"]), (&json!({"terms": []}), &json!("0 terms")));
}

#[tokio::test]
async fn sets_that_are_as_they_were_are_not_sent_again() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let put = async |terms: &[&str]| {
        house.ask(Method::PUT, &token, "/sets/towns", json!({"terms": terms})).await.ok();
    };
    put(&["oslo"]).await;
    let again = async |path: &str, tag: &str| {
        let mut asked = request(Method::GET, path, &token, None);
        asked.headers_mut().insert("if-none-match", tag.parse().unwrap());
        house.send(asked).await
    };
    let mut tags = Vec::new();
    for path in ["/sets", "/sets/towns"] {
        let got = house.get(&token, path).await;
        got.ok();
        tags.push((path, got.headers["etag"].to_str().unwrap().to_owned()));
    }
    for (path, tag) in &tags {
        assert_eq!(again(path, tag).await.status, StatusCode::NOT_MODIFIED, "{path}");
    }
    put(&["rome"]).await;
    for (path, tag) in &tags {
        again(path, tag).await.ok();
    }
    assert_eq!(again("/sets/none", &tags[1].1).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_set_that_is_to_be_new_replaces_none() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let (_, other) = house.account("ben", Scope::Write).await;
    house.database.set_named(None, "shared", "oslo").await.unwrap();
    let put = async |token: &str, name: &str, term: &str, known: Option<&str>| {
        let path = format!("/sets/{name}");
        let mut asked = request(Method::PUT, &path, token, Some(json!({"terms": [term]})));
        if let Some(known) = known {
            asked.headers_mut().insert("if-none-match", known.parse().unwrap());
        }
        house.send(asked).await
    };
    put(&token, "towns", "oslo", Some("*")).await.ok();
    for name in ["towns", "shared"] {
        let got = put(&token, name, "rome", Some("*")).await;
        assert_eq!((got.status, got.error()), (StatusCode::PRECONDITION_FAILED, "set_exists"), "{name}");
        assert_eq!(house.get(&token, &format!("/sets/{name}")).await.ok()["terms"], json!(["oslo"]));
    }
    // Another account has none of this name, and without the header it is replaced.
    put(&other, "towns", "bonn", Some("*")).await.ok();
    put(&token, "towns", "rome", None).await.ok();
    assert_eq!(house.get(&token, "/sets/towns").await.ok()["terms"], json!(["rome"]));
    let got = put(&token, "towns", "paris", Some("W/\"1-1\"")).await;
    assert_eq!((got.status, got.error()), (StatusCode::BAD_REQUEST, "bad_request"));
}

#[tokio::test]
async fn what_is_kept_is_answered_with_the_tag_of_it() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    house.database.set_named(None, "towns", "bergen").await.unwrap();
    let put = async |term: &str, known: Option<&str>| {
        let mut asked = request(Method::PUT, "/sets/towns", &token, Some(json!({"terms": [term]})));
        if let Some(known) = known {
            asked.headers_mut().insert("if-match", known.parse().unwrap());
        }
        let got = house.send(asked).await;
        (got.status, got.headers.get("etag").map(|tag| tag.to_str().unwrap().to_owned()))
    };
    let mut known = None;
    for term in ["oslo", "rome", "bonn"] {
        let (status, tag) = put(term, known.as_deref()).await;
        assert_eq!((status, tag.is_some()), (StatusCode::OK, true), "{term}");
        assert_ne!(tag, known, "{term}");
        let got = house.get(&token, "/sets/towns").await;
        assert_eq!(got.ok()["terms"], json!([term]));
        assert_eq!(got.headers["etag"].to_str().ok(), tag.as_deref(), "{term}");
        known = tag;
    }
    house.ask(Method::PUT, &token, "/sets/towns", json!({"terms": ["paris"]})).await.ok();
    assert_eq!(put("lyon", known.as_deref()).await, (StatusCode::PRECONDITION_FAILED, None));
}
