//! Why a post matches, or what it lacks.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tweetfilter_core::Dialect;
use tweetfilter_core::explain::{Evidence, Field, Part};
use tweetfilter_sql::TimelinePost;
use utoipa::ToSchema;

use super::Api;
use super::answer::{Answer, ApiError, Refused, Result, Summary};
use super::caller::Caller;
use super::expression::Compiled;
use super::extract::Body;
use super::filters::own;
use super::place::{Place, Places};
use super::search::compiled;
use super::shapes::{Segment, ShownPost};
use super::timeline::seen_post;
use super::turns::Work;
use super::words;
use crate::names::PARTS;
use crate::people::People;

/// A post, and a saved filter or an expression.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainPost {
    /// The post's number.
    pub post: i64,
    /// A filter of the account.
    #[serde(default)]
    pub filter: Option<i64>,
    /// An expression, in place of a filter.
    #[serde(default)]
    pub text: Option<String>,
    /// Of the expression: `native` or `x`.
    #[serde(default)]
    #[schema(value_type = words::Dialect)]
    pub dialect: Dialect,
}

/// Why a post matches, or what it lacks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explained {
    /// Whether it matches.
    pub matched: bool,
    /// The expression that was explained.
    pub text: String,
    /// A match: what made it. A miss: what each alone would have made it one, the nearest first (beside which most of
    /// what else it takes stands in the post), or, where no single part would, what it lacks. Of many parts a
    /// hundred: of a miss the first, of a match, in order of the expression, those that stand in the post rather than those
    /// that hold since they do not.
    pub parts: Vec<ExplainedPart>,
    /// How many more there are.
    pub more_parts: usize,
    /// A miss: each of `parts`, and of the others, alone would have sufficed.
    pub each_suffices: bool,
    /// The post's text, marked.
    pub segments: Vec<Segment>,
}

/// A part of the expression.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedPart {
    /// Where in the expression.
    pub span: Place,
    /// How it is written there.
    pub written: String,
    /// It counts because it is false.
    pub negated: bool,
    /// The post does not say, so neither it nor its negation holds.
    pub unknown: bool,
    /// Where in the post it is true; empty for what is absent, and for facts that stand nowhere. At most 64; where post and
    /// expression are both very large, those of the last parts may be lacking.
    pub places: Vec<Found>,
}

/// A place of a post.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// Which field: `text`, `author name`, `link 2`.
    pub field: String,
    /// In the quoted post or the retweet's original, from the outside in.
    pub scopes: Vec<String>,
    /// Where in the field; null: the field as a whole.
    pub span: Option<Place>,
    /// What stands there.
    pub text: String,
}

/// Why a post that the account saw matches a filter or an expression, or what it lacks.
#[utoipa::path(post, path = "/explain", operation_id = "explain_post", tag = "expressions", request_body = ExplainPost,
    responses((status = 200, body = Answer<Explained>), (status = 404, body = Refused),
        (status = 422, body = Refused)))]
pub(super) async fn explain(
    State(api): State<Api>,
    mut caller: Caller,
    Body(query): Body<ExplainPost>,
) -> Result<Response> {
    let (text, dialect) = match (query.filter, query.text) {
        (Some(id), None) => {
            let filter = own(&api, &caller, id).await?.filter;
            (filter.text, filter.dialect)
        }
        (None, Some(text)) => (text, query.dialect),
        _ => return Err(ApiError::bad("Send either `filter`, the number of one, or `text`, an expression")),
    };
    let filter = compiled(&api, &mut caller, &text, dialect).await?;
    let seen = seen_post(&api, &caller, query.post).await?;
    // A long expression has thousands of parts, each of which is looked for.
    api.alone(caller.account(), Work::Explaining, move || answer(&filter, &seen, text)).await?
}

fn answer(filter: &Compiled, seen: &TimelinePost, text: String) -> Result<Response> {
    let Some(mut explanation) = filter.set.explain(0, &seen.post) else {
        return Err(ApiError::missing("such filter"));
    };
    let content = Places::of(&seen.post.content().text);
    let written = Places::of(&text);
    let mut shown = ShownPost::of(seen, &People::default());
    // Marked is all that was found, also by parts that are not named.
    shown.mark([&explanation]);
    let more_parts = explanation.shorten(PARTS);
    let explained = Explained {
        matched: explanation.matched,
        parts: explanation.parts.iter().map(|part| explained_part(part, &written, &content)).collect(),
        more_parts,
        each_suffices: explanation.each_suffices,
        segments: shown.content.segments.unwrap_or_default(),
        text,
    };
    let said = if explained.matched { "It matches" } else { "It does not match" };
    Ok(Answer::new(Summary::new(said), explained).into_response())
}

fn explained_part(part: &Part, expression: &Places<'_>, content: &Places<'_>) -> ExplainedPart {
    let found = |place: &Evidence| Found {
        field: field(&place.field),
        scopes: place.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        // Of other fields the text is not at hand here, and `text` says what stands there.
        span: match place.span {
            Some(span) if place.field == Field::Text && place.scopes.is_empty() => Some(content.at(span)),
            _ => None,
        },
        text: place.text.clone(),
    };
    ExplainedPart {
        span: expression.at(part.expression),
        written: expression.text().get(part.expression.range()).unwrap_or_default().to_owned(),
        negated: part.negated,
        unknown: part.unknown,
        places: part.places.iter().map(found).collect(),
    }
}

/// A field in words.
fn field(field: &Field) -> String {
    match serde_json::to_value(field) {
        Ok(Value::String(name)) => name.replace('_', " "),
        Ok(Value::Object(object)) => object
            .iter()
            .map(|(name, number)| format!("{} {}", name.replace('_', " "), number.as_u64().unwrap_or(0) + 1))
            .collect(),
        _ => String::new(),
    }
}
