//! Filters come in.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tweetfilter_sql::{NewFilter, Scope};
use tweetfilter_stream::store::Store;

use crate::house::{House, patient};

pub fn states(got: &Value) -> Vec<&str> {
    got["filters"].as_array().unwrap().iter().map(|filter| filter["state"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_import_says_first_what_it_would_do() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let file = concat!(
        "{\"id\":\"1\",\"filter\":\"snow -rain\",\"name\":\"weather\",\"action\":\"hide\",\"enabled\":false}\n",
        "{\"id\":\"2\",\"filter\":\"(fire\"}\n",
        "{\"id\":\"3\",\"filter\":\"flood\",\"expires_at\":\"2100-01-01T00:00:00Z\"}\n",
    );
    let body = |apply, keep_going| json!({"content": file, "apply": apply, "keep_going": keep_going});
    let got = house.ask(Method::POST, &token, "/import", body(false, false)).await;
    assert_eq!(states(got.ok()), ["new", "invalid", "new"]);
    assert_eq!(got.ok()["filters"][1]["diagnostics"][0]["code"], "missing_parenthesis");
    assert_eq!(got.ok()["format"], "filters");
    assert_eq!(house.get(&token, "/filters").await.ok(), &json!([]), "nothing was kept");
    let got = house.ask(Method::POST, &token, "/import", body(true, false)).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid_filters"));
    assert_eq!(house.get(&token, "/filters").await.ok(), &json!([]));
    house.ask(Method::POST, &token, "/import", body(true, true)).await.ok();
    let got = house.get(&token, "/filters").await;
    assert_eq!(got.ok().as_array().unwrap().len(), 2);
    assert_eq!((&got.ok()[0]["action"], &got.ok()[0]["enabled"]), (&json!("hide"), &json!(false)));
    // Again: it is all there, and what differs is replaced.
    let got = house.ask(Method::POST, &token, "/import", body(true, true)).await;
    assert_eq!(states(got.ok()), ["same", "invalid", "same"]);
    let file = "{\"id\":\"1\",\"filter\":\"snow\",\"name\":\"weather\"}\n";
    let got = house.ask(Method::POST, &token, "/import", json!({"content": file, "apply": true})).await;
    assert_eq!((states(got.ok()), &got.ok()["filters"][0]["was"]), (vec!["differs"], &json!("snow -rain")));
    assert_eq!(house.get(&token, "/filters").await.ok()[0]["text"], "snow");
}

#[tokio::test]
async fn a_filter_that_can_not_be_read_keeps_no_other_out() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let mastodon = json!([
        {"title": "Winter", "keywords": [{"keyword": "“snow”", "whole_word": false}]},
        {"title": "posts only", "keywords": [], "statuses": [{"id": "1", "status_id": "2"}]},
        {"title": "Wet", "keywords": [{"keyword": "rain", "whole_word": true}]},
    ]);
    let lines = concat!(
        "{\"id\":\"1\",\"filter\":\"hail\",\"action\":\"show\"}\n",
        "{\"id\":\"2\",\"filter\":\"ice\",\"action\":\"melt\"}\n",
    );
    let rules = json!({"add": [{"value": "fog"}, {"tag": "nothing"}]});
    for (content, expected, said) in [
        (mastodon.to_string(), vec!["new", "invalid", "new"], "no keywords"),
        (lines.to_owned(), vec!["new", "invalid"], "`action` must be"),
        (rules.to_string(), vec!["new", "invalid"], "`value` must be"),
    ] {
        let body = |apply, keep_going| json!({"content": content, "apply": apply, "keep_going": keep_going});
        let got = house.ask(Method::POST, &token, "/import", body(false, true)).await;
        assert_eq!(states(got.ok()), expected);
        let found = &got.ok()["filters"][1]["diagnostics"][0];
        assert_eq!(found["code"], "unreadable");
        assert!(found["message"].as_str().unwrap().contains(said), "{found}");
        let got = house.ask(Method::POST, &token, "/import", body(true, false)).await;
        assert_eq!(got.error(), "invalid_filters");
        house.ask(Method::POST, &token, "/import", body(true, true)).await.ok();
    }
    let got = house.get(&token, "/filters").await;
    let texts: Vec<_> = got.ok().as_array().unwrap().iter().map(|filter| filter["text"].clone()).collect();
    assert_eq!(texts, ["contains:\"\\“snow\\”\"", "rain", "hail", "fog"]);
}

#[tokio::test]
async fn what_differs_at_mastodon_is_said_before_and_hides_nothing_unasked() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let everywhere = json!(["home", "notifications", "public", "thread", "account"]);
    let filter = |title: &str, action: &str, context: Value, statuses: Value| {
        let keywords = json!([{"keyword": title, "whole_word": true}]);
        json!({"title": title, "filter_action": action, "context": context, "keywords": keywords, "statuses": statuses})
    };
    let content = json!([
        filter("snow", "hide", everywhere.clone(), json!([])),
        filter("rain", "warn", json!(["home"]), json!([])),
        filter("hail", "blur", everywhere.clone(), json!([])),
        filter("fog", "hide", json!(["account"]), json!([{"id": "1", "status_id": "2"}])),
    ])
    .to_string();
    let body = |apply| json!({"content": content, "apply": apply, "action": "highlight"});
    let got = house.ask(Method::POST, &token, "/import", body(false)).await;
    let came = |filter: &Value| {
        let codes: Vec<_> =
            filter["diagnostics"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
        (filter["action"].clone(), filter["enabled"].clone(), codes)
    };
    let came: Vec<_> = got.ok()["filters"].as_array().unwrap().iter().map(came).collect();
    let codes = |codes: &[&str]| codes.iter().map(|code| json!(code)).collect::<Vec<_>>();
    assert_eq!(
        came,
        [
            (json!("hide"), json!(true), codes(&[])),
            (json!("hide"), json!(true), codes(&["context", "only_warns"])),
            (json!("highlight"), json!(true), codes(&["only_blurs"])),
            (json!("hide"), json!(false), codes(&["context", "single_posts"])),
        ]
    );
    house.ask(Method::POST, &token, "/import", body(true)).await.ok();
    let filters = house.get(&token, "/filters").await;
    let hides: Vec<_> = filters
        .ok()
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["enabled"] == true && one["action"] == "hide")
        .collect();
    assert_eq!(hides, [true, true, false, false]);
    // Who switched it on is not asked again.
    let id = filters.ok()[3]["id"].as_i64().unwrap();
    house.ask(Method::PATCH, &token, &format!("/filters/{id}"), json!({"enabled": true})).await.ok();
    let got = house.ask(Method::POST, &token, "/import", body(true)).await;
    assert_eq!(states(got.ok()), ["same"; 4]);
    assert_eq!(got.ok()["filters"][3]["diagnostics"], json!([]));
    assert_eq!(house.get(&token, "/filters").await.ok()[3]["enabled"], true);
}

#[tokio::test]
async fn all_of_an_import_is_kept_or_nothing_and_the_line_is_said() {
    use tweetfilter_core::budget::Price;
    use tweetfilter_http::api::Options;
    let house = House::with(Options { filters: 4, ..patient() }).await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    house.ask(Method::POST, &token, "/filters", json!({"text": "snow", "name": "weather"})).await.ok();
    // What differs is changed with what is new, or both are not.
    let line = |n: usize, text: &str, name: &str| {
        format!("{}\n", json!({"id": n.to_string(), "filter": text, "name": name}))
    };
    let file = line(1, "rain", "weather") + &line(2, "ice", "") + r#"{"id":"3","filter":"/\\w+ing \\w+/"}"#;
    let small = house.database.clone().with_owner_budget(Price::from_nanoseconds(100.0));
    let poor = House::over(small, patient());
    let body = json!({"content": file, "apply": true});
    let got = poor.ask(Method::POST, &token, "/import", body).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "over_budget"));
    let said = got.json["error"]["message"].as_str().unwrap();
    assert!(said.contains("Nothing was kept (line ") && said.contains("3)"), "{said}");
    let texts = async || -> Vec<String> {
        let rows = house.database.account_filters(ann).await.unwrap();
        rows.into_iter().map(|row| row.filter.text).collect()
    };
    // And so says whoever only looks.
    let got = poor.ask(Method::POST, &token, "/import", json!({"content": file})).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "over_budget"));
    let said = got.json["error"]["message"].as_str().unwrap();
    assert!(said.contains("Nothing would be kept (line ") && said.contains("3)"), "{said}");
    assert_eq!(texts().await, ["snow"]);
    // Where some is invalid that is what keeps it all out, and who only looks is told which that is.
    let broken = format!("{file}\n{}", line(4, "(fire", ""));
    let import = async |apply, keep_going| {
        let body = json!({"content": broken, "apply": apply, "keep_going": keep_going});
        poor.ask(Method::POST, &token, "/import", body).await
    };
    assert_eq!(import(true, false).await.error(), "invalid_filters");
    assert_eq!(states(import(false, false).await.ok()), ["differs", "new", "new", "invalid"]);
    for apply in [true, false] {
        assert_eq!(import(apply, true).await.error(), "over_budget", "{apply}");
    }
    // No more than fit.
    let many: String = (0..4).map(|n| line(n, &format!("word{n}"), "")).collect();
    for apply in [true, false] {
        let got = house.ask(Method::POST, &token, "/import", json!({"content": many, "apply": apply})).await;
        assert_eq!(got.error(), "too_many_filters", "{apply}");
    }
    // Of both the same is said.
    let small = house.database.clone().with_owner_budget(Price::from_nanoseconds(100.0));
    let full = House::over(small, Options { filters: 2, ..patient() });
    for apply in [true, false] {
        let got = full.ask(Method::POST, &token, "/import", json!({"content": file, "apply": apply})).await;
        assert_eq!(got.error(), "over_budget", "{apply}");
    }
    assert_eq!(texts().await, ["snow"]);
    let long = line(1, "ice", &"n".repeat(501));
    let got = house.ask(Method::POST, &token, "/import", json!({"content": long})).await;
    assert_eq!(got.ok()["filters"][0]["diagnostics"][0]["code"], "name_long");
    // It raises the revision once.
    let before = house.database.pulse().await.unwrap().revision;
    let file = line(1, "rain", "weather") + &line(2, "ice", "");
    let body = json!({"content": file, "apply": true});
    let got = house.ask(Method::POST, &token, "/import", body.clone()).await;
    assert_eq!(
        (states(got.ok()), texts().await),
        (vec!["differs", "new"], vec!["rain".into(), "ice".into()])
    );
    assert_eq!(house.database.pulse().await.unwrap().revision, before + 1);
    // Sent again, since its answer was lost, it changes nothing.
    let got = house.ask(Method::POST, &token, "/import", body).await;
    assert_eq!((states(got.ok()), texts().await.len()), (vec!["same", "same"], 2));
}

#[tokio::test]
async fn words_are_found_as_they_stand() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let body = json!({"content": "spoiler\nred wedding\nOR\n", "format": "words", "together": true, "action": "hide"});
    let got = house.ask(Method::POST, &token, "/import", body).await;
    assert_eq!(got.ok()["filters"][0]["text"], "spoiler OR \"red wedding\" OR \"OR\"");
    assert_eq!(got.ok()["filters"][0]["action"], "hide");
    let got = house.ask(Method::POST, &token, "/import", json!({"content": "a", "format": "x"})).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "malformed"));
    let got = house.ask(Method::POST, &token, "/import", json!({"content": "{\"filter\":\"a\"}\nb"})).await;
    assert_eq!(got.error(), "malformed");
    assert!(got.json["error"]["message"].as_str().unwrap().contains("line 2"));
}

#[tokio::test]
async fn a_name_that_several_share_says_of_none_that_it_differs() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    for text in ["cat", "dog"] {
        house.ask(Method::POST, &token, "/filters", json!({"text": text, "name": "pets"})).await.ok();
    }
    let file = json!({"add": [
        {"value": "cat", "tag": "pets"}, {"value": "puppy", "tag": "pets"}, {"value": "kitten", "tag": "pets"},
    ]});
    let body = json!({"content": file.to_string(), "apply": true});
    let got = house.ask(Method::POST, &token, "/import", body).await;
    assert_eq!(states(got.ok()), ["same", "new", "new"]);
    let got = house.get(&token, "/filters").await;
    let texts: Vec<_> = got.ok().as_array().unwrap().iter().map(|filter| filter["text"].clone()).collect();
    assert_eq!(texts, ["cat", "dog", "puppy", "kitten"]);
}

#[tokio::test]
async fn what_can_not_be_read_is_said_in_few_words() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let content = format!("{{\"id\":\"1\",\"filter\":\"a\"}}\n{}", "x\n".repeat(40_000));
    let got = house.ask(Method::POST, &token, "/import", json!({"content": content})).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "malformed"));
    let said = got.json["error"]["message"].as_str().unwrap();
    assert!(said.len() < 4_000 && said.ends_with("and 39980 more lines"), "{}", said.len());
    let body = json!({"content": "x\n".repeat(60_000), "format": "words"});
    let got = house.ask(Method::POST, &token, "/import", body).await;
    assert_eq!((got.status, got.error()), (StatusCode::BAD_REQUEST, "bad_request"));
}

#[tokio::test]
async fn what_a_file_does_not_say_stays_as_it_is() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    for filter in [
        json!({"text": "snow -rain", "name": "weather", "action": "hide", "enabled": false,
            "expires_at": "2100-01-01T00:00:00Z"}),
        json!({"text": "cat", "name": "pets", "action": "show"}),
        json!({"text": "from:bob", "dialect": "native"}),
    ] {
        house.ask(Method::POST, &token, "/filters", filter).await.ok();
    }
    let before = house.get(&token, "/filters").await.ok().clone();
    // X's form knows neither actions nor expiries, and not the native language.
    let of_x = |weather: &str| {
        json!({"add": [
            {"value": weather, "tag": "weather"}, {"value": "cat", "tag": "pets"}, {"value": "from:bob"},
        ]})
        .to_string()
    };
    let body = |content: String, apply| json!({"content": content, "apply": apply});
    let got = house.ask(Method::POST, &token, "/import", body(of_x("snow -rain"), true)).await;
    assert_eq!(states(got.ok()), ["same", "same", "same"]);
    assert_eq!(&house.get(&token, "/filters").await.ok().clone(), &before);
    // Another text changes the text, and with it the language that it is in.
    let got = house.ask(Method::POST, &token, "/import", body(of_x("snow"), true)).await;
    assert_eq!(states(got.ok()), ["differs", "same", "same"]);
    let said = &got.ok()["filters"][0];
    let brought = json!([
        {"field": "text", "from": "snow -rain", "to": "snow"},
        {"field": "dialect", "from": "native", "to": "x"},
    ]);
    assert_eq!(said["changes"], brought);
    assert_eq!(
        (&said["action"], &said["enabled"], &said["dialect"]),
        (&json!("hide"), &json!(false), &json!("x"))
    );
    let mut expected = before.clone();
    expected[0]["text"] = json!("snow");
    expected[0]["dialect"] = json!("x");
    let without = |mut filters: Value| {
        filters[0]["revision"] = Value::Null;
        filters
    };
    assert_eq!(without(house.get(&token, "/filters").await.ok().clone()), without(expected));
    // What is said beside the text is shown, and changed; a dialect in which the text reads the same is no change.
    let file = concat!(
        "{\"id\":\"1\",\"filter\":\"cat\",\"name\":\"pets\",\"action\":\"hide\",\"enabled\":false,",
        "\"dialect\":\"x\",\"expires_at\":\"2100-01-01T00:00:00Z\"}\n",
        "{\"id\":\"2\",\"filter\":\"from:bob\",\"dialect\":\"x\"}\n",
    );
    let got = house.ask(Method::POST, &token, "/import", body(file.to_owned(), true)).await;
    assert_eq!(states(got.ok()), ["differs", "same"]);
    let expected = json!([
        {"field": "dialect", "from": "native", "to": "x"},
        {"field": "action", "from": "show", "to": "hide"},
        {"field": "enabled", "from": "true", "to": "false"},
        {"field": "expires_at", "from": "never", "to": "2100-01-01T00:00:00Z"},
    ]);
    assert_eq!(got.ok()["filters"][0]["changes"], expected);
    let pets = &house.get(&token, "/filters").await.ok()[1].clone();
    assert_eq!(
        (&pets["action"], &pets["enabled"], &pets["dialect"]),
        (&json!("hide"), &json!(false), &json!("x"))
    );
}

#[tokio::test]
async fn a_filter_that_has_ended_is_imported_once_and_is_off() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let ended = |name: &str| NewFilter {
        name: name.into(),
        text: "snow".into(),
        expires_at: Some(1_000),
        ..NewFilter::default()
    };
    for name in ["", "weather"] {
        house.database.add_filter(ann, &ended(name)).await.unwrap();
    }
    // Written out before it was switched off, and read after that.
    let content = house.get(&token, "/export").await.ok()["content"].clone();
    assert!(content.as_str().unwrap().contains("\"enabled\":true"));
    house.database.filters(None).await.unwrap();
    let before = house.get(&token, "/filters").await.ok().clone();
    assert_eq!(before[0]["enabled"], false);
    let body = json!({"content": content, "apply": true});
    let got = house.ask(Method::POST, &token, "/import", body.clone()).await;
    assert_eq!(states(got.ok()), ["same", "same"]);
    assert_eq!(house.get(&token, "/filters").await.ok(), &before);
    // To whom it is new it comes in off, and that is said.
    let (_, of_ben) = house.account("ben", Scope::Write).await;
    let got = house.ask(Method::POST, &of_ben, "/import", json!({"content": content})).await;
    let first = &got.ok()["filters"][0];
    assert_eq!((&first["state"], &first["enabled"]), (&json!("new"), &json!(false)));
    assert_eq!(first["diagnostics"][0]["code"], "already_expired");
    house.ask(Method::POST, &of_ben, "/import", body.clone()).await.ok();
    let got = house.ask(Method::POST, &of_ben, "/import", body).await;
    assert_eq!(states(got.ok()), ["same", "same"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_several_times_at_once_is_added_once() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let file: String = (0..50).map(|n| format!("word{n}\n")).collect();
    let import = || house.ask(Method::POST, &token, "/import", json!({"content": file, "apply": true}));
    let (a, b, c, d) = tokio::join!(import(), import(), import(), import());
    let mut added = 0;
    for got in [a, b, c, d] {
        added += states(got.ok()).iter().filter(|state| **state == "new").count();
    }
    assert_eq!((added, house.get(&token, "/filters").await.ok().as_array().unwrap().len()), (50, 50));
}
