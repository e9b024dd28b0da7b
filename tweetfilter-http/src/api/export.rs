//! Filters to elsewhere: own JSON, X's /rules, Mastodon's filters, plain words.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tweetfilter_core::syntax::lacking_at_x;
use tweetfilter_core::syntax::lint::set_names;
use tweetfilter_core::{Dialect, Expression, Limits};
use tweetfilter_sql::{FilterRow, NewFilter};
use tweetfilter_stream::store::Action;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::answer::{Answer, Result, Summary};
use super::caller::Caller;
use super::exchange::Kind;
use super::extract::Query;
use super::turns::Work;
use crate::import::{Format, Keyword, keywords, misread};
use crate::names::{action_name, dialect_name, title};
use crate::parts::now;
use crate::time::rfc3339;

/// What filters are to be written in.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `filters` (own JSON, which says everything of them), `x`, `mastodon`, `plain` or `words`.
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
    /// Filters that the form can't say, or that would do something else there.
    pub left_out: Vec<LeftOut>,
    /// What the form does not say of filters that are in it, and what it says so that it comes back as something else.
    pub lost: Vec<Lost>,
}

/// A filter that a form can't say.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeftOut {
    /// Its number.
    pub id: i64,
    /// Why.
    pub why: String,
}

/// What a form does not say of a filter.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lost {
    /// Its number.
    pub id: i64,
    /// What is not said.
    pub what: String,
}

/// Writes the account's filters out.
///
/// To X go the filters that its filtered stream or PowerTrack can read and that are used: what is switched off or has
/// expired, and what hides, is left out, since there it would find posts. A native filter finds more at X, which also reads
/// links and quoted posts. To Mastodon go those that hide and are used, if they are words and phrases; there they hold
/// everywhere, also where a filter that shows comes before them here. No form holds the named
/// sets: `/sets/{name}` says each.
#[utoipa::path(get, path = "/export", operation_id = "export_filters", tag = "filters", params(ExportQuery), responses((status = 200, body = Answer<Exported>)))]
pub(super) async fn export(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ExportQuery>,
) -> Result<Response> {
    let rows = api.ask(caller.until, api.database().account_filters(caller.account())).await?;
    let format = if query.format == Kind::Auto { Kind::Filters } else { query.format };
    // Each of thousands of filters is read for that.
    api.alone(caller.account(), Work::Lists, move || answer(&rows, format).into_response()).await
}

fn answer(rows: &[FilterRow], format: Kind) -> Answer<Exported> {
    let (mut left_out, mut lost) = (Vec::new(), Vec::new());
    let (mut said, mut shows) = (Vec::new(), None);
    for row in rows {
        if row.filter.action == Action::Show && is_used(row).is_ok() {
            shows = shows.or(Some(row.id));
        }
        match written(row, format) {
            Ok(one) => {
                said.push(one);
                let mut unsaid = unsaid(row, format);
                if let Some(first) = shows.filter(|_| format == Kind::Mastodon) {
                    unsaid.push(format!(
                        "that what filter {first} matches, which is before it, is shown all the same"
                    ));
                }
                if !unsaid.is_empty() {
                    lost.push(Lost { id: row.id, what: unsaid.join("; ") });
                }
            }
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
    if !lost.is_empty() {
        text.push_str(&format!(", of {} not all is said", lost.len()));
    }
    let summary = Summary { count: Some(said.len()), ..Summary::new(text) };
    Answer::new(summary, Exported { format, content, file, left_out, lost })
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
            is_used(row)?;
            if filter.action == Action::Hide {
                return Err("it hides, and at X it would collect what it hides".to_owned());
            }
            read_by_x(&filter.text)?;
            let mut object = json!({"value": filter.text});
            if !filter.name.is_empty() {
                object["tag"] = json!(filter.name);
            }
            Ok(object)
        }
        Kind::Plain if filter.dialect == Dialect::X => {
            Err("it is of dialect x, and a line can't say so".to_owned())
        }
        Kind::Plain => Ok(json!(on_one_line(&filter.text))),
        Kind::Mastodon if filter.action != Action::Hide => {
            Err("Mastodon's filters only hide, and this one does not".to_owned())
        }
        Kind::Mastodon => {
            is_used(row)?;
            let keywords = words(filter, "Mastodon's filters know words and phrases only")?;
            let keyword = |one: &Keyword| json!({"keyword": one.keyword, "whole_word": one.whole_word});
            let title = if filter.name.is_empty() { title(&filter.text) } else { filter.name.clone() };
            Ok(json!({
                "title": title, "context": ["home", "notifications", "public", "thread", "account"],
                "filter_action": "hide", "expires_at": filter.expires_at.map(rfc3339),
                "keywords": keywords.iter().map(keyword).collect::<Vec<_>>(),
            }))
        }
        Kind::Words => {
            let keywords = words(filter, "it is more than a list of words and phrases")?;
            let words: Vec<_> = keywords.into_iter().map(|one| one.keyword).collect();
            if words.iter().any(|word| word.contains(['\n', '\r'])) {
                return Err("a text of it has several lines, and in a list each line is one".to_owned());
            }
            Ok(json!(words.join("\n")))
        }
    }
}

/// The words and phrases of a filter, or what it has beside them: the form knows nothing else.
fn words(filter: &NewFilter, more: &str) -> std::result::Result<Vec<Keyword>, String> {
    let keywords = keywords(&filter.text, filter.dialect).ok_or(more)?;
    if keywords.iter().any(|one| one.keyword.trim().is_empty()) {
        return Err("a text of it is blank, and in that form nothing".to_owned());
    }
    Ok(keywords)
}

/// Whether a filter is used; a form that can't say that one is not would have it used.
fn is_used(row: &FilterRow) -> std::result::Result<(), String> {
    if !row.enabled {
        return Err("it is switched off, and that form can't say so".to_owned());
    }
    match row.filter.expires_at.filter(|at| *at <= now()) {
        Some(at) => Err(format!("it has expired at {}", rfc3339(at))),
        None => Ok(()),
    }
}

/// Whether X itself can read an expression, or what it lacks.
fn read_by_x(text: &str) -> std::result::Result<(), String> {
    let read = Expression::parse_with(text, Dialect::X, &Limits::default());
    let read = read.map_err(|error| format!("X does not read it: {error}"))?;
    let lacking: Vec<_> = lacking_at_x(&read).into_iter().map(|note| note.message).collect();
    if lacking.is_empty() { Ok(()) } else { Err(lacking.join("; ")) }
}

/// What a form does not say of a filter that is written in it.
fn unsaid(row: &FilterRow, kind: Kind) -> Vec<String> {
    let FilterRow { filter, enabled, .. } = row;
    let mut unsaid = Vec::new();
    let says_name = matches!(kind, Kind::Filters | Kind::Auto | Kind::X | Kind::Mastodon);
    if !says_name && !filter.name.is_empty() {
        unsaid.push(format!("its name, {}", filter.name));
    }
    let says_all = matches!(kind, Kind::Filters | Kind::Auto);
    let says_action = says_all || kind == Kind::Mastodon;
    if !says_action {
        if filter.action != Action::default() {
            unsaid.push(format!("its action, {}", action_name(filter.action)));
        }
        if let Some(at) = filter.expires_at {
            unsaid.push(format!("that it ends at {}", rfc3339(at)));
        }
    }
    if !says_all && !enabled {
        unsaid.push("that it is switched off".to_owned());
    }
    if matches!(kind, Kind::Words | Kind::Mastodon) && filter.dialect == Dialect::X {
        unsaid.push("that it is of dialect x".to_owned());
    }
    if kind == Kind::Words
        && let Some(lines) =
            keywords(&filter.text, filter.dialect).map(|all| all.len()).filter(|lines| *lines > 1)
    {
        unsaid.push(format!(
            "that its {lines} lines are one filter: each comes in as a filter of its own, and as one with all others of the \
             list where they are taken in `together`"
        ));
    }
    unsaid.extend(changed(filter, kind));
    let read = Expression::parse_with(&filter.text, filter.dialect, &Limits::default());
    for name in read.iter().flat_map(set_names) {
        unsaid.push(format!("the set {{{name}}}, which it names: keep it too, as /sets/{name} says it"));
    }
    unsaid
}

/// Parts of a filter that are named of those that a form changes.
const NAMED: usize = 10;

/// What a form makes another of: parts of an expression that are read again as something else.
fn changed(filter: &NewFilter, kind: Kind) -> Vec<String> {
    let format = match kind {
        Kind::Words => Format::Words,
        Kind::Mastodon => Format::Mastodon,
        Kind::Plain if loses_lines(filter) => {
            return vec!["the line breaks within a text or a regex of it, which become spaces".to_owned()];
        }
        _ => return Vec::new(),
    };
    let all = misread(&filter.text, filter.dialect, format);
    let named = all.iter().take(NAMED);
    let mut said: Vec<_> =
        named.map(|(was, again)| format!("that it has {was}, which comes back as {again}")).collect();
    if all.len() > NAMED {
        said.push(format!("and {} more of that kind", all.len() - NAMED));
    }
    said
}

/// Whether an expression is another on one line.
fn loses_lines(filter: &NewFilter) -> bool {
    let read = |text: &str| Expression::parse_with(text, filter.dialect, &Limits::default()).ok();
    let line = on_one_line(&filter.text);
    line != filter.text && read(&line) != read(&filter.text)
}

fn on_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
