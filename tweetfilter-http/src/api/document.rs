//! The OpenAPI document: what the routes say of themselves, and what holds for many of them and is said here once.

use std::collections::BTreeSet;

use axum::http::Method;
use tweetfilter_sql::Scope;
use utoipa::openapi::content::Content;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{Array, ArrayItems, Object, ObjectBuilder, Ref, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, RefOr, Required, Server};

use super::caller;
use super::routes::all;

/// The OpenAPI document, made from the routes themselves.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = all().into_openapi();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert("token".to_owned(), SecurityScheme::Http(bearer).into());
    document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("token", [])]);
    // Those that need no token say so.
    for (path, item) in &mut document.paths.paths {
        let with_token = operations(item).filter(|(_, operation)| operation.security.is_none());
        for (method, operation) in with_token {
            tell_refusals(&method, path, operation);
        }
        for (_, operation) in operations(item) {
            give_form(operation);
            describe(operation);
            tell_headers(operation);
            parameters(operation).for_each(never_null);
        }
    }
    require_what_is_answered(&mut document);
    if let Some(components) = &mut document.components {
        components.schemas.values_mut().for_each(tell_pairs);
        refer_to_data(components);
    }
    // Wherever it is served from: behind a server in front of it that is another address than here.
    document.servers = Some(vec![Server::new("/")]);
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
        (Method::PATCH, &mut item.patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn responses(operation: &mut Operation) -> impl Iterator<Item = (&str, &mut Response)> {
    let all = operation.responses.responses.iter_mut();
    all.filter_map(|(status, response)| match response {
        RefOr::T(response) => Some((status.as_str(), response)),
        RefOr::Ref(_) => None,
    })
}

fn parameters(operation: &mut Operation) -> impl Iterator<Item = &mut Parameter> {
    operation.parameters.iter_mut().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

/// Says of each refusal of a route what its body is.
fn give_form(operation: &mut Operation) {
    for (status, response) in responses(operation) {
        if status.starts_with(['4', '5']) && response.content.is_empty() {
            let form = Content::new(Some(Ref::from_schema_name("Refused")));
            response.content.insert("application/json".to_owned(), RefOr::T(form));
        }
    }
}

/// Says how a route that needs a token may refuse.
fn tell_refusals(method: &Method, path: &str, operation: &mut Operation) {
    let takes_body = operation.request_body.is_some();
    let takes = takes_body || operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    let is_for_few = caller::needed(method, path) > Scope::Read;
    let some = [(true, OF_ALL), (takes, OF_WHAT_TAKES), (takes_body, OF_BODIES), (is_for_few, OF_SCOPES)];
    let told = some.into_iter().filter(|(told, _)| *told).flat_map(|(_, refusals)| refusals);
    for (status, why) in told {
        let response = || ResponseBuilder::new().description(*why).into();
        let known = operation.responses.responses.entry((*status).to_owned()).or_insert_with(response);
        if let RefOr::T(known) = known
            && known.description.is_empty()
        {
            (*why).clone_into(&mut known.description);
        }
    }
}

/// A status, and when it is answered.
type Meaning = (&'static str, &'static str);

/// What every route may answer that needs a token.
const OF_ALL: &[Meaning] = &[
    ("401", "No token was sent, or one that is unknown or revoked"),
    ("429", "The token asks too often, or too much at once; `Retry-After` says when to come back"),
    ("503", "The store is away (`store_away`), or busy (`store_busy`); `Retry-After` says when to come back"),
];

/// … of one with parameters, in its path or behind it, or with a body.
const OF_WHAT_TAKES: &[Meaning] = &[("400", "It is not what this route takes; the message says what is")];
const OF_BODIES: &[Meaning] = &[
    ("408", "The body took too long"),
    ("413", "The body broke off, or is longer than `/me` allows"),
    ("415", "The body is not said to be JSON"),
];
const OF_SCOPES: &[Meaning] = &[("403", "The scope of the token does not allow it")];

/// What a status means where a route says no more of it.
const COMMON: &[Meaning] = &[
    ("200", "What was asked for, or what came of it, is `data`"),
    ("201", "It was made, and is `data`"),
    ("404", "There is no such thing, or it is another account's"),
    ("412", "Somebody has changed it meanwhile, so nothing was done (`changed_meanwhile`)"),
    ("422", "It can't be: the error says why, and of an expression where, and the ways out"),
    ("503", "The store is away (`store_away`), or busy (`store_busy`); `Retry-After` says when to come back"),
];

/// Says of each answer what it means: the specification asks for it.
fn describe(operation: &mut Operation) {
    for (status, response) in responses(operation) {
        let known = COMMON.iter().find(|(of, _)| *of == status).filter(|_| response.description.is_empty());
        if let Some((_, meaning)) = known {
            (*meaning).clone_into(&mut response.description);
        }
    }
}

/// Says which headers a route takes and answers with: what has not changed since (304) is known by its tag, and who is to
/// come back is told when.
fn tell_headers(operation: &mut Operation) {
    let may_be_unchanged = operation.responses.responses.contains_key("304");
    if may_be_unchanged {
        let known = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("The `ETag` of an earlier answer, several with commas between them, or `*`"))
            .schema(Some(text()));
        operation.parameters.get_or_insert_default().push(RefOr::T(known.build()));
    }
    for (status, response) in responses(operation) {
        if may_be_unchanged && matches!(status, "200" | "304") {
            response.headers.insert("ETag".to_owned(), RefOr::T(header(text(), TAG)));
        }
        if matches!(status, "429" | "503") {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
            let after = header(seconds.build(), "After how many seconds to come back");
            response.headers.insert("Retry-After".to_owned(), RefOr::T(after));
        }
    }
}

/// What an `ETag` is.
const TAG: &str =
    "What this answer was made from: sent as `If-None-Match`, it is not answered again while that holds";

fn header(schema: Object, what: &str) -> Header {
    let mut header = Header::new(schema);
    header.description = Some(what.to_owned());
    header
}

fn text() -> Object {
    ObjectBuilder::new().schema_type(Type::String).build()
}

/// A parameter that is not said is absent: no address or header has a null. `If-Match` has tags.
fn never_null(parameter: &mut Parameter) {
    let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else { return };
    if let SchemaType::Array(kinds) = &mut schema.schema_type
        && let Some(kind) = kinds.iter().find(|kind| **kind != Type::Null)
    {
        schema.schema_type = SchemaType::Type(kind.clone());
    }
    if parameter.name == "If-Match" {
        schema.pattern = Some(r#"^(\*|(W/)?"[^"]*"( *, *(W/)?"[^"]*")*)$"#.to_owned());
    }
}

/// Says of what is answered that all of it is always there, also what may be null: what may be absent is never null. Of what
/// is sent anything may be left out that has no need to be said.
fn require_what_is_answered(document: &mut OpenApi) {
    let Some(components) = &mut document.components else { return };
    let mut sent = BTreeSet::new();
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            let Some(RefOr::T(body)) = &operation.request_body else { continue };
            for content in body.content.values() {
                if let RefOr::T(Content { schema: Some(schema), .. }) = content {
                    note_referred(schema, components, &mut sent);
                }
            }
        }
    }
    for (name, schema) in &mut components.schemas {
        if !sent.contains(name) {
            require(schema);
        }
    }
}

/// Notes the names of all schemas that one refers to, directly or through others.
fn note_referred(schema: &RefOr<Schema>, components: &Components, noted: &mut BTreeSet<String>) {
    match schema {
        RefOr::Ref(to) => {
            let name = to.ref_location.rsplit('/').next().unwrap_or_default();
            if noted.insert(name.to_owned())
                && let Some(schema) = components.schemas.get(name)
            {
                note_referred(schema, components, noted);
            }
        }
        RefOr::T(Schema::Object(object)) => {
            object.properties.values().for_each(|property| note_referred(property, components, noted));
        }
        RefOr::T(Schema::Array(list)) => {
            if let ArrayItems::RefOrSchema(items) = &list.items {
                note_referred(items, components, noted);
            }
        }
        RefOr::T(Schema::OneOf(ways)) => {
            ways.items.iter().for_each(|way| note_referred(way, components, noted));
        }
        RefOr::T(Schema::AllOf(parts)) => {
            parts.items.iter().for_each(|part| note_referred(part, components, noted));
        }
        RefOr::T(_) => {}
    }
}

/// Properties that may be null are always there.
fn require(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            for (name, property) in &mut object.properties {
                require(property);
                if may_be_null(property) && !object.required.contains(name) {
                    object.required.push(name.clone());
                }
            }
        }
        RefOr::T(Schema::Array(list)) => {
            if let ArrayItems::RefOrSchema(items) = &mut list.items {
                require(items);
            }
        }
        RefOr::T(Schema::OneOf(ways)) => ways.items.iter_mut().for_each(require),
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter_mut().for_each(require),
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

/// Says pairs as lists of two, which is the same where both are of one kind: that nothing follows what is said of each place
/// (`"items": false`) many generators of clients can't read.
fn tell_pairs(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => object.properties.values_mut().for_each(tell_pairs),
        Schema::Array(list) => {
            if let [first, others @ ..] = &list.prefix_items[..]
                && matches!(list.items, ArrayItems::False)
                && others.iter().all(|other| other == first)
            {
                (list.min_items, list.max_items) = (Some(1 + others.len()), Some(1 + others.len()));
                list.items = ArrayItems::RefOrSchema(Box::new(RefOr::T(first.clone())));
                list.prefix_items.clear();
            }
            if let ArrayItems::RefOrSchema(items) = &mut list.items {
                tell_pairs(items);
            }
        }
        Schema::OneOf(ways) => ways.items.iter_mut().for_each(tell_pairs),
        Schema::AllOf(parts) => parts.items.iter_mut().for_each(tell_pairs),
        _ => {}
    }
}

/// Says of each answer by name what its data is, where that has one: who generates a client gets one type of it, not one of
/// each route.
fn refer_to_data(components: &mut Components) {
    let is_answer = |name: &str| name.starts_with("Answer_");
    let named: Vec<_> = components.schemas.iter().filter(|(name, _)| !is_answer(name)).collect();
    let named: Vec<_> = named.into_iter().map(|(name, schema)| (name.clone(), schema.clone())).collect();
    for (name, answer) in &mut components.schemas {
        let RefOr::T(Schema::Object(answer)) = answer else { continue };
        let Some(data) = answer.properties.get_mut("data").filter(|_| is_answer(name)) else { continue };
        let data = match data {
            RefOr::T(Schema::Array(Array { items: ArrayItems::RefOrSchema(items), .. })) => items,
            data => data,
        };
        if let Some((name, _)) = named.iter().find(|(_, schema)| schema == data) {
            *data = Ref::from_schema_name(name).into();
        }
    }
}

fn may_be_null(schema: &RefOr<Schema>) -> bool {
    let has_null = |kind: &SchemaType| match kind {
        SchemaType::Type(kind) => *kind == Type::Null,
        SchemaType::Array(kinds) => kinds.contains(&Type::Null),
        SchemaType::AnyValue => false,
    };
    match schema {
        RefOr::T(Schema::Object(object)) => has_null(&object.schema_type),
        RefOr::T(Schema::Array(list)) => has_null(&list.schema_type),
        RefOr::T(Schema::OneOf(ways)) => ways.items.iter().any(may_be_null),
        _ => false,
    }
}
