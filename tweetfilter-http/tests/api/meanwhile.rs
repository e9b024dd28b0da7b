//! Changes that are made only where nobody else made one meanwhile.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tweetfilter_sql::{Basis, Changed, Scope, SetKept, SetQuota};

use crate::house::{Got, House, request};

const REFUSED: (StatusCode, &str) = (StatusCode::PRECONDITION_FAILED, "changed_meanwhile");

/// A change with `If-Match`.
async fn change(
    house: &House,
    token: &str,
    (method, path): (Method, &str),
    tag: &str,
    body: Option<Value>,
) -> Got {
    let mut request = request(method, path, token, body);
    request.headers_mut().insert("if-match", tag.parse().unwrap());
    house.send(request).await
}

async fn tag(house: &House, token: &str, path: &str) -> String {
    let got = house.get(token, path).await;
    got.ok();
    got.headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_filter_is_removed_only_as_it_was_read() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let path = format!("/filters/{}", house.filter(ann, "snow").await);
    let old = tag(&house, &token, &path).await;
    house.ask(Method::PATCH, &token, &path, json!({"text": "rain"})).await.ok();
    for stale in [&*old, "\"abc\"", "W/\"1\""] {
        let got = change(&house, &token, (Method::DELETE, &*path), stale, None).await;
        assert_eq!((got.status, got.error()), REFUSED, "{stale}");
    }
    assert_eq!(change(&house, &token, (Method::DELETE, &*path), "7", None).await.error(), "bad_request");
    let now = tag(&house, &token, &path).await;
    change(&house, &token, (Method::DELETE, &*path), &now, None).await.ok();
    let got = change(&house, &token, (Method::DELETE, &*path), &now, None).await;
    assert_eq!(got.error(), "not_found");
}

#[tokio::test]
async fn filters_are_put_in_an_order_only_as_they_were_read() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let (ben, _) = house.account("ben", Scope::Write).await;
    let (a, b) = (house.filter(ann, "a1").await, house.filter(ann, "b2").await);
    let order = (Method::PUT, "/filters/order");
    let ids = || Some(json!({"ids": [b, a]}));
    let old = tag(&house, &token, "/filters").await;
    let c = house.filter(ann, "c3").await;
    let got = change(&house, &token, order.clone(), &old, ids()).await;
    assert_eq!((got.status, got.error()), REFUSED);
    let now = tag(&house, &token, "/filters").await;
    // What somebody else does with theirs changes nothing here.
    house.filter(ben, "d4").await;
    let got = change(&house, &token, order.clone(), &now, ids()).await;
    let order_now: Vec<_> = got.ok().as_array().unwrap().iter().map(|filter| filter["id"].clone()).collect();
    assert_eq!(order_now, [c, b, a]);
    assert_eq!(got.headers["etag"].to_str().unwrap(), tag(&house, &token, "/filters").await);
    // The order itself is a change.
    let got = change(&house, &token, order.clone(), &now, ids()).await;
    assert_eq!((got.status, got.error()), REFUSED);
    let before = tag(&house, &token, "/filters").await;
    house.database.remove_filter(a).await.unwrap();
    let got = change(&house, &token, order.clone(), &before, Some(json!({"ids": [b]}))).await;
    assert_eq!((got.status, got.error()), REFUSED);
    change(&house, &token, order, "*", Some(json!({"ids": [b]}))).await.ok();
}

#[tokio::test]
async fn a_set_is_replaced_and_removed_only_as_it_was_read() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    house.database.set_named(None, "shared", "oslo").await.unwrap();
    let terms = |term: &str| Some(json!({"terms": [term]}));
    let put = (Method::PUT, "/sets/towns");
    // There is none to replace.
    for known in ["*", "\"1\""] {
        let got = change(&house, &token, put.clone(), known, terms("oslo")).await;
        assert_eq!((got.status, got.error()), REFUSED, "{known}");
    }
    house.ask(Method::PUT, &token, "/sets/towns", json!({"terms": ["oslo"]})).await.ok();
    let old = tag(&house, &token, "/sets/towns").await;
    change(&house, &token, put.clone(), &old, terms("rome")).await.ok();
    let remove = (Method::DELETE, "/sets/towns");
    for (what, body) in [(put.clone(), terms("bonn")), (remove.clone(), None)] {
        let got = change(&house, &token, what, &old, body).await;
        assert_eq!((got.status, got.error()), REFUSED);
    }
    assert_eq!(house.get(&token, "/sets/towns").await.ok()["terms"], json!(["rome"]));
    change(&house, &token, put, "*", terms("bonn")).await.ok();
    let now = tag(&house, &token, "/sets/towns").await;
    // Another set is none of its business.
    house.ask(Method::PUT, &token, "/sets/other", json!({"terms": ["oslo"]})).await.ok();
    change(&house, &token, remove.clone(), &now, None).await.ok();
    assert_eq!(change(&house, &token, remove, &now, None).await.error(), "not_found");
    // One of all is what the account's filters know, until it has its own.
    let all = tag(&house, &token, "/sets/shared").await;
    change(&house, &token, (Method::PUT, "/sets/shared"), &all, terms("rome")).await.ok();
    let got = change(&house, &token, (Method::PUT, "/sets/shared"), &all, terms("bonn")).await;
    assert_eq!((got.status, got.error()), REFUSED);
}

/// What changes between the look at the tag and the change itself.
#[tokio::test]
async fn the_store_looks_once_more_when_nobody_else_can_change_it() {
    let house = House::new().await;
    let (ann, _) = house.account("ann", Scope::Write).await;
    let database = &house.database;
    let filter = house.filter(ann, "snow").await;
    let rows = database.account_filters(ann).await.unwrap();
    let (basis, revision) = (Basis::of(&rows), rows[0].revision);
    database.enable_filter(filter, false).await.unwrap();
    assert!(!database.order_filters_on(ann, &[filter], Some(basis)).await.unwrap());
    let removed = database.remove_filter_of(filter, Some(revision)).await.unwrap();
    assert!(matches!(removed, Changed::Meanwhile(now) if now > revision), "{removed:?}");
    assert_eq!(
        database.filter(filter).await.unwrap().unwrap().revision,
        match removed {
            Changed::Meanwhile(now) => now,
            other => panic!("{other:?}"),
        }
    );

    let quota = SetQuota { sets: 9, bytes: 99 };
    database.set_named(Some(ann), "towns", "oslo").await.unwrap();
    let known = database.set_revision(ann, "towns").await.unwrap().unwrap();
    database.set_named(Some(ann), "towns", "rome").await.unwrap();
    let kept = database.replace_own(ann, "towns", "bonn", quota, known).await.unwrap();
    assert_eq!(kept, SetKept::Meanwhile);
    let removed = database.remove_own(ann, "towns", Some(known)).await.unwrap();
    assert!(matches!(removed, Changed::Meanwhile(_)), "{removed:?}");
    assert_eq!(database.named_sets(Some(ann)).await.unwrap(), [("towns".to_owned(), "rome".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_of_what_it_was_changes_what_it_is_by_now() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let path = format!("/filters/{}", house.filter(ann, "snow").await);
    let changes = (0..16).map(|n| match n % 2 {
        0 => json!({"name": format!("n{n}")}),
        _ => json!({"text": format!("snow{n}")}),
    });
    let all = changes.map(|change| house.ask(Method::PATCH, &token, &path, change));
    for got in futures_util::future::join_all(all).await {
        got.ok();
    }
    let now = house.get(&token, &path).await;
    let (name, text) = (now.ok()["name"].as_str().unwrap(), now.ok()["text"].as_str().unwrap());
    assert!(
        name.starts_with('n') && text.starts_with("snow") && text != "snow",
        "neither undid the other: {now:?}"
    );
}
