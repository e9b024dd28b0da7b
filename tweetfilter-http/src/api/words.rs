//! The words that a field may hold, as the OpenAPI document says them to programs.

use tweetfilter_core::Dialect as Read;
use tweetfilter_sql::Scope as Permitted;
use tweetfilter_stream::store::Action as Done;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::names::{action_name, dialect_name};

/// One of some words.
fn one_of(what: &str, words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    let schema =
        ObjectBuilder::new().schema_type(Type::String).description(Some(what)).enum_values(Some(words));
    RefOr::T(Schema::Object(schema.build()))
}

/// What a match does.
pub(super) enum Action {}

impl ToSchema for Action {}

impl PartialSchema for Action {
    fn schema() -> RefOr<Schema> {
        let all = [Done::Show, Done::Hide, Done::Highlight, Done::Notify];
        one_of("What a match does.", all.map(action_name))
    }
}

/// How an expression reads a post.
pub(super) enum Dialect {}

impl ToSchema for Dialect {}

impl PartialSchema for Dialect {
    fn schema() -> RefOr<Schema> {
        one_of("How an expression reads a post.", [Read::Native, Read::X].map(dialect_name))
    }
}

/// What a token may do.
pub(super) enum Scope {}

impl ToSchema for Scope {}

impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        let all = [Permitted::Read, Permitted::Write, Permitted::Admin];
        one_of("What a token may do; each what the one before it may, too.", all.map(scope_name))
    }
}

fn scope_name(scope: Permitted) -> &'static str {
    match scope {
        Permitted::Read => "read",
        Permitted::Write => "write",
        Permitted::Admin => "admin",
    }
}

/// Whether a finding keeps an expression from being used.
pub(super) enum Severity {}

impl ToSchema for Severity {}

impl PartialSchema for Severity {
    fn schema() -> RefOr<Schema> {
        one_of("Whether an expression can't be used, or is doubtful.", ["warning", "error"])
    }
}
