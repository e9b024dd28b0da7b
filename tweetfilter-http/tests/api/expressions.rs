//! Searches, previews and explanations of expressions.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use tweetfilter_http::api::Options;
use tweetfilter_sql::Scope;
use tweetfilter_stream::store::{Delivery, Verdict};

use crate::house::{House, patient, request};
use crate::live::Events;

async fn with_posts() -> (House, String, i64) {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let (ben, _) = house.account("ben", Scope::Write).await;
    for n in 0..40 {
        let text = if n % 4 == 0 { "Snow in Oslo" } else { "Rain in Rome" };
        // Of each four ann sees one herself, and two as everybody; one is for ben alone.
        match n % 4 {
            0 => house.post(&n.to_string(), text, false, &[(ann, &[])]).await,
            1 => house.post(&n.to_string(), text, false, &[(ben, &[])]).await,
            _ => house.post(&n.to_string(), text, true, &[]).await,
        };
    }
    let filter = house.filter(ann, "rain").await;
    (house, token, filter)
}

#[tokio::test]
async fn a_search_finds_all_that_was_seen_page_by_page() {
    let (house, token, _) = with_posts().await;
    let (mut found, mut before) = (Vec::new(), Value::Null);
    loop {
        let body = json!({"text": "rain OR snow", "limit": 7, "before": before});
        let got = house.ask(Method::POST, &token, "/search", body).await;
        found.extend(got.ok().as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap().to_owned()));
        assert!(got.json["summary"]["searched_back_to"].is_string(), "{got:?}");
        before = got.json["summary"]["next"].clone();
        if before.is_null() {
            break;
        }
    }
    let expected: Vec<_> = (0..40).rev().filter(|n| n % 4 != 1).map(|n| n.to_string()).collect();
    assert_eq!(found, expected);
    let got = house.ask(Method::POST, &token, "/search", json!({"text": "snow"})).await;
    assert_eq!(got.ok()[0]["content"]["segments"][0], json!({"text": "Snow", "mark": true}));
    let got = house.ask(Method::POST, &token, "/search", json!({"text": "(snow"})).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "missing_parenthesis"));
}

#[tokio::test]
async fn a_preview_says_what_would_be_found_and_what_would_change() {
    let (house, token, filter) = with_posts().await;
    let body = json!({"text": "oslo OR rome", "filter": filter, "action": "hide", "samples": 3});
    let got = house.ask(Method::POST, &token, "/preview", body).await;
    let preview = got.ok();
    assert_eq!((&preview["looked_at"], &preview["matched"]), (&json!(30), &json!(30)));
    assert_eq!(preview["share"], 1.0);
    assert_eq!(
        (&preview["against_saved"]["adds"], &preview["against_saved"]["drops"]),
        (&json!(10), &json!(0))
    );
    assert_eq!(preview["samples"].as_array().unwrap().len(), 3);
    assert_eq!(preview["against_saved"]["added"][0]["content"]["segments"][1]["text"], "Oslo");
    let text = got.json["summary"]["text"].as_str().unwrap();
    assert!(
        text.starts_with("30 of 30 posts")
            && text.ends_with("would hide 100 % of your timeline, 10 of 10 posts"),
        "{text}"
    );
    let body = json!({"text": "snow", "posts": 8, "filter": filter});
    let got = house.ask(Method::POST, &token, "/preview", body).await;
    assert_eq!((&got.ok()["looked_at"], &got.ok()["matched"]), (&json!(8), &json!(2)));
    assert_eq!(got.ok()["against_saved"]["drops"], 6);
    assert_eq!(got.ok()["against_saved"]["dropped"][0]["content"]["segments"][0]["mark"], true);
    let got = house.ask(Method::POST, &token, "/preview", json!({"text": "a", "posts": 0})).await;
    assert_eq!(got.error(), "bad_request");
    let got = house.ask(Method::POST, &token, "/preview", json!({"text": "a", "filter": 99})).await;
    assert_eq!(got.error(), "not_found");
}

#[tokio::test]
async fn a_saved_filter_that_can_not_be_used_is_not_compared() {
    let (house, token, _) = with_posts().await;
    house.ask(Method::PUT, &token, "/sets/cities", json!({"terms": ["oslo"]})).await.ok();
    let got = house.ask(Method::POST, &token, "/filters", json!({"text": "{cities} snow"})).await;
    let filter = got.ok()["id"].clone();
    house.ask(Method::DELETE, &token, "/sets/cities", json!({})).await.ok();
    let preview = async |text: &str| {
        let body = json!({"text": text, "filter": filter});
        house.ask(Method::POST, &token, "/preview", body).await
    };
    let got = preview("snow").await;
    assert_eq!((&got.ok()["matched"], &got.ok()["against_saved"]), (&json!(10), &Value::Null));
    let gone = json!({"code": "set_unknown", "message": "There is no set named cities"});
    assert_eq!(got.ok()["saved_unused"], gone);
    let text = got.json["summary"]["text"].as_str().unwrap();
    assert!(text.ends_with("; the saved filter can't be compared: There is no set named cities"), "{text}");
    // What is wrong with the text itself is said of it.
    assert_eq!(preview("(a").await.error(), "missing_parenthesis");
    house.ask(Method::PUT, &token, "/sets/cities", json!({"terms": ["oslo"]})).await.ok();
    let got = preview("snow").await;
    assert_eq!((&got.ok()["saved_unused"], &got.ok()["against_saved"]["adds"]), (&Value::Null, &json!(0)));
}

#[tokio::test]
async fn what_would_be_hidden_is_counted_in_the_timeline() {
    let (house, token, filter) = with_posts().await;
    let ann = house.database.account("ann").await.unwrap().unwrap();
    let preview = async |text: &str, action: &str| {
        let body = json!({"text": text, "action": action});
        house.ask(Method::POST, &token, "/preview", body).await
    };
    // The public ones that say rain stand in nobody's timeline.
    let got = preview("rain", "hide").await;
    assert_eq!((&got.ok()["matched"], &got.ok()["share"]), (&json!(20), &json!(2.0 / 3.0)));
    assert_eq!(got.ok()["would_hide"], json!({"posts": 0, "of": 10, "share": 0.0}));
    // One that a filter of hers matched does.
    house.post("a", "Rain in Rome", true, &[(ann, &[filter])]).await;
    house.post("b", "Rain in Rome", true, &[]).await;
    let got = preview("rain", "hide").await;
    assert_eq!(got.ok()["would_hide"], json!({"posts": 1, "of": 11, "share": 1.0 / 11.0}));
    let text = got.json["summary"]["text"].as_str().unwrap();
    assert!(text.ends_with("; would hide 9 % of your timeline, 1 of 11 posts"), "{text}");
    let rows = house.get(&token, "/timeline?hidden=true&limit=200").await;
    assert_eq!(rows.ok().as_array().unwrap().len(), 11, "as many as there are rows");
    assert_eq!(preview("rain", "show").await.ok()["would_hide"], Value::Null);
    let (_, empty) = house.account("cleo", Scope::Read).await;
    let body = json!({"text": "rain", "action": "hide"});
    let got = house.ask(Method::POST, &empty, "/preview", body).await;
    let text = got.json["summary"]["text"].as_str().unwrap();
    assert!(text.ends_with("; none of these posts is seen in your timeline"), "{text}");
}

#[tokio::test]
async fn what_would_be_hidden_goes_by_the_order_of_the_filters() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let add = async |text: &str, action: &str| {
        let got = house.ask(Method::POST, &token, "/filters", json!({"text": text, "action": action})).await;
        got.ok()["id"].as_i64().unwrap()
    };
    let (shows, hides) = (add("oslo", "show").await, add("rain", "hide").await);
    let keep = async |id: &str, text: &str, filters: &[i64]| {
        let hidden = filters.first() == Some(&hides);
        let verdict = Verdict { hidden, ..Verdict::default() };
        let filters = filters.to_vec();
        let delivery = Delivery { account: ann, verdict, filters, seen: true };
        House::stored(&house.database, &[id.to_owned()], text, false, &[delivery]).await
    };
    keep("1", "Snow in Oslo", &[shows]).await;
    keep("2", "Snow and rain in Oslo", &[shows, hides]).await;
    keep("3", "Snow and rain", &[hides]).await;
    keep("4", "Snow", &[]).await;
    keep("5", "Hail", &[]).await;
    let would_hide = async |text: &str, filter: Option<i64>| {
        let body = json!({"text": text, "action": "hide", "filter": filter});
        let got = house.ask(Method::POST, &token, "/preview", body).await;
        (got.ok()["would_hide"]["posts"].clone(), got.ok()["would_hide"]["of"].clone())
    };
    // Behind the others: what the first one shows stays, and the third is hidden already.
    assert_eq!(would_hide("snow", None).await, (json!(1), json!(4)));
    assert_eq!(would_hide("oslo", None).await, (json!(0), json!(4)));
    assert_eq!(would_hide("rain", None).await, (json!(0), json!(4)));
    // In the place of the first, it comes before what hides; in the place of the second, behind what shows.
    assert_eq!(would_hide("snow", Some(shows)).await, (json!(3), json!(4)));
    assert_eq!(would_hide("snow", Some(hides)).await, (json!(1), json!(4)));
    // What the first one kept in sight falls to the second.
    assert_eq!(would_hide("hail", Some(shows)).await, (json!(2), json!(4)));
}

#[tokio::test]
async fn a_search_whose_time_is_over_goes_on_where_it_stopped() {
    // Each slice is over before it begins: it comes one post further all the same.
    let options = Options { slice: std::time::Duration::ZERO, rate: 1e9, burst: 1e9, ..patient() };
    let house = House::with(options).await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    for n in 0..3 {
        let ids: Vec<_> = (0..10).map(|post| format!("{}", n * 10 + post)).collect();
        house.posts(&ids, if n == 1 { "Rain" } else { "Snow" }, false, &[(ann, &[])]).await;
    }
    let (mut found, mut before, mut slices) = (Vec::new(), Value::Null, 0);
    loop {
        let body = json!({"text": "snow", "limit": 7, "before": before});
        let got = house.ask(Method::POST, &token, "/search", body).await;
        found.extend(got.ok().as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap().to_owned()));
        slices += 1;
        assert!(slices <= 30, "it does not come further: {found:?}");
        before = got.json["summary"]["next"].clone();
        if before.is_null() {
            break;
        }
    }
    let expected: Vec<_> = (20..30).rev().chain((0..10).rev()).map(|n: i32| n.to_string()).collect();
    assert_eq!((found, slices), (expected, 30));
}

#[tokio::test]
async fn a_preview_whose_time_is_over_says_that_there_was_more() {
    let hasty = House::with(Options { preview: Duration::ZERO, ..patient() }).await;
    let (ann, token) = hasty.account("ann", Scope::Read).await;
    hasty.post("1", "Snow", false, &[(ann, &[])]).await;
    let other = House::over(hasty.database.clone(), patient());
    for (house, looked_at, cut_short) in [(&hasty, 0, true), (&other, 1, false)] {
        let got = house.ask(Method::POST, &token, "/preview", json!({"text": "snow"})).await;
        assert_eq!((&got.ok()["looked_at"], &got.ok()["cut_short"]), (&json!(looked_at), &json!(cut_short)));
    }
}

#[tokio::test]
async fn a_preview_is_told_as_it_is_found_to_those_who_ask_for_events() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let filter = house.filter(ann, "snow").await;
    for n in 0..20 {
        let ids: Vec<_> = (0..200).map(|post| format!("{n}-{post}")).collect();
        house.posts(&ids, if n % 2 == 0 { "Snow in Oslo" } else { "Rain in Rome" }, true, &[]).await;
    }
    let body = json!({"text": "oslo OR rome", "filter": filter, "posts": 3_500, "samples": 3});
    let whole = house.ask(Method::POST, &token, "/preview", body.clone()).await;
    assert_eq!((&whole.ok()["looked_at"], &whole.ok()["cut_short"]), (&json!(3_500), &json!(false)));

    let mut asked = request(Method::POST, "/preview", &token, Some(body));
    asked.headers_mut().insert("accept", "application/json;q=0.5, text/event-stream".parse().unwrap());
    let mut events = Events::of(house.app.clone().oneshot(asked).await.unwrap());
    let (mut names, mut last) = (Vec::new(), Value::Null);
    while let Some((name, _, answer)) = events.next().await {
        let looked_at = |answer: &Value| answer["data"]["looked_at"].as_u64();
        assert!(looked_at(&answer) > looked_at(&last), "each tells more than the one before");
        assert_eq!(answer["data"]["samples"].as_array().unwrap().len(), 3, "there are samples at once");
        names.push(name);
        last = answer;
    }
    assert!(names.len() > 1 && names.pop().unwrap() == "done", "{names:?}");
    assert!(names.iter().all(|name| name == "preview"));
    assert_eq!(last, whole.json, "the last one is the whole answer");

    // What is wrong with the request is answered as always.
    let mut asked = request(Method::POST, "/preview", &token, Some(json!({"text": "(a"})));
    asked.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
    assert_eq!(house.send(asked).await.error(), "missing_parenthesis");
}

#[tokio::test]
async fn an_explanation_says_why_and_what_is_lacking() {
    let (house, token, filter) = with_posts().await;
    let got = house.get(&token, "/timeline?limit=1").await;
    let number = got.ok()[0]["number"].clone();
    let body = json!({"post": number, "text": "snow -rome (oslo OR bergen)"});
    let got = house.ask(Method::POST, &token, "/explain", body).await;
    let explained = got.ok();
    assert_eq!((&explained["matched"], &explained["parts"][0]["written"]), (&json!(true), &json!("snow")));
    let place = &explained["parts"][0]["places"][0];
    assert_eq!((&place["field"], &place["text"]), (&json!("text"), &json!("Snow")));
    assert_eq!(place["span"]["utf16"], json!([0, 4]));
    assert_eq!(explained["segments"][0], json!({"text": "Snow", "mark": true}));
    let got = house.ask(Method::POST, &token, "/explain", json!({"post": number, "filter": filter})).await;
    assert_eq!((&got.ok()["matched"], &got.ok()["each_suffices"]), (&json!(false), &json!(true)));
    assert_eq!(got.ok()["parts"][0]["written"], "rain");
    for body in [json!({"post": number}), json!({"post": number, "filter": filter, "text": "a"})] {
        assert_eq!(house.ask(Method::POST, &token, "/explain", body).await.error(), "bad_request");
    }
    let got = house.ask(Method::POST, &token, "/explain", json!({"post": 9999, "text": "a1"})).await;
    assert_eq!(got.error(), "not_found");
}

#[tokio::test]
async fn an_account_searches_once_at_a_time_by_whichever_token() {
    let house = House::new().await;
    let (ann, phone) = house.account("ann", Scope::Read).await;
    let desk = house.token(ann, Scope::Read).await;
    let (_, ben) = house.account("ben", Scope::Read).await;
    // A preview that is told runs until its last event is taken.
    let mut asked = request(Method::POST, "/preview", &phone, Some(json!({"text": "snow"})));
    asked.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
    let preview = tower::ServiceExt::oneshot(house.app.clone(), asked).await.unwrap();
    assert_eq!(preview.status(), StatusCode::OK);
    let search = async |token: &str| house.ask(Method::POST, token, "/search", json!({"text": "snow"})).await;
    for token in [&phone, &desk] {
        let got = search(token).await;
        assert_eq!((got.status, got.error()), (StatusCode::TOO_MANY_REQUESTS, "search_running"));
        assert!(got.json["error"]["message"].as_str().unwrap().contains("of this account"), "{got:?}");
    }
    // Before anything is read: reading may cost as much as the search, and this could not be read.
    for path in ["/search", "/preview"] {
        let got = house.ask(Method::POST, &desk, path, json!({"text": "(snow"})).await;
        assert_eq!((got.status, got.error()), (StatusCode::TOO_MANY_REQUESTS, "search_running"), "{path}");
    }
    search(&ben).await.ok();
    drop(preview);
    search(&desk).await.ok();
}

#[tokio::test]
async fn who_searches_while_another_search_runs_waits_for_the_turn() {
    let house = House::new().await;
    let (ann, phone) = house.account("ann", Scope::Read).await;
    let desk = house.token(ann, Scope::Read).await;
    let mut asked = request(Method::POST, "/preview", &phone, Some(json!({"text": "snow"})));
    asked.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
    let preview = tower::ServiceExt::oneshot(house.app.clone(), asked).await.unwrap();
    let waiting = house.ask(Method::POST, &desk, "/search", json!({"text": "snow"}));
    let ends = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        drop(preview);
    };
    let (got, ()) = tokio::join!(waiting, ends);
    got.ok();
}

#[tokio::test]
async fn a_token_searches_once_at_a_time() {
    let (house, token, _) = with_posts().await;
    let search = || house.ask(Method::POST, &token, "/search", json!({"text": "snow"}));
    let all = futures_util::future::join_all((0..20).map(|_| search())).await;
    let count = |status| all.iter().filter(|got| got.status == status).count();
    let (done, refused) = (count(StatusCode::OK), count(StatusCode::TOO_MANY_REQUESTS));
    // Each has its turn, or has waited for it long enough.
    assert!(done > 0 && done + refused == 20, "{done} done, {refused} refused");
    search().await.ok();
}

#[tokio::test]
async fn sets_are_an_accounts_own_beside_those_of_all() {
    let house = House::new().await;
    let (_, ann) = house.account("ann", Scope::Write).await;
    let (_, bea) = house.account("bea", Scope::Write).await;
    house.database.set_named(None, "cities", "bergen").await.unwrap();
    let own = json!({"terms": ["oslo", "new york"]});
    house.ask(Method::PUT, &ann, "/sets/cities", own.clone()).await.ok();
    assert_eq!(
        house.get(&ann, "/sets").await.ok(),
        &json!([{"name": "cities", "terms": 2, "shared": false}])
    );
    assert_eq!(house.get(&ann, "/sets/cities").await.ok(), &own);
    assert_eq!(house.get(&bea, "/sets").await.ok(), &json!([{"name": "cities", "terms": 1, "shared": true}]));
    house.post("1", "in Oslo", true, &[]).await;
    house.post("2", "in Bergen", true, &[]).await;
    let says = async |token: &str, post: i64| {
        let asked = json!({"post": post, "text": "{cities}"});
        house.ask(Method::POST, token, "/explain", asked).await.ok()["matched"].as_bool()
    };
    assert_eq!((says(&ann, 1).await, says(&bea, 1).await), (Some(true), Some(false)));
    assert_eq!((says(&ann, 2).await, says(&bea, 2).await), (Some(false), Some(true)));
    let got = house.ask(Method::PUT, &ann, "/sets/bad", json!({"terms": ["a\nb"]})).await;
    assert_eq!(got.error(), "bad_request");
    house.ask(Method::DELETE, &ann, "/sets/cities", json!({})).await.ok();
    assert_eq!(house.get(&ann, "/sets/cities").await.ok(), &json!({"terms": ["bergen"]}));
    // What is for all is not removed by one.
    assert_eq!(house.ask(Method::DELETE, &ann, "/sets/cities", json!({})).await.error(), "not_found");
}

#[tokio::test]
async fn the_reading_position_is_the_same_everywhere() {
    let house = House::new().await;
    let (ann, phone) = house.account("ann", Scope::Read).await;
    let desk = house.token(ann, Scope::Read).await;
    house.ask(Method::PUT, &phone, "/reading/timeline", json!({"up_to": "7-9"})).await.ok();
    house.ask(Method::PUT, &phone, "/reading/timeline", json!({"up_to": "8-3"})).await.ok();
    let got = house.get(&desk, "/reading").await;
    assert_eq!((&got.ok()[0]["name"], &got.ok()[0]["up_to"]), (&json!("timeline"), &json!("8-3")));
    let got = house.ask(Method::PUT, &phone, "/reading/timeline", json!({"up_to": "x"})).await;
    assert_eq!(got.error(), "bad_request");
    let got = house.get(&desk, "/status").await;
    assert_eq!((&got.ok()["commit"], &got.ok()["waiting"]), (&json!(0), &json!(0)));
    assert_eq!(got.ok().get("sources"), None);
}

/// Six thousand words, within what an expression may have.
fn long() -> Value {
    json!({"text": any_of(6_000), "dialect": "x"})
}

fn any_of(words: usize) -> String {
    (0..words).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" OR ")
}

#[tokio::test]
async fn a_long_expression_is_checked_and_its_answer_is_short() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Read).await;
    let got = house.ask(Method::POST, &token, "/check", long()).await;
    // It is written well, and costs more than an account may.
    assert_eq!(got.ok()["valid"], false);
    assert!(got.ok()["diagnostics"].as_array().unwrap().iter().any(|found| found["code"] == "over_budget"));
    assert_eq!(got.ok()["cost_reasons"].as_array().unwrap().len(), 100);
    assert_eq!(got.ok()["more_cost_reasons"], 5_900);
    let got = house.ask(Method::POST, &token, "/check", json!({"text": "é snow"})).await;
    assert_eq!(got.ok()["more_cost_reasons"], 0);
}

#[tokio::test]
async fn whoever_checks_a_long_expression_holds_up_nobody() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Read).await;
    holds_up_nobody(&house, &token, || request(Method::POST, "/check", &token, Some(long()))).await;
}

#[tokio::test]
async fn of_thousands_of_parts_the_nearest_are_named_and_the_rest_counted() {
    let (house, token, _) = with_posts().await;
    let number = house.get(&token, "/timeline?limit=1").await.ok()[0]["number"].clone();
    let explained = async |text: String| {
        let asked = json!({"post": number, "text": text, "dialect": "x"});
        house.ask(Method::POST, &token, "/explain", asked).await.ok().clone()
    };
    let told = |got: &Value| (got["parts"].as_array().unwrap().len(), got["more_parts"].as_u64().unwrap());
    // Snow is there already, so that storm is all that it takes.
    let got = explained(format!("{} OR (snow storm)", any_of(6_000))).await;
    assert_eq!((&got["matched"], &got["each_suffices"]), (&json!(false), &json!(true)));
    assert_eq!((&got["parts"][0]["written"], told(&got)), (&json!("storm"), (100, 5_901)));
    // Of a match what stands in the post is kept, where it stands in the expression.
    let absent: String = (0..3_000).map(|n| format!("-w{n} ")).collect();
    let got = explained(format!("{absent}oslo")).await;
    assert_eq!((&got["matched"], &got["parts"][0]["written"]), (&json!(true), &json!("w0")));
    assert_eq!(&got["parts"][99]["written"], &json!("oslo"));
    assert_eq!(told(&got), (100, 2_901));
    let got = explained("snow storm".to_owned()).await;
    assert_eq!(told(&got), (1, 0));
}

#[tokio::test]
async fn whoever_has_a_long_expression_explained_holds_up_nobody() {
    let (house, token, _) = with_posts().await;
    let number = house.get(&token, "/timeline?limit=1").await.ok()[0]["number"].clone();
    let mut body = long();
    body["post"] = number;
    holds_up_nobody(&house, &token, || request(Method::POST, "/explain", &token, Some(body.clone()))).await;
}

#[tokio::test]
async fn whoever_has_the_finds_of_long_expressions_marked_holds_up_nobody() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    // As long as an account's budget allows.
    let filter = house.filter(ann, &any_of(3_000)).await;
    house.post("1", "w7 and w9", false, &[(ann, &[filter])]).await;
    let asked = || request(Method::GET, "/timeline?highlights=true", &token, None);
    holds_up_nobody(&house, &token, asked).await;
    let got = house.send(asked()).await;
    assert_eq!(got.ok()[0]["content"]["segments"][0], json!({"text": "w7", "mark": true}));
}

/// On the one thread that such a test has.
async fn holds_up_nobody(house: &House, token: &str, asked: impl Fn() -> Request<Body>) {
    let mut waits = Vec::new();
    for _ in 0..5 {
        let (app, asked) = (house.app.clone(), asked());
        let begun = Instant::now();
        let checking = tokio::spawn(async move { app.oneshot(asked).await.unwrap().status() });
        let (mut longest, mut last) = (Duration::ZERO, Instant::now());
        while !checking.is_finished() {
            house.get(token, "/health/live").await.ok();
            tokio::task::yield_now().await;
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        assert_eq!(checking.await.unwrap(), StatusCode::OK);
        let took = begun.elapsed();
        if longest * 2 < took {
            return;
        }
        // A busy machine may hold up one.
        waits.push((longest, took));
    }
    panic!("{waits:?}");
}
