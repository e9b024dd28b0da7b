//! Feeds at secret addresses.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use tweetfilter_sql::Scope;

use crate::house::{House, request};

pub async fn read(house: &House, path: &str) -> (StatusCode, String, String) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let response = house.app.clone().oneshot(request).await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let (status, body) = (response.status(), response.into_body());
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    (status, kind, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn a_feed_is_read_without_a_token_until_it_is_revoked() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let filter = house.filter(ann, "snow").await;
    house.post("7", "Snow & <b>ice</b>\u{0}", false, &[(ann, &[filter])]).await;
    house.post("8", "something else", false, &[(ann, &[])]).await;
    let got = house.ask(Method::POST, &token, "/feeds", json!({"filter": filter})).await;
    assert_eq!(got.status, StatusCode::CREATED);
    let feed = got.ok();
    let (status, kind, xml) = read(&house, feed["atom"].as_str().unwrap()).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "application/atom+xml; charset=utf-8"));
    assert!(xml.contains("<content type=\"text\">Snow &amp; &lt;b&gt;ice&lt;/b&gt;</content>"), "{xml}");
    assert!(xml.contains("<link href=\"https://x.com/bob/status/7\"/>") && !xml.contains("something else"));
    let own = |path: &Value| format!("<link rel=\"self\" type=\"application/atom+xml\" href={path}/>");
    assert!(xml.contains(&own(&feed["atom"])), "{xml}");
    let (_, kind, text) = read(&house, feed["json"].as_str().unwrap()).await;
    assert_eq!(kind, "application/feed+json; charset=utf-8");
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&json["title"], &json["items"][0]["id"]), (&json!("snow"), &json!("urn:tweetfilter:x:7")));
    assert_eq!(json["feed_url"], feed["json"]);
    let listed = house.get(&token, "/feeds").await;
    assert_eq!(listed.ok()[0]["filter"], filter);
    assert!(!listed.json.to_string().contains("atom"), "the address is not shown again");

    let path = format!("/feeds/{}", feed["id"]);
    house.send(request(Method::DELETE, &path, &token, None)).await.ok();
    for path in [feed["atom"].as_str().unwrap(), "/feeds/x.atom", "/feeds/x"] {
        assert_eq!(read(&house, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
