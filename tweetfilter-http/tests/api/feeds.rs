//! Feeds at secret addresses.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use tweetfilter_http::api::Options;
use tweetfilter_sql::{Database, Scope};

use crate::house::{House, patient, request};

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
    assert_eq!(json["title"], "snow");
    assert_eq!(json["items"][0]["id"], names(&xml)[1], "in each of its forms a post has one name");
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

/// What a feed and its entries are called.
fn names(xml: &str) -> Vec<String> {
    let names = xml.split("<id>").skip(1).map(|rest| rest.split_once("</id>").unwrap().0.to_owned());
    let names: Vec<String> = names.collect();
    for name in &names {
        let parts: Vec<_> = name.strip_prefix("urn:uuid:").unwrap().split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{name}");
        assert!(parts.concat().bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{name}");
        assert!(parts[2].starts_with('8') && parts[3].starts_with(['8', '9', 'a', 'b']), "{name}");
    }
    names
}

#[tokio::test]
async fn names_are_of_the_installation_and_last_as_long_as_it() {
    let (one, other) = (House::new().await, House::new().await);
    let mut all = Vec::new();
    for house in [&one, &other] {
        let (ann, token) = house.account("ann", Scope::Write).await;
        let filter = house.filter(ann, "snow").await;
        house.post("7", "Snow", false, &[(ann, &[filter])]).await;
        let feed = house.ask(Method::POST, &token, "/feeds", json!({"filter": filter})).await;
        let path = feed.ok()["atom"].as_str().unwrap().to_owned();
        let said = names(&read(house, &path).await.2);
        assert_eq!(said.len(), 2);
        // The same when the server begins anew.
        let again = House::over(Database::open(&house.file()).await.unwrap(), patient());
        assert_eq!(names(&read(&again, &path).await.2), said);
        // And a post has the same name in another feed, which has one of its own.
        let feed = house.ask(Method::POST, &token, "/feeds", json!({"filter": filter})).await;
        let second = names(&read(house, feed.ok()["atom"].as_str().unwrap()).await.2);
        assert!(second[1] == said[1] && second[0] != said[0], "{second:?} {said:?}");
        all.extend(said);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4, "{all:?}");
}

#[tokio::test]
async fn a_feed_says_where_it_is_if_somebody_told_the_server() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let filter = house.filter(ann, "snow").await;
    let feed = house.ask(Method::POST, &token, "/feeds", json!({"filter": filter})).await;
    let [atom, json] = ["atom", "json"].map(|form| feed.ok()[form].as_str().unwrap().to_owned());
    let options = Options { public_address: Some("https://c.example".into()), ..patient() };
    let named = House::over(house.database.clone(), options);
    let by_host = [("host", "a.example")];
    let by_proxy = [("host", "a.example"), ("x-forwarded-proto", "https")];
    for (house, headers, address) in [
        // Whether there was TLS in between nobody knows.
        (&house, &by_host[..], ""),
        (&house, &by_proxy[..], "https://a.example"),
        (&named, &by_proxy[..], "https://c.example"),
    ] {
        let read = async |path: &str| {
            let mut request = Request::builder().uri(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = house.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        let xml = read(&atom).await;
        let own = format!("<link rel=\"self\" type=\"application/atom+xml\" href=\"{address}{atom}\"/>");
        assert!(xml.contains(&own), "{xml}");
        let text: Value = serde_json::from_str(&read(&json).await).unwrap();
        assert_eq!(text["feed_url"], format!("{address}{json}"));
    }
}
