//! The OpenAPI document, and a page on which people read it: plain HTML, without a script.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::document;

const STYLE: &str = include_str!("manual.css");

/// What an OpenAPI document is; all of it is said by its specification.
struct OpenApiDocument;

impl ToSchema for OpenApiDocument {}

impl PartialSchema for OpenApiDocument {
    fn schema() -> RefOr<Schema> {
        let part = |kind: Type, what: &str| {
            let part = ObjectBuilder::new().schema_type(kind).description(Some(what));
            RefOr::T(Schema::Object(part.build()))
        };
        let document = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("An OpenAPI document, as https://spec.openapis.org/oas/latest.html says."))
            .property("openapi", part(Type::String, "The version of the specification."))
            .required("openapi")
            .property("info", part(Type::Object, "What is described."))
            .required("info")
            .property("paths", part(Type::Object, "All routes, by path and method."))
            .required("paths")
            .property("components", part(Type::Object, "What they take and answer."));
        RefOr::T(Schema::Object(document.build()))
    }
}

/// The document that describes all routes, for programs.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "manual", security(()),
    responses((status = 200, description = "An OpenAPI document", content_type = "application/json",
        body = OpenApiDocument)))]
pub(super) async fn openapi() -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], axum::Json(document())).into_response()
}

/// The same for people.
#[utoipa::path(get, path = "/manual", operation_id = "get_manual", tag = "manual", security(()),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
pub(super) async fn page() -> Response {
    let policy =
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))];
    let document = serde_json::to_value(document()).unwrap_or_default();
    (headers, Html(html(&document))).into_response()
}

/// How that page looks.
#[utoipa::path(get, path = "/manual.css", operation_id = "get_manual_style", tag = "manual", security(()),
    responses((status = 200, description = "A style sheet", content_type = "text/css", body = String)))]
pub(super) async fn style() -> Response {
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, STYLE).into_response()
}

fn html(document: &Value) -> String {
    let mut index = String::new();
    let mut body = String::new();
    let empty = serde_json::Map::new();
    let paths = document["paths"].as_object().unwrap_or(&empty);
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap_or(&empty) {
            if !operation.is_object() {
                continue;
            }
            let title = format!("{} {path}", method.to_uppercase());
            let anchor = operation["operationId"].as_str().unwrap_or(&title);
            let (anchor, title) = (escape(anchor), escape(&title));
            index.push_str(&format!("<li><a href=\"#{anchor}\">{title}</a></li>\n"));
            body.push_str(&format!("<section id=\"{anchor}\"><h2>{title}</h2>\n"));
            for field in ["summary", "description"] {
                if let Some(text) = operation[field].as_str() {
                    body.push_str(&format!("<p>{}</p>\n", prose(text)));
                }
            }
            body.push_str(&parameters(operation));
            if let Some(schema) = operation["requestBody"]["content"]["application/json"].get("schema") {
                body.push_str(&format!("<h3>Body</h3>\n{}", shape(document, schema)));
            }
            let data = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            let created = &operation["responses"]["201"]["content"]["application/json"]["schema"];
            let answer = if data.is_null() { created } else { data };
            if let Some(data) = answer_data(document, answer) {
                body.push_str(&format!("<h3>Data of the answer</h3>\n{}", shape(document, data)));
            }
            body.push_str("</section>\n");
        }
    }
    let about = document["info"]["description"].as_str().unwrap_or_default();
    let about: String = about.split("\n\n").map(|part| format!("<p>{}</p>\n", prose(part))).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>The API of tweetfilter</title><link rel=\"stylesheet\" href=\"/manual.css\"></head>\n\
         <body><header><h1>The API of tweetfilter</h1>\n{about}\
         <p><a href=\"/api/v1/openapi.json\">The same for programs</a></p></header>\n\
         <nav aria-label=\"Routes\"><ul>\n{index}</ul></nav>\n<main>\n{body}</main></body></html>\n"
    )
}

fn parameters(operation: &Value) -> String {
    let Some(list) = operation["parameters"].as_array().filter(|list| !list.is_empty()) else {
        return String::new();
    };
    let mut shown = String::from("<h3>Parameters</h3>\n<dl>\n");
    for parameter in list {
        let (name, place) = (&parameter["name"], &parameter["in"]);
        let kind = kind(&parameter["schema"]);
        shown.push_str(&format!(
            "<dt><code>{}</code> <small>{}, {}</small></dt><dd>{}</dd>\n",
            escape(name.as_str().unwrap_or_default()),
            escape(place.as_str().unwrap_or_default()),
            escape(&kind),
            prose(parameter["description"].as_str().unwrap_or_default()),
        ));
    }
    shown + "</dl>\n"
}

/// The schema of `data` within an answer.
fn answer_data<'d>(document: &'d Value, schema: &'d Value) -> Option<&'d Value> {
    resolve(document, schema)["properties"].get("data").filter(|data| !data.is_null())
}

/// What a reference stands for.
fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let path = schema["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    path.and_then(|path| document.pointer(path)).unwrap_or(schema)
}

/// The fields of an object, or of what a list holds, one level deep.
fn shape(document: &Value, schema: &Value) -> String {
    let mut inner = schema;
    for _ in 0..4 {
        inner = resolve(document, inner);
        let of_choice = ["oneOf", "anyOf"].iter().find_map(|name| inner[name].as_array());
        let choice = of_choice.and_then(|list| list.iter().find(|one| one["type"] != "null"));
        inner = match (choice, inner.get("items")) {
            (Some(one), _) => one,
            (None, Some(items)) => items,
            _ => break,
        };
    }
    let mut parts = vec![resolve(document, inner)];
    if let Some(all) = inner["allOf"].as_array() {
        parts = all.iter().map(|part| resolve(document, part)).collect();
    }
    let mut shown = format!("<p><small>{}</small></p>\n<dl>\n", escape(&kind(schema)));
    for part in parts {
        let Some(properties) = part["properties"].as_object() else { continue };
        for (name, field) in properties {
            shown.push_str(&format!(
                "<dt><code>{}</code> <small>{}</small></dt><dd>{}</dd>\n",
                escape(name),
                escape(&kind(field)),
                prose(field["description"].as_str().unwrap_or_default()),
            ));
        }
    }
    shown + "</dl>\n"
}

/// The type of a schema, in a word or a few.
fn kind(schema: &Value) -> String {
    if let Some(path) = schema["$ref"].as_str() {
        return path.rsplit('/').next().unwrap_or_default().to_owned();
    }
    for name in ["oneOf", "anyOf", "allOf"] {
        if let Some(list) = schema[name].as_array() {
            let kinds: Vec<_> = list.iter().map(kind).filter(|kind| kind != "null").collect();
            return kinds.join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
            let one = names.iter().find(|name| **name != "null").copied().unwrap_or("null");
            if one == "array" {
                format!("list of {}, or null", kind(&schema["items"]))
            } else {
                format!("{one} or null")
            }
        }
        _ => "any".to_owned(),
    }
}

/// A text of people, in which what stands between two backticks is code.
fn prose(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, (code, behind))) =
        rest.split_once('`').and_then(|(before, from)| Some((before, from.split_once('`')?)))
    {
        out.push_str(&format!("{}<code>{}</code>", escape(before), escape(code)));
        rest = behind;
    }
    out + &escape(rest)
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_route_once() {
        let document = serde_json::to_value(document()).unwrap();
        let page = html(&document);
        for path in document["paths"].as_object().unwrap().keys() {
            assert!(page.contains(&escape(path)), "{path}");
        }
        assert!(page.contains("<code>highlights</code>"));
        assert!(!page.contains("<script"));
    }
}
