//! Requests that nobody means well with, and what browsers may do.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;
use tower::ServiceExt;
use tweetfilter_http::api::{Options, digest};
use tweetfilter_sql::Scope;

use crate::house::{House, patient, request};
use crate::maria::Maria;
use crate::server::{exchange, start};

#[tokio::test]
async fn two_requests_are_never_read_out_of_one() {
    let house = House::new().await;
    let server = start(&house).await;
    let send = async |head: &str| {
        let second = "GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let bytes = format!("POST /api/v1/check HTTP/1.1\r\nHost: a\r\n{head}\r\n0\r\n\r\n{second}");
        exchange(server.address, bytes.as_bytes()).await
    };
    // Where only one reading is possible, both are answered: what is looked for below can be seen.
    for head in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        let answer = send(head).await;
        assert!(
            answer.starts_with("HTTP/1.1 401") && answer.contains("\"state\":\"live\""),
            "{head}: {answer}"
        );
    }
    // Whoever stands in front may read these in another way; so each is refused, and the connection closed.
    for (name, head) in [
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ("chunks in a list", "Transfer-Encoding: chunked, identity\r\n"),
        ("blank before colon", "Content-Length : 5\r\n"),
        ("folded line", "X-A: b\r\n c: d\r\n"),
        ("no number", "Content-Length: +5\r\n"),
        ("bare line feed in a name", "X\nA: b\r\n"),
    ] {
        let answer = send(head).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{name}: {answer}");
        assert!(!answer.contains("\"state\":\"live\""), "{name}: a second request was read: {answer}");
    }
}

#[tokio::test]
async fn bodies_that_are_deep_or_large_are_refused() {
    let house = House::with(Options { body_bytes: 100_000, ..patient() }).await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let send = |kind: &'static str, body: String| {
        let request = Request::builder().method("POST").uri("/api/v1/check");
        let request = request.header("authorization", format!("Bearer {token}")).header("content-type", kind);
        house.send(request.body(Body::from(body)).unwrap())
    };
    let deep = format!("{{\"text\":{}{}}}", "[".repeat(40_000), "]".repeat(40_000));
    assert_eq!(send("application/json", deep).await.error(), "bad_request");
    let large = format!("{{\"text\":\"{}\"}}", "a".repeat(200_000));
    let got = send("application/json", large).await;
    assert_eq!((got.status, got.error()), (StatusCode::PAYLOAD_TOO_LARGE, "body"));
    let got = send("text/plain", "{\"text\":\"a\"}".to_owned()).await;
    assert_eq!((got.status, got.error()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json"));
    assert_eq!(send("application/json", "{\"text\":\"\u{d7ff}".to_owned()).await.error(), "bad_request");
    send("application/json", "{\"text\":\"snow\"}".to_owned()).await.ok();
}

#[tokio::test]
async fn other_pages_may_not_call_unless_they_are_named() {
    let asked = |house: &House, origin: &str| {
        let request = Request::builder().method(Method::OPTIONS).uri("/api/v1/me");
        let request = request.header("origin", origin).header("access-control-request-method", "GET");
        let request = request.header("access-control-request-headers", "authorization");
        house.app.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let closed = House::new().await;
    let answer = asked(&closed, "https://a.example").await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    let options = Options { origins: vec!["https://a.example".into()], ..patient() };
    let house = House::with(options).await;
    let answer = asked(&house, "https://a.example").await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://a.example");
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    let answer = asked(&house, "https://b.example").await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_want_it() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Read).await;
    let mut asked = request(Method::GET, "/operators", &token, None);
    asked.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    let answer = house.app.clone().oneshot(asked).await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let mut live = request(Method::GET, "/live", &token, None);
    live.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
    let answer = house.app.clone().oneshot(live).await.unwrap();
    assert!(!answer.headers().contains_key("content-encoding"), "events would wait in the compressor");
}

#[tokio::test]
async fn what_is_compressed_has_an_exact_tag_of_its_own() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let filter = house.filter(ann, &format!("snow{}", " OR rain".repeat(100))).await;
    let path = format!("/filters/{filter}");
    let asked = async |method: Method, body: Option<serde_json::Value>, headers: &[(&'static str, &str)]| {
        let mut asked = request(method, &path, &token, body);
        for (name, value) in headers {
            asked.headers_mut().insert(*name, value.parse().unwrap());
        }
        let answer = house.app.clone().oneshot(asked).await.unwrap();
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status(), tag.unwrap_or_default())
    };
    let gzip = ("accept-encoding", "gzip");
    let (_, plain) = asked(Method::GET, None, &[]).await;
    let (_, compressed) = asked(Method::GET, None, &[gzip]).await;
    assert!(
        plain.starts_with('"') && compressed.starts_with('"') && plain != compressed,
        "{plain} {compressed}"
    );
    // Whichever is known, nothing has changed; and whoever changes something may say it.
    for tag in [&plain, &compressed] {
        let (status, told) = asked(Method::GET, None, &[gzip, ("if-none-match", tag)]).await;
        assert_eq!((status, &told), (StatusCode::NOT_MODIFIED, tag));
    }
    let change = Some(serde_json::json!({"name": "a"}));
    let (status, now) = asked(Method::PATCH, change.clone(), &[gzip, ("if-match", &compressed)]).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(now, compressed);
    let (status, _) = asked(Method::PATCH, change, &[gzip, ("if-match", &compressed)]).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
}

const TEXTS: &[&str] = &[
    "'; DROP TABLE filter; --",
    "\" OR 1=1 #",
    "\\' OR \\'\\'=\\'",
    "<script>alert(1)</script>",
    "%s%n${7*7}{{7*7}}",
    "\u{1f600}\u{202e}\u{feff}é\u{301}",
    "a\tb",
    "NULL",
];

#[tokio::test]
async fn what_looks_like_code_is_kept_as_it_is() {
    kept_as_it_is(&House::new().await).await;
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let database = server.database("kept").await;
    kept_as_it_is(&House::over(database, patient())).await;
}

async fn kept_as_it_is(house: &House) {
    let account = house.database.add_account("ann", &[]).await.unwrap();
    house.database.add_token(account, "", &digest("secret"), Scope::Admin).await.unwrap();
    for text in TEXTS {
        let quoted = format!("contains:\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let body = json!({"text": quoted, "name": text});
        let got = house.ask(Method::POST, "secret", "/filters", body).await;
        let path = format!("/filters/{}", got.ok()["id"]);
        let got = house.get("secret", &path).await;
        assert_eq!((&got.ok()["name"], &got.ok()["text"]), (&json!(text), &json!(quoted)));
        house.post(text, text, false, &[(account, &[])]).await;
        let got = house.get("secret", "/timeline?limit=1").await;
        assert_eq!((&got.ok()[0]["id"], &got.ok()[0]["content"]["text"]), (&json!(text), &json!(text)));
        // A path is made of its bytes; each is a name like any other.
        let name: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        house.ask(Method::PUT, "secret", &format!("/reading/{name}"), json!({"up_to": "1-1"})).await.ok();
        let got = house.get("secret", "/reading").await;
        assert!(got.ok().as_array().unwrap().iter().any(|place| place["name"] == *text), "{text}: {got:?}");
    }
    let got = house.get("secret", "/filters").await;
    assert_eq!(got.ok().as_array().unwrap().len(), TEXTS.len());
}
