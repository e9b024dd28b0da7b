//! Filters: added, listed, changed, ordered, removed, checked.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tweetfilter_core::budget::Price;
use tweetfilter_sql::{NewFilter, Scope};
use tweetfilter_stream::store::Store as _;

use crate::house::{House, patient, request};

#[tokio::test]
async fn a_filter_is_added_changed_and_removed() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let body = json!({"text": "snow -rain", "name": "weather", "action": "hide", "expires_at": "2100-01-01T00:00:00Z"});
    let got = house.ask(Method::POST, &token, "/filters", body).await;
    assert_eq!(got.status, StatusCode::CREATED);
    let id = got.ok()["id"].as_i64().unwrap();
    assert_eq!(got.headers["location"], format!("/api/v1/filters/{id}"));
    let got = house.get(&token, &format!("/filters/{id}")).await;
    let tag = got.headers["etag"].clone();
    let expected = json!({
        "id": id, "name": "weather", "text": "snow -rain", "dialect": "native", "action": "hide", "enabled": true,
        "unused": null, "expires_at": "2100-01-01T00:00:00Z", "position": 1, "revision": got.ok()["revision"],
    });
    assert_eq!(got.ok(), &expected);

    let path = format!("/filters/{id}");
    let with = |tag: &axum::http::HeaderValue, body| {
        let mut request = request(Method::PATCH, &path, &token, Some(body));
        request.headers_mut().insert("if-match", tag.clone());
        request
    };
    let got = house.send(with(&tag, json!({"text": "snow", "enabled": false, "expires_at": "never"}))).await;
    assert_eq!(got.ok()["text"], "snow");
    assert_eq!((&got.ok()["enabled"], &got.ok()["expires_at"]), (&json!(false), &json!(null)));
    assert_eq!(got.ok()["name"], "weather", "what is not said stays");
    let newer = got.headers["etag"].clone();
    assert_ne!(newer, tag);
    let got = house.send(with(&tag, json!({"text": "rain"}))).await;
    assert_eq!((got.status, got.error()), (StatusCode::PRECONDITION_FAILED, "changed_meanwhile"));
    house.send(with(&newer, json!({"enabled": true}))).await.ok();

    house.send(request(Method::DELETE, &path, &token, None)).await.ok();
    assert_eq!(house.get(&token, &path).await.error(), "not_found");
    assert_eq!(house.get(&token, "/filters").await.ok(), &json!([]));
}

#[tokio::test]
async fn an_invalid_filter_comes_back_with_place_and_way_out() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let got = house.ask(Method::POST, &token, "/filters", json!({"text": "grün (rain OR snow"})).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "missing_parenthesis"));
    let error = &got.json["error"];
    assert_eq!(error["span"], json!({"start": 6, "end": 7, "utf16": [5, 6]}));
    assert_eq!(error["fixes"][0]["replacement"], ")");
    assert_eq!(error["fixes"][0]["span"]["utf16"], json!([18, 18]));
    // It is used unless somebody says otherwise.
    let got = house.ask(Method::POST, &token, "/filters", json!({"text": "a", "enabled": false})).await;
    assert_eq!(got.ok()["enabled"], false);
    house.database.remove_filter(got.ok()["id"].as_i64().unwrap()).await.unwrap();
    for body in [
        json!({}),
        json!({"text": 1}),
        json!({"text": "a", "color": "red"}),
        json!({"text": "a", "action": "kill"}),
    ] {
        let got = house.ask(Method::POST, &token, "/filters", body).await;
        assert_eq!((got.status, got.error()), (StatusCode::BAD_REQUEST, "bad_request"));
    }
    assert_eq!(house.get(&token, "/filters").await.ok(), &json!([]));
}

#[tokio::test]
async fn filters_take_the_order_that_is_given() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let mut ids = Vec::new();
    for text in ["a", "b", "c"] {
        ids.push(house.filter(ann, text).await);
    }
    let got = house.ask(Method::PUT, &token, "/filters/order", json!({"ids": [ids[2], ids[0]]})).await;
    let order: Vec<_> = got.ok().as_array().unwrap().iter().map(|f| f["text"].clone()).collect();
    assert_eq!(order, ["b", "c", "a"]);
    for (named, wrong) in [([ids[2], ids[2]], "bad_request"), ([ids[2], 99], "not_found")] {
        let got = house.ask(Method::PUT, &token, "/filters/order", json!({"ids": named})).await;
        assert_eq!(got.error(), wrong);
    }
}

#[tokio::test]
async fn an_unchanged_list_is_not_sent_again() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    house.filter(ann, "a1").await;
    let got = house.get(&token, "/filters").await;
    let again = || {
        let mut request = request(Method::GET, "/filters", &token, None);
        request.headers_mut().insert("if-none-match", got.headers["etag"].clone());
        request
    };
    assert_eq!(house.send(again()).await.status, StatusCode::NOT_MODIFIED);
    house.filter(ann, "b2").await;
    assert_eq!(house.send(again()).await.ok().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_list_of_one_account_is_not_taken_for_that_of_another() {
    let house = House::new().await;
    let mut tags = Vec::new();
    let accounts = [house.account("ann", Scope::Write).await, house.account("ben", Scope::Write).await];
    for (account, _) in &accounts {
        let filter = NewFilter { text: "snow".into(), expires_at: Some(1), ..NewFilter::default() };
        house.database.add_filter(*account, &filter).await.unwrap();
    }
    // Both are switched off together, and are of one revision then.
    house.database.filters(None).await.unwrap();
    for (_, token) in &accounts {
        let got = house.get(token, "/filters").await;
        assert_eq!(got.ok()[0]["enabled"], false);
        tags.push((got.ok()[0]["revision"].clone(), got.headers["etag"].clone()));
    }
    assert_eq!(tags[0].0, tags[1].0);
    assert_ne!(tags[0].1, tags[1].1);
}

#[tokio::test]
async fn an_unchanged_filter_is_not_sent_again() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let first = house.filter(ann, "a1").await;
    let path = format!("/filters/{}", house.filter(ann, "b2").await);
    let again = async |tag: &axum::http::HeaderValue| {
        let mut request = request(Method::GET, &path, &token, None);
        request.headers_mut().insert("if-none-match", tag.clone());
        house.send(request).await
    };
    let got = house.get(&token, &path).await;
    let tag = got.headers["etag"].clone();
    let same = again(&tag).await;
    assert_eq!((same.status, &same.headers["etag"]), (StatusCode::NOT_MODIFIED, &tag));
    // Its place is part of it, though it was not changed itself.
    house.database.remove_filter(first).await.unwrap();
    let got = again(&tag).await;
    assert_eq!(got.ok()["position"], 1);
    let moved = got.headers["etag"].clone();
    assert_eq!(again(&moved).await.status, StatusCode::NOT_MODIFIED);
    // Both are of the same revision, so whoever read it before may change it.
    let mut change = request(Method::PATCH, &path, &token, Some(json!({"text": "c3"})));
    change.headers_mut().insert("if-match", tag);
    house.send(change).await.ok();
    assert_eq!(again(&moved).await.ok()["text"], "c3");
}

#[tokio::test]
async fn check_says_what_is_wrong_as_it_is_typed() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Read).await;
    let got = house.ask(Method::POST, &token, "/check", json!({"text": "NOT(a) OR(b)"})).await;
    assert_eq!((&got.ok()["valid"], &got.ok()["canonical"]), (&json!(true), &json!("-a OR b")));
    assert_eq!(got.ok()["cost"], "scanned");
    let got = house.ask(Method::POST, &token, "/check", json!({"text": "{cities} snow"})).await;
    assert_eq!(got.ok()["valid"], false);
    assert_eq!(got.ok()["diagnostics"][0]["code"], "set_unknown");
    house.database.set_named(None, "cities", "oslo\nnew york").await.unwrap();
    let got = house.ask(Method::POST, &token, "/check", json!({"text": "{cities} snow"})).await;
    assert_eq!(got.ok()["valid"], true, "{got:?}");
    let got =
        house.ask(Method::POST, &token, "/check", json!({"text": "cat has:images", "dialect": "x"})).await;
    assert!(got.ok()["native"].as_str().unwrap().contains("in:quote"), "{got:?}");
    let got = house.get(&token, "/operators").await;
    assert!(got.ok().as_array().unwrap().iter().any(|operator| operator["name"] == "from"));
}

#[tokio::test]
async fn check_says_what_can_not_be_kept_since_it_costs_too_much() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let dear = r"/\w+ing \w+/";
    let on = house.filter(ann, dear).await;
    let off = house.filter(ann, "/[a-z]+ed/").await;
    assert!(house.database.enable_filter(off, false).await.unwrap());
    let price = house.database.owner_price(ann).await.unwrap().0.nanoseconds();
    let small = |share: f64| {
        let budget = Price::from_nanoseconds(price * share);
        House::over(house.database.clone().with_owner_budget(budget), patient())
    };
    let check =
        async |house: &House, body: Value| house.ask(Method::POST, &token, "/check", body).await.ok().clone();
    // Each for itself, and as it would be kept.
    let poor = small(1.5);
    for (body, valid) in [
        (json!({"text": "snow"}), true),
        (json!({"text": dear}), false),
        (json!({"text": dear, "filter": on}), true),
        (json!({"text": dear, "enabled": false}), true),
        (json!({"text": dear, "filter": off}), true),
        (json!({"text": dear, "filter": off, "enabled": true}), false),
        (json!({"text": format!(r"{dear} OR /\w+ed \w+/"), "filter": on}), false),
    ] {
        let checked = check(&poor, body.clone()).await;
        assert_eq!(checked["valid"], valid, "{body}: {checked}");
        // And so it is when it is kept.
        let kept = match &body["filter"] {
            Value::Null => poor.ask(Method::POST, &token, "/filters", body.clone()).await,
            id => {
                let mut said = body.clone();
                said.as_object_mut().unwrap().remove("filter");
                poor.ask(Method::PATCH, &token, &format!("/filters/{id}"), said).await
            }
        };
        if valid {
            kept.ok();
            let id = kept.ok()["id"].as_i64().unwrap();
            if id != on && id != off {
                assert!(house.database.remove_filter(id).await.unwrap());
            }
            continue;
        }
        assert_eq!(kept.error(), "over_budget", "{body}");
        // Behind what the text itself says.
        let found = checked["diagnostics"].as_array().unwrap().last().unwrap();
        assert_eq!((&found["code"], &found["severity"]), (&json!("over_budget"), &json!("error")));
        assert_eq!(found["message"], kept.json["error"]["message"], "the same is said of it");
        assert!(found["message"].as_str().unwrap().contains("put a word beside it"), "{found}");
        assert_eq!(found["span"]["end"], body["text"].as_str().unwrap().len());
        assert!(checked["canonical"].is_string());
    }
    // What makes an account cheaper that is over its budget is possible.
    let less = small(0.5);
    assert_eq!(check(&less, json!({"text": "/x+y*z/ snow", "filter": on})).await["valid"], true);
    assert_eq!(check(&less, json!({"text": "snow"})).await["valid"], false);
    // Another filter is counted as soon as it is there.
    let (beside, roomy) = (json!({"text": dear}), small(2.5));
    assert_eq!(check(&roomy, beside.clone()).await["valid"], true);
    roomy.ask(Method::POST, &token, "/filters", beside.clone()).await.ok();
    assert_eq!(check(&roomy, beside).await["valid"], false);
}

#[tokio::test]
async fn a_check_in_the_place_of_a_filter_that_is_not_the_accounts_is_refused() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let (ben, _) = house.account("ben", Scope::Read).await;
    let (own, removed) = (house.filter(ann, "snow").await, house.filter(ann, "hail").await);
    let foreign = house.filter(ben, "rain").await;
    assert!(house.database.remove_filter(removed).await.unwrap());
    let check = async |filter: i64, text: &str| {
        house.ask(Method::POST, &token, "/check", json!({"text": text, "filter": filter})).await
    };
    assert_eq!(check(own, "ice").await.ok()["valid"], true);
    for text in ["ice", "(ice"] {
        for filter in [foreign, removed, 999, -1] {
            let got = check(filter, text).await;
            assert_eq!((got.status, got.error()), (StatusCode::NOT_FOUND, "not_found"), "{filter} {text}");
        }
    }
}

#[tokio::test]
async fn check_and_the_preview_of_an_import_refuse_a_list_that_is_too_long_to_be_looked_up() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let terms: Vec<String> = (0..20_000).map(|n| format!("word{n}")).collect();
    house.ask(Method::PUT, &token, "/sets/newset", json!({"terms": terms})).await.ok();
    let got = house.ask(Method::POST, &token, "/check", json!({"text": "{newset}"})).await;
    assert_eq!(got.ok()["valid"], false, "{got:?}");
    let found = &got.ok()["diagnostics"][0];
    assert_eq!(found["code"], "over_budget");
    assert!(found["message"].as_str().unwrap().contains("cut it into sets that are shorter"), "{found}");
    assert!(got.json["summary"]["text"].as_str().unwrap().contains("would cost"), "{got:?}");
    for apply in [false, true] {
        let body = json!({"content": "{newset}\nsnow", "apply": apply});
        let got = house.ask(Method::POST, &token, "/import", body).await;
        assert_eq!(got.error(), "over_budget", "{apply}");
        let said = got.json["error"]["message"].as_str().unwrap();
        assert!(said.contains("kept (line 1"), "{said}");
    }
}

#[tokio::test]
async fn a_filter_whose_list_is_gone_can_still_be_switched_off() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    house.ask(Method::PUT, &token, "/sets/towns", json!({"terms": ["oslo"]})).await.ok();
    let got = house.ask(Method::POST, &token, "/filters", json!({"text": "{towns} snow"})).await;
    let path = format!("/filters/{}", got.ok()["id"]);
    house.ask(Method::DELETE, &token, "/sets/towns", Value::Null).await.ok();
    let got = house.ask(Method::PATCH, &token, &path, json!({"enabled": true})).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    let got = house.ask(Method::PATCH, &token, &path, json!({"enabled": false, "name": "old"})).await;
    assert_eq!((&got.ok()["enabled"], &got.ok()["name"]), (&json!(false), &json!("old")));
    assert_eq!(got.ok()["warnings"][0]["severity"], "error");
}

#[tokio::test]
async fn null_lifts_an_expiry_and_nothing_else() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let body = json!({"text": "snow", "name": "weather", "expires_at": "2100-01-01T00:00:00Z"});
    let got = house.ask(Method::POST, &token, "/filters", body).await;
    let path = format!("/filters/{}", got.ok()["id"]);
    let got = house.ask(Method::PATCH, &token, &path, json!({"name": "w"})).await;
    assert_eq!(got.ok()["expires_at"], "2100-01-01T00:00:00Z", "what is absent stays");
    for field in ["text", "name", "dialect", "action", "enabled"] {
        let mut body = json!({"expires_at": null});
        body[field] = Value::Null;
        let got = house.ask(Method::PATCH, &token, &path, body).await;
        assert_eq!((got.status, got.error()), (StatusCode::BAD_REQUEST, "bad_request"), "{field}");
        let said = got.json["error"]["message"].as_str().unwrap();
        assert!(said.contains(&format!("`{field}`")), "{said}");
    }
    assert_eq!(house.get(&token, &path).await.ok()["expires_at"], "2100-01-01T00:00:00Z");
    let got = house.ask(Method::PATCH, &token, &path, json!({"expires_at": null})).await;
    assert_eq!((&got.ok()["expires_at"], &got.ok()["text"]), (&Value::Null, &json!("snow")));
}

#[tokio::test]
async fn if_match_takes_lists_and_what_is_no_tag_of_ours_matches_nothing() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let got = house.ask(Method::POST, &token, "/filters", json!({"text": "snow"})).await;
    let path = format!("/filters/{}", got.ok()["id"]);
    let mut revision = got.ok()["revision"].as_u64().unwrap();
    let change = async |tag: &str| {
        let mut request = request(Method::PATCH, &path, &token, Some(json!({"name": tag})));
        request.headers_mut().insert("if-match", tag.parse().unwrap());
        house.send(request).await
    };
    for other in ["\"abc\"", "W/\"1\"", "\"99999\", \"x\""] {
        let got = change(other).await;
        assert_eq!(
            (got.status, got.error()),
            (StatusCode::PRECONDITION_FAILED, "changed_meanwhile"),
            "{other}"
        );
    }
    let got = change(&format!("W/\"{revision}\"")).await;
    assert_eq!(got.status, StatusCode::PRECONDITION_FAILED, "a weak tag is no match");
    for bad in ["7", "\"7", "abc, \"7\""] {
        assert_eq!(change(bad).await.error(), "bad_request", "{bad}");
    }
    for list in ["\"abc\", \"REVISION\"", "\"REVISION\"", "*"] {
        let got = change(&list.replace("REVISION", &revision.to_string())).await;
        revision = got.ok()["revision"].as_u64().unwrap();
    }
}

#[tokio::test]
async fn an_end_that_has_passed_is_refused_unless_it_was_so() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let refused = (StatusCode::UNPROCESSABLE_ENTITY, "already_expired");
    let past = "2020-01-01T00:00:00Z";
    let got = house.ask(Method::POST, &token, "/filters", json!({"text": "snow", "expires_at": past})).await;
    assert_eq!((got.status, got.error()), refused);
    let said = got.json["error"]["message"].as_str().unwrap();
    assert!(said.contains(past) && said.contains("`never`"), "{said}");
    assert_eq!(house.get(&token, "/filters").await.ok(), &json!([]));

    // One that has ended is renamed, and stays as it is; it is switched on with another end.
    let new = NewFilter { text: "snow".into(), expires_at: Some(1_000), ..NewFilter::default() };
    let id = house.database.add_filter(ann, &new).await.unwrap();
    let path = format!("/filters/{id}");
    let same = json!({"name": "weather", "enabled": false, "expires_at": "1970-01-01T00:00:01Z"});
    house.ask(Method::PATCH, &token, &path, same).await.ok();
    for body in
        [json!({"enabled": true}), json!({"expires_at": past}), json!({"enabled": true, "expires_at": past})]
    {
        let got = house.ask(Method::PATCH, &token, &path, body).await;
        assert_eq!((got.status, got.error()), refused);
    }
    let body = json!({"enabled": true, "expires_at": "never"});
    let got = house.ask(Method::PATCH, &token, &path, body).await;
    assert_eq!((&got.ok()["enabled"], &got.ok()["expires_at"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn another_reason_is_another_answer() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    for set in ["/sets/cities", "/sets/hills"] {
        house.ask(Method::PUT, &token, set, json!({"terms": ["oslo"]})).await.ok();
    }
    let added = house.ask(Method::POST, &token, "/filters", json!({"text": "{cities} {hills}"})).await;
    let path = format!("/filters/{}", added.ok()["id"]);
    for set in ["/sets/cities", "/sets/hills"] {
        house.ask(Method::DELETE, &token, set, json!({})).await.ok();
    }
    let paths = ["/filters", &*path];
    let mut tags = Vec::new();
    for path in paths {
        tags.push(house.get(&token, path).await.headers["etag"].clone());
    }
    house.ask(Method::PUT, &token, "/sets/cities", json!({"terms": ["oslo"]})).await.ok();
    for (path, tag) in paths.into_iter().zip(tags) {
        let mut again = request(Method::GET, path, &token, None);
        again.headers_mut().insert("if-none-match", tag);
        let got = house.send(again).await;
        assert_eq!(got.status, StatusCode::OK, "{path}");
        assert!(got.json.to_string().contains("There is no set named hills"), "{got:?}");
    }
}

#[tokio::test]
async fn a_filter_that_workers_leave_out_says_why() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    house.ask(Method::PUT, &token, "/sets/cities", json!({"terms": ["oslo"]})).await.ok();
    let body = json!({"text": "{cities} snow"});
    let added = house.ask(Method::POST, &token, "/filters", body).await.ok().clone();
    assert_eq!(added["unused"], Value::Null);
    let path = format!("/filters/{}", added["id"]);
    let tag = house.get(&token, &path).await.headers["etag"].clone();
    let unused = async |house: &House| house.get(&token, "/filters").await.ok()[0]["unused"].clone();
    assert_eq!(unused(&house).await, Value::Null);

    house.ask(Method::DELETE, &token, "/sets/cities", json!({})).await.ok();
    let gone = json!({"code": "set_unknown", "message": "There is no set named cities"});
    assert_eq!(unused(&house).await, gone);
    let mut again = request(Method::GET, &path, &token, None);
    again.headers_mut().insert("if-none-match", tag);
    assert_eq!(house.send(again).await.ok()["unused"], gone, "it is not as it was");
    let renamed = house.ask(Method::PATCH, &token, &path, json!({"name": "winter"})).await;
    assert_eq!((&renamed.ok()["enabled"], &renamed.ok()["unused"]), (&json!(true), &gone));
    // One that is switched off is not left out.
    let off = house.ask(Method::PATCH, &token, &path, json!({"enabled": false})).await;
    assert_eq!(off.ok()["unused"], Value::Null);
    house.ask(Method::PUT, &token, "/sets/cities", json!({"terms": ["rome"]})).await.ok();
    house.ask(Method::PATCH, &token, &path, json!({"enabled": true})).await.ok();
    assert_eq!(unused(&house).await, Value::Null);

    house.ask(Method::PATCH, &token, &path, json!({"text": r"/\w+ing \w+/"})).await.ok();
    assert_eq!(unused(&house).await, Value::Null);
    let budget = Price::from_nanoseconds(100.0);
    let small = House::over(house.database.clone().with_owner_budget(budget), patient());
    let dear = unused(&small).await;
    assert_eq!(dear["code"], "over_budget");
    assert!(dear["message"].as_str().unwrap().contains("may cost 100 ns"), "{dear}");
}
