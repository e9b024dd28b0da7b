//! Who may ask what. The routes are those of the OpenAPI document, so that none can be forgotten.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tweetfilter_http::api::{Options, document};
use tweetfilter_sql::{Database, Scope};

use crate::described::wrong;
use crate::house::{House, patient, request};
use crate::maria::Maria;

/// Routes that need no token.
const OPEN: &[&str] =
    &["/api/v1/openapi.json", "/feeds/{address}", "/health/live", "/health/ready", "/manual", "/manual.css"];

/// Method and path of every route of the document, with numbers in place of parameters.
pub fn routes() -> Vec<(Method, String, String)> {
    let document = serde_json::to_value(document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let filled: Vec<_> =
                path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
            routes.push((method, path.clone(), filled.join("/")));
        }
    }
    assert!(routes.len() > 10);
    routes
}

fn plain(method: &Method, path: &str, authorization: Option<&str>) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let builder = match authorization {
        Some(value) => builder.header("authorization", value),
        None => builder,
    };
    builder.body(Body::from("{}")).unwrap()
}

#[tokio::test]
async fn every_route_refuses_whoever_has_no_good_token() {
    let house = House::new().await;
    let (ann, revoked) = house.account("ann", Scope::Admin).await;
    let number = house.database.tokens().await.unwrap()[0].id;
    assert!(house.database.revoke_token(number).await.unwrap());
    let good = house.token(ann, Scope::Admin).await;
    let cut = &good[..good.len() - 1];
    for (method, path, filled) in routes() {
        if OPEN.contains(&path.as_str()) {
            continue;
        }
        let wrong = format!("Bearer tf_{}", "0".repeat(64));
        let bad = [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer "),
            Some(wrong.as_str()),
            Some(&format!("Bearer {revoked}")[..]),
            Some(&format!("Bearer {cut}")[..]),
            Some(&format!("Basic {good}")[..]),
            Some(&good[..]),
            Some("Bearer '; DROP TABLE token; --"),
        ]
        .map(|value| value.map(str::to_owned));
        for authorization in bad {
            let got = house.send(plain(&method, &filled, authorization.as_deref())).await;
            assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{method} {path} with {authorization:?}");
            assert!(matches!(got.error(), "no_token" | "unknown_token"));
            assert_eq!(got.headers["www-authenticate"], "Bearer");
        }
    }
}

#[test]
fn the_document_says_which_routes_need_no_token() {
    let document = serde_json::to_value(document()).unwrap();
    let mut open = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            if operation["security"] == json!([{}]) {
                open.push(path.as_str());
            }
        }
    }
    assert_eq!(open, OPEN);
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values().filter(|one| one["security"] != json!([{}])) {
            for status in ["401", "429", "503"] {
                assert!(operation["responses"][status]["description"].is_string(), "{path} {status}");
            }
        }
    }
    // What a refusal is, is said wherever one is.
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                let is_refusal = *schema == "#/components/schemas/Refused";
                assert_eq!(is_refusal, status.starts_with(['4', '5']), "{path} {status}: {response}");
            }
        }
    }
    assert_eq!(document["security"], json!([{"token": []}]));
    // What else a route may refuse follows from what it takes and who may ask it.
    for (method, path, refusals) in [
        ("get", "/me", vec![]),
        ("get", "/filters/{id}", vec!["400"]),
        ("post", "/check", vec!["400", "408", "413", "415"]),
        ("post", "/filters", vec!["400", "403", "408", "413", "415"]),
        ("delete", "/filters/{id}", vec!["400", "403"]),
        ("get", "/dead-letters", vec!["400", "403"]),
    ] {
        let responses = &document["paths"][format!("/api/v1{path}")][method]["responses"];
        let all = ["400", "403", "408", "413", "415"].into_iter();
        let told: Vec<_> = all.filter(|status| responses[*status]["description"].is_string()).collect();
        assert_eq!(told, refusals, "{method} {path}");
    }
}

#[tokio::test]
async fn a_token_does_what_its_scope_says_and_no_more() {
    let house = House::new().await;
    let (ann, read) = house.account("ann", Scope::Read).await;
    let write = house.token(ann, Scope::Write).await;
    let filter = json!({"text": "snow"});
    let got = house.ask(Method::POST, &read, "/filters", filter.clone()).await;
    assert_eq!((got.status, got.error()), (StatusCode::FORBIDDEN, "scope"));
    assert!(got.json["error"]["message"].as_str().unwrap().contains("token add ann --scope write"));
    house.ask(Method::POST, &write, "/filters", filter).await.ok();
    house.get(&read, "/filters").await.ok();
    house.ask(Method::POST, &read, "/check", json!({"text": "snow"})).await.ok();
}

#[tokio::test]
async fn the_document_has_the_routes_and_the_routes_are_there() {
    let document = serde_json::to_value(document()).unwrap();
    let house = House::new().await;
    // What has number 1 is somebody else's, or the token would revoke itself.
    house.account("ben", Scope::Admin).await;
    let (_, token) = house.account("ann", Scope::Admin).await;
    for (method, path, filled) in routes() {
        // The one never ends, the other is not there without a feed.
        if path == "/api/v1/live" || path.starts_with("/feeds/") {
            continue;
        }
        let got = house.send(plain(&method, &filled, Some(&format!("Bearer {token}")))).await;
        let code = got.json["error"]["code"].as_str().unwrap_or_default();
        assert!(!matches!(code, "no_route" | "no_method"), "{method} {path}: {got:?}");
        // What is answered is described.
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        let response = &operation["responses"][got.status.as_str()];
        assert!(response.is_object(), "{method} {path}: {got:?}");
        let schema = response["content"]["application/json"].get("schema");
        assert!(schema.is_some() || got.status.is_success(), "{method} {path}: {got:?}");
        if let Some(schema) = schema {
            assert_eq!(wrong(&document, schema, &got.json, "answer"), None, "{method} {path}");
        }
    }
    let got = house.get(&token, "/nowhere").await;
    assert_eq!((got.status, got.error()), (StatusCode::NOT_FOUND, "no_route"));
    let got = house.send(request(Method::DELETE, "/me", &token, None)).await;
    assert_eq!((got.status, got.error()), (StatusCode::METHOD_NOT_ALLOWED, "no_method"));
}

#[tokio::test]
async fn a_token_says_whose_it_is_and_is_gone_when_it_is_revoked() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let got = house.get(&token, "/me").await;
    let me = got.ok();
    assert_eq!((&me["name"], &me["account"]), (&json!("ann"), &json!(ann)));
    assert_eq!(me["token"]["scope"], "write");
    assert_eq!(me["limits"]["expression_bytes"], tweetfilter_core::Limits::default().expression_bytes);
    assert!(!got.json.to_string().contains(&token), "the secret is not told again");
    house.database.remove_account(ann).await.unwrap();
    assert_eq!(house.get(&token, "/me").await.error(), "unknown_token");
}

#[tokio::test]
async fn a_token_that_was_in_use_is_refused_as_soon_as_it_is_revoked_elsewhere() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let other = house.token(ann, Scope::Write).await;
    // By another process: this one is not told.
    let elsewhere = Database::open(&house.file()).await.unwrap();
    for _ in 0..3 {
        house.get(&token, "/me").await.ok();
        house.get(&other, "/me").await.ok();
    }
    let number = elsewhere.tokens().await.unwrap()[0].id;
    assert!(elsewhere.revoke_token(number).await.unwrap());
    assert_eq!(house.get(&token, "/me").await.error(), "unknown_token");
    house.get(&other, "/me").await.ok();
    elsewhere.remove_account(ann).await.unwrap();
    assert_eq!(house.get(&other, "/me").await.error(), "unknown_token");
    elsewhere.close().await;
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let options = Options { rate: 0.001, burst: 2.0, ..patient() };
    let house = House::with(options).await;
    let (_, token) = house.account("ann", Scope::Read).await;
    house.get(&token, "/me").await.ok();
    house.get(&token, "/me").await.ok();
    let got = house.get(&token, "/me").await;
    assert_eq!((got.status, got.error()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
    assert!(got.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn an_account_lists_makes_and_revokes_its_own_tokens() {
    let house = House::new().await;
    let (ann, write) = house.account("ann", Scope::Write).await;
    let (_, foreign) = house.account("ben", Scope::Write).await;
    let read = house.token(ann, Scope::Read).await;
    let admin = house.token(ann, Scope::Admin).await;

    let got = house.ask(Method::POST, &write, "/tokens", json!({"name": "phone", "scope": "read"})).await;
    assert_eq!(got.status, StatusCode::CREATED);
    let (made, id) = (got.ok()["token"].as_str().unwrap().to_owned(), got.ok()["id"].as_i64().unwrap());
    house.get(&made, "/me").await.ok();
    let listed = house.get(&write, "/tokens").await;
    let tokens = listed.ok().as_array().unwrap();
    let of = |name: &str| -> Vec<_> { tokens.iter().map(|token| token[name].clone()).collect() };
    assert_eq!(of("name"), ["test", "test", "test", "phone"]);
    assert_eq!(of("scope"), ["write", "read", "admin", "read"]);
    assert_eq!(of("current"), [true, false, false, false]);
    assert!(!listed.json.to_string().contains(&made), "the secret is not told again");

    // None that may do more, neither made nor revoked; and who may only read makes none.
    for (token, scope) in [(&write, "admin"), (&read, "read")] {
        let got = house.ask(Method::POST, token, "/tokens", json!({"scope": scope})).await;
        assert_eq!((got.status, got.error()), (StatusCode::FORBIDDEN, "scope"));
    }
    let path = format!("/tokens/{}", tokens[2]["id"]);
    let got = house.send(request(Method::DELETE, &path, &write, None)).await;
    assert_eq!((got.status, got.error()), (StatusCode::FORBIDDEN, "scope"));
    house.get(&admin, "/me").await.ok();

    // When it was used is noted behind the request.
    let mut used = json!(null);
    for _ in 0..200 {
        used = house.get(&write, "/tokens").await.ok()[3]["used_at"].clone();
        if used.is_string() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(used.is_string());

    let path = format!("/tokens/{id}");
    let got = house.send(request(Method::DELETE, &path, &foreign, None)).await;
    assert_eq!(got.error(), "not_found");
    house.send(request(Method::DELETE, &path, &write, None)).await.ok();
    assert_eq!(house.get(&made, "/me").await.error(), "unknown_token");
    assert_eq!(house.get(&write, "/tokens").await.ok().as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_with_a_secret_is_made_once() {
    made_once(&House::new().await).await;
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    made_once(&House::over(server.database("secrets").await, patient())).await;
}

async fn made_once(house: &House) {
    let (ann, token) = house.account("ann", Scope::Write).await;
    let (ben, other) = house.account("ben", Scope::Write).await;
    let (filter, others) = (house.filter(ann, "snow").await, house.filter(ben, "rain").await);
    let secret_of = |path: &str| tweetfilter_http::api::digest(path);
    let make_of = async |secret: String, token: &str, path: &str, body: &Value| {
        let mut body = body.clone();
        body["secret"] = json!(secret);
        house.ask(Method::POST, token, path, body).await
    };
    let make =
        async |token: &str, path: &str, body: &Value| make_of(secret_of(path), token, path, body).await;
    for (path, body, another, foreign) in [
        (
            "/tokens",
            json!({"name": "phone", "scope": "read"}),
            json!({"name": "phone", "scope": "write"}),
            json!({"name": "phone", "scope": "read"}),
        ),
        (
            "/feeds",
            json!({"filter": filter}),
            json!({"filter": house.filter(ann, "hail").await}),
            json!({"filter": others}),
        ),
    ] {
        let before = house.get(&token, path).await.ok().as_array().unwrap().len();
        let first = make(&token, path, &body).await;
        assert_eq!(first.status, StatusCode::CREATED, "{path}: {first:?}");
        let made = first.ok().clone();
        assert!(made.to_string().contains(&secret_of(path)), "{made}");
        // The answer was lost, and it is asked for again, be it twice at once.
        let again = futures_util::future::join_all((0..2).map(|_| make(&token, path, &body))).await;
        for again in again {
            assert_eq!((again.status, again.ok()), (StatusCode::OK, &made), "{path}");
        }
        assert_eq!(house.get(&token, path).await.ok().as_array().unwrap().len(), before + 1, "{path}");
        // Something else is not made of it, nor by somebody else.
        for (token, body) in [(&token, &another), (&other, &foreign)] {
            let got = make(token, path, body).await;
            assert_eq!(
                (got.status, got.error()),
                (StatusCode::UNPROCESSABLE_ENTITY, "secret_taken"),
                "{path}"
            );
        }
        // Nor of the same digits something of the other kind: a feed's address would give the token away.
        let (kind, as_other) = match path {
            "/tokens" => ("/feeds", json!({"filter": filter})),
            _ => ("/tokens", json!({"scope": "read"})),
        };
        let got = make_of(secret_of(path), &token, kind, &as_other).await;
        assert_eq!((got.status, got.error()), (StatusCode::UNPROCESSABLE_ENTITY, "secret_taken"), "{kind}");
        // What is revoked stays so, whoever asks for it again, and as what.
        house.send(request(Method::DELETE, &format!("{path}/{}", made["id"]), &token, None)).await.ok();
        for (token, kind, body) in [
            (&token, path, &body),
            (&token, path, &another),
            (&other, path, &foreign),
            (&token, kind, &as_other),
        ] {
            let got = make_of(secret_of(path), token, kind, body).await;
            assert_eq!(
                (got.status, got.error()),
                (StatusCode::UNPROCESSABLE_ENTITY, "secret_revoked"),
                "{path} as {kind}"
            );
        }
        assert_eq!(house.get(&token, path).await.ok().as_array().unwrap().len(), before, "{path}");
    }
    assert_eq!(house.get(&format!("tf_{}", secret_of("/tokens")), "/me").await.error(), "unknown_token");
    // With its account it is forgotten.
    assert!(house.database.remove_account(ann).await.unwrap());
    let mine = json!({"name": "phone", "scope": "read"});
    assert_eq!(make(&other, "/tokens", &mine).await.status, StatusCode::CREATED);
    let token = other;
    let short = json!({"scope": "read", "secret": "0".repeat(64)});
    let got = house.ask(Method::POST, &token, "/tokens", short).await;
    assert_eq!((got.status, got.error()), (StatusCode::BAD_REQUEST, "bad_request"));
    assert!(got.json["error"]["message"].as_str().unwrap().contains("openssl rand -hex 32"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_made_at_once_are_no_more_than_an_account_may_have() {
    made_at_once(&House::new().await).await;
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    made_at_once(&House::over(server.database("tokens").await, patient())).await;
}

async fn made_at_once(house: &House) {
    let (ann, token) = house.account("ann", Scope::Write).await;
    for _ in 0..94 {
        house.token(ann, Scope::Read).await;
    }
    let add = || house.ask(Method::POST, &token, "/tokens", json!({"scope": "read"}));
    let all = futures_util::future::join_all((0..20).map(|_| add())).await;
    // One that the store has no time for may say so.
    let made = all.iter().filter(|got| got.status == StatusCode::CREATED).count();
    let refused = all.iter().filter(|got| got.json["error"]["code"] == "too_many_tokens").count();
    assert!(made <= 5 && refused > 0, "{made} {refused}");
    assert!(house.database.account_tokens(ann).await.unwrap().len() <= 100);
}
