//! Whether the OpenAPI document is one that generators of clients read: what its specification asks for, and what they need
//! beyond that.

use std::collections::HashSet;

use axum::http::Method;
use serde_json::{Value, json};
use tweetfilter_http::api::document;
use tweetfilter_sql::Scope;

use crate::house::{House, request};

/// Path, method and what the document says of each route.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((path.as_str(), method.as_str(), operation));
        }
    }
    assert!(all.len() > 30);
    all
}

fn parameters(operation: &Value) -> impl Iterator<Item = &Value> {
    operation["parameters"].as_array().into_iter().flatten()
}

/// All that is said anywhere in a document, the outermost first.
fn everything(value: &Value) -> Vec<&Value> {
    let mut all = vec![value];
    let mut at = 0;
    while at < all.len() {
        match all[at] {
            Value::Array(list) => all.extend(list),
            Value::Object(fields) => all.extend(fields.values()),
            _ => {}
        }
        at += 1;
    }
    all
}

#[test]
fn every_operation_has_a_name_of_its_own_and_every_answer_a_description() {
    let document = serde_json::to_value(document()).unwrap();
    let mut names = HashSet::new();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{method} {path} is called {name}, as another is");
        assert!(
            !matches!(name, "list" | "get" | "add" | "remove" | "import" | "export"),
            "{method} {path}: {name}"
        );
        for (status, response) in operation["responses"].as_object().unwrap() {
            let said = response["description"].as_str().unwrap_or_default();
            assert!(!said.is_empty(), "{method} {path}: {status}");
        }
    }
}

#[test]
fn what_is_referred_to_is_there_and_what_a_path_names_is_declared() {
    let document = serde_json::to_value(document()).unwrap();
    for value in everything(&document) {
        if let Some(path) = value.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(path.trim_start_matches('#')).is_some(), "{path}");
        }
    }
    for (path, method, operation) in operations(&document) {
        let named: HashSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let declared: HashSet<_> = parameters(operation)
            .filter(|parameter| parameter["in"] == "path")
            .inspect(|parameter| assert_eq!(parameter["required"], true, "{method} {path}"))
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(named, declared, "{method} {path}");
        for parameter in parameters(operation) {
            // What is not said is absent: there is no null in an address or a header.
            let kind = parameter["schema"]["type"].to_string();
            assert!(!kind.contains("null"), "{method} {path}: {parameter}");
            let said = parameter["description"].as_str().unwrap_or_default();
            assert!(!said.is_empty(), "{method} {path}: {parameter}");
        }
    }
}

#[test]
fn what_generators_can_not_read_is_said_otherwise() {
    let document = serde_json::to_value(document()).unwrap();
    let all = everything(&document);
    // A schema that is `false` is one, and few know it.
    let odd = |value: &&&Value| value.get("prefixItems").is_some() || value["items"].is_boolean();
    assert_eq!(all.iter().find(odd), None);
    for (schema, kind) in [("Place", json!("array")), ("Link", json!(["array", "null"]))] {
        let pair = &document["components"]["schemas"][schema]["properties"]["utf16"];
        assert_eq!(pair["type"], kind, "{schema}");
        assert_eq!((&pair["minItems"], &pair["maxItems"]), (&json!(2), &json!(2)), "{schema}");
        let number = json!({"type": "integer", "format": "int32", "minimum": 0});
        assert_eq!(pair["items"], number, "{schema}");
    }
    assert_eq!(document["servers"], json!([{"url": "/"}]));
    // Each thing is one type, whichever route answers with it.
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let referred: HashSet<_> = all.iter().filter_map(|value| value["$ref"].as_str()).collect();
    for name in schemas.keys() {
        assert!(referred.contains(&format!("#/components/schemas/{name}")[..]), "{name} is never used");
    }
}

#[test]
fn words_and_bounds_are_said_to_programs() {
    let document = serde_json::to_value(document()).unwrap();
    let of = |schema: &str, name: &str| {
        let mut schema = &document["components"]["schemas"][schema]["properties"][name];
        let all = schema.get("oneOf").or(schema.get("allOf")).and_then(|list| list.get(0));
        schema = all.unwrap_or(schema);
        let path = schema["$ref"].as_str().map(|path| path.trim_start_matches('#'));
        path.and_then(|path| document.pointer(path)).unwrap_or(schema).clone()
    };
    let actions = json!(["show", "hide", "highlight", "notify"]);
    let dialects = json!(["native", "x"]);
    for schema in ["AddFilter", "ChangeFilter", "ShownFilter", "PreviewOf"] {
        assert_eq!(of(schema, "action")["enum"], actions, "{schema}");
        assert_eq!(of(schema, "dialect")["enum"], dialects, "{schema}");
    }
    assert_eq!(of("Import", "action")["enum"], actions);
    for schema in ["CheckFilter", "SearchFor", "ExplainPost"] {
        assert_eq!(of(schema, "dialect")["enum"], dialects, "{schema}");
    }
    for schema in ["AddToken", "NewToken", "ShownToken"] {
        assert_eq!(of(schema, "scope")["enum"], json!(["read", "write", "admin"]), "{schema}");
    }
    assert_eq!(of("Finding", "severity")["enum"], json!(["warning", "error"]));
    let bounds = |schema: &Value| (schema["minimum"].as_f64(), schema["maximum"].as_f64());
    assert_eq!(bounds(&of("SearchFor", "limit")), (Some(1.0), Some(200.0)));
    assert_eq!(bounds(&of("PreviewOf", "posts")), (Some(1.0), Some(50_000.0)));
    assert_eq!(bounds(&of("PreviewOf", "samples")), (Some(0.0), Some(50.0)));
    let timeline = &document["paths"]["/api/v1/timeline"]["get"];
    let limit = parameters(timeline).find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!(bounds(&limit["schema"]), (Some(1.0), Some(200.0)));
    let history = &document["paths"]["/api/v1/status/history"]["get"];
    let hours = &parameters(history).next().unwrap()["schema"];
    assert_eq!((hours["exclusiveMinimum"].as_f64(), hours["maximum"].as_f64()), (Some(0.0), Some(168.0)));
}

#[test]
fn what_is_always_answered_is_required_even_if_it_may_be_null() {
    let document = serde_json::to_value(document()).unwrap();
    let required = |schema: &str, name: &str| {
        let schema = &document["components"]["schemas"][schema];
        assert!(schema["properties"][name].is_object(), "{schema}");
        schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name))
    };
    for (schema, names) in [
        ("ShownFilter", &["expires_at", "unused"] as &[_]),
        ("ShownPost", &["url", "retweeted_by"]),
        ("Content", &["warning", "lang", "quote", "likes"]),
        ("ErrorBody", &["span"]),
        ("Finding", &["second"]),
    ] {
        for name in names {
            assert!(required(schema, name), "{schema}.{name}");
        }
    }
    for (schema, name) in [("Summary", "next"), ("Content", "segments"), ("ErrorBody", "diagnostics")] {
        assert!(!required(schema, name), "{schema}.{name}");
    }
    // Of what is sent the same may be left out.
    assert!(!required("AddFilter", "expires_at") && !required("SearchFor", "before"));
}

#[tokio::test]
async fn headers_that_are_answered_or_taken_are_described() {
    let document = serde_json::to_value(document()).unwrap();
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    for (method, path, filled, body) in [
        (Method::POST, "/filters", "/filters", json!({"text": "snow"})),
        (Method::GET, "/filters", "/filters", Value::Null),
        (Method::GET, "/filters/{id}", "/filters/1", Value::Null),
        (Method::PATCH, "/filters/{id}", "/filters/1", json!({"name": "a"})),
        (Method::PUT, "/filters/order", "/filters/order", json!({"ids": [1]})),
        (Method::PUT, "/sets/{name}", "/sets/a", json!({"terms": ["b"]})),
        (Method::GET, "/sets/{name}", "/sets/a", Value::Null),
        (Method::GET, "/sets", "/sets", Value::Null),
        (Method::GET, "/timeline", "/timeline", Value::Null),
        (Method::GET, "/me", "/me", Value::Null),
        (Method::POST, "/feeds", "/feeds", json!({"filter": 1})),
        (Method::POST, "/tokens", "/tokens", json!({"scope": "read"})),
        (Method::DELETE, "/filters/{id}", "/filters/1", Value::Null),
    ] {
        let body = (!body.is_null()).then_some(body);
        let got = house.send(request(method.clone(), filled, &token, body)).await;
        got.ok();
        let operation = &document["paths"][format!("/api/v1{path}")][method.as_str().to_lowercase()];
        let told = &operation["responses"][got.status.as_str()]["headers"];
        for name in ["ETag", "Location"] {
            assert_eq!(got.headers.contains_key(name), told[name].is_object(), "{method} {path}: {name}");
        }
        let takes = |name: &str| parameters(operation).any(|parameter| parameter["name"] == name);
        if method == Method::GET {
            assert_eq!(got.headers.contains_key("etag"), takes("If-None-Match"), "{path}");
        }
    }
    for (path, method, operation) in operations(&document) {
        for status in ["429", "503"] {
            let response = &operation["responses"][status];
            assert!(
                response.is_null() || response["headers"]["Retry-After"].is_object(),
                "{method} {path}: {status}"
            );
        }
    }
}
