//! Filters to elsewhere: own JSON, X's /rules, Mastodon's filters, plain words.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tweetfilter_core::syntax::{Atom, Form, Node, NodeKind, Shape, Value};
use tweetfilter_core::{Dialect, Expression, Limits};
use tweetfilter_sql::{FilterRow, NewFilter};
use tweetfilter_stream::store::Action;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::answer::{Answer, Result, Summary};
use super::caller::Caller;
use super::exchange::Kind;
use super::extract::Query;
use super::shapes::{action_name, dialect_name};
use crate::time::rfc3339;

/// What filters are to be written in.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `filters` (own JSON, which loses nothing), `x`, `mastodon`, `plain` or `words`.
    #[serde(default)]
    #[param(inline)]
    pub format: Kind,
}

/// Filters, written out.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exported {
    /// What they are written in.
    pub format: Kind,
    /// The content of a file.
    pub content: String,
    /// A name for the file.
    pub file: &'static str,
    /// What that form can't say.
    pub left_out: Vec<LeftOut>,
}

/// A filter that a form can't say.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeftOut {
    /// Its number.
    pub id: i64,
    /// Why.
    pub why: String,
}

/// Writes the account's filters out.
#[utoipa::path(get, path = "/export", tag = "filters", params(ExportQuery), responses((status = 200, body = Answer<Exported>)))]
pub(super) async fn export(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ExportQuery>,
) -> Result<Answer<Exported>> {
    let rows = api.ask(caller.until, api.database().account_filters(caller.account())).await?;
    let format = if query.format == Kind::Auto { Kind::Filters } else { query.format };
    let mut left_out = Vec::new();
    let mut said = Vec::new();
    for row in &rows {
        match written(row, format) {
            Ok(one) => said.push(one),
            Err(why) => left_out.push(LeftOut { id: row.id, why }),
        }
    }
    let lines = |said: &[Json]| {
        let line = |one: &Json| one.as_str().map_or_else(|| format!("{one}\n"), |text| format!("{text}\n"));
        said.iter().map(line).collect::<String>()
    };
    let (content, file) = match format {
        Kind::X => (json!({"add": said}).to_string(), "rules.json"),
        Kind::Mastodon => (Json::from(said.clone()).to_string(), "mastodon-filters.json"),
        Kind::Plain => (lines(&said), "filters.txt"),
        Kind::Words => (lines(&said), "words.txt"),
        Kind::Filters | Kind::Auto => (lines(&said), "filters.ndjson"),
    };
    let mut text = Summary::counted(said.len(), "filter").text;
    if !left_out.is_empty() {
        text.push_str(&format!(", {} left out", left_out.len()));
    }
    let summary = Summary { count: Some(said.len()), ..Summary::new(text) };
    Ok(Answer::new(summary, Exported { format, content, file, left_out }))
}

/// A filter in a form, or why that can't say it.
fn written(row: &FilterRow, kind: Kind) -> std::result::Result<Json, String> {
    let FilterRow { filter, .. } = row;
    match kind {
        Kind::Filters | Kind::Auto => {
            let mut object = json!({
                "id": row.id.to_string(), "filter": filter.text, "dialect": dialect_name(filter.dialect),
                "action": action_name(filter.action), "enabled": row.enabled,
            });
            if !filter.name.is_empty() {
                object["name"] = json!(filter.name);
            }
            if let Some(at) = filter.expires_at {
                object["expires_at"] = json!(rfc3339(at));
            }
            Ok(object)
        }
        Kind::X => {
            let read = Expression::parse_with(&filter.text, Dialect::X, &Limits::default());
            read.map_err(|error| format!("X does not read it: {error}"))?;
            let mut object = json!({"value": filter.text});
            if !filter.name.is_empty() {
                object["tag"] = json!(filter.name);
            }
            Ok(object)
        }
        Kind::Plain if filter.dialect == Dialect::X => {
            Err("it is of dialect x, and a line can't say so".to_owned())
        }
        Kind::Plain => Ok(json!(filter.text.replace(['\n', '\r'], " "))),
        Kind::Mastodon if filter.action != Action::Hide => {
            Err("Mastodon's filters only hide, and this one does not".to_owned())
        }
        Kind::Mastodon => {
            let keywords = keywords(filter).ok_or("Mastodon's filters know words and phrases only")?;
            let keyword = |(text, whole): &(String, bool)| json!({"keyword": text, "whole_word": whole});
            let title = if filter.name.is_empty() { &filter.text } else { &filter.name };
            Ok(json!({
                "title": title, "context": ["home", "notifications", "public", "thread", "account"],
                "filter_action": "hide", "expires_at": filter.expires_at.map(rfc3339),
                "keywords": keywords.iter().map(keyword).collect::<Vec<_>>(),
            }))
        }
        Kind::Words => {
            let keywords = keywords(filter).ok_or("it is more than a list of words and phrases")?;
            let words: Vec<_> = keywords.into_iter().map(|(text, _)| text).collect();
            Ok(json!(words.join("\n")))
        }
    }
}

/// The words and phrases of a filter that is nothing but these, and whether each is a whole word.
fn keywords(filter: &NewFilter) -> Option<Vec<(String, bool)>> {
    fn keyword(node: &Node) -> Option<(String, bool)> {
        let NodeKind::Atom(atom) = &node.kind else { return None };
        match atom {
            Atom::Text(pattern) if pattern.form == Form::Folded => match pattern.shape {
                Shape::Word if !pattern.text.contains(['*', '?']) => Some((pattern.text.clone(), true)),
                Shape::Phrase => Some((pattern.text.clone(), true)),
                _ => None,
            },
            Atom::Hashtag { .. } => Some((atom.to_string(), true)),
            Atom::Contains(values) => match values.as_slice() {
                [Value::One(text)] => Some((text.clone(), false)),
                _ => None,
            },
            _ => None,
        }
    }
    let expression = Expression::parse_with(&filter.text, filter.dialect, &Limits::default()).ok()?;
    match &expression.root().kind {
        NodeKind::Or(items) => items.iter().map(keyword).collect(),
        _ => Some(vec![keyword(expression.root())?]),
    }
}
