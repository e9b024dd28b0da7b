//! Filters from elsewhere, and to elsewhere: own JSON, X's /rules, Mastodon's filters, plain words.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tokio::time::Instant;
use tweetfilter_core::syntax::{Atom, Form, Node, NodeKind, Shape, Value, differences_from_x};
use tweetfilter_core::{Dialect, Expression, Limits};
use tweetfilter_sql::{Changed, FilterRow, NewFilter};
use tweetfilter_stream::store::Action;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, ApiError, Finding, Result, Summary};
use super::caller::Caller;
use super::check::{Remark, remarks};
use super::extract::{Body, Query};
use super::filters::changed_meanwhile;
use super::shapes::{action_name, dialect_name};
use super::{Api, STORE};
use crate::import::{FilterFile, FilterLine, Format, read_filters, read_words};
use crate::time::rfc3339;

/// Filters of one import.
const MOST: usize = 1_000;
/// Its lines: a list of words for one filter, or JSON over many lines, may have more of them than filters.
const MOST_LINES: usize = 50_000;

/// What filters are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Found out by the content: any but `words`.
    #[default]
    Auto,
    /// One JSON object a line: `{"id","filter","name"?,"dialect"?,"action"?,"enabled"?,"expires_at"?}`.
    Filters,
    /// The JSON of X's `/2/tweets/search/stream/rules` or PowerTrack.
    X,
    /// The JSON of Mastodon's `/api/v2/filters`.
    Mastodon,
    /// One expression a line.
    Plain,
    /// One word or phrase a line, in which nothing is an operator.
    Words,
}

/// Filters to import.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// What is in the file.
    pub content: String,
    /// What it is written in.
    #[serde(default)]
    pub format: Kind,
    /// What a match does, where the file does not say: `show`, `hide`, `highlight` or `notify`.
    #[serde(default)]
    #[schema(value_type = String, example = "highlight")]
    pub action: Action,
    /// Of `words`: one filter that any of them satisfies.
    #[serde(default)]
    pub together: bool,
    /// Keep them. Without it nothing changes, and the answer says what would.
    #[serde(default)]
    pub apply: bool,
    /// Leave out what is invalid, instead of keeping nothing.
    #[serde(default)]
    pub keep_going: bool,
}

/// What comes in with an import, or would.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// What the file is written in.
    pub format: Kind,
    /// Whether anything was kept.
    pub applied: bool,
    /// Its filters, in its order.
    pub filters: Vec<ImportedFilter>,
}

/// A filter of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedFilter {
    /// Line of the file, from 1.
    pub line: usize,
    /// `new`; `same`: there is one that says the same already; `differs`: there is one of this name that says
    /// something else, and it would be replaced; `invalid`.
    pub state: &'static str,
    /// The number of the filter that is there, or that was added.
    pub id: Option<i64>,
    /// What people call it.
    pub name: String,
    /// The expression.
    pub text: String,
    /// `native` or `x`.
    pub dialect: &'static str,
    /// What a match does.
    pub action: &'static str,
    /// Whether it would be used.
    pub enabled: bool,
    /// When it is switched off by itself.
    pub expires_at: Option<String>,
    /// Of one that differs: what the one that is there says.
    pub was: Option<String>,
    /// What is wrong or doubtful.
    pub diagnostics: Vec<Finding>,
    /// Of one that was written for X: what is known to differ here.
    pub differs_from_x: Vec<Remark>,
}

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

/// A filter as it was read, held against what is there.
struct Candidate {
    new: NewFilter,
    enabled: bool,
    /// Of one that differs: the revision of the one that is there.
    was: u64,
    shown: ImportedFilter,
}

/// Imports filters, or says what would come in and what would differ.
#[utoipa::path(post, path = "/import", tag = "filters", request_body = Import,
    responses((status = 200, body = Answer<Imported>), (status = 422, body = Answer<Imported>)))]
pub(super) async fn import(
    State(api): State<Api>,
    caller: Caller,
    Body(import): Body<Import>,
) -> Result<Answer<Imported>> {
    let lines = import.content.lines().filter(|line| !line.trim().is_empty()).count();
    if lines > MOST_LINES {
        return Err(ApiError::bad(format!(
            "An import has at most {MOST_LINES} lines, this one {lines}; split it"
        )));
    }
    let (import, read) = tokio::task::spawn_blocking(move || {
        let read = read(&import);
        (import, read)
    })
    .await
    .map_err(|_| broke_off())?;
    let (file, kind) = read?;
    if file.filters.len() > MOST {
        let message =
            format!("An import has at most {MOST} filters, this one {}; split it", file.filters.len());
        return Err(ApiError::bad(message));
    }
    let database = api.database();
    let surroundings = api.surroundings(caller.until, caller.pulse.revision).await?;
    let rows = Arc::new(api.ask(caller.until, database.account_filters(caller.account())).await?);
    let (account, action, known) = (caller.account(), import.action, rows.clone());
    // A thousand filters take a while to compile.
    let candidates = tokio::task::spawn_blocking(move || {
        let dialect = file.format.dialect();
        let of = |line: &FilterLine| {
            let mut candidate = Candidate::new(line, dialect, action);
            match surroundings.compile(account, &candidate.new.text, candidate.new.dialect) {
                Ok(compiled) => candidate.note(&compiled.expression),
                Err(found) => {
                    candidate.refuse(found.iter().map(|one| Finding::of(one, &line.text)).collect())
                }
            }
            candidate
        };
        let mut candidates: Vec<_> = file.filters.iter().map(of).collect();
        hold_against(&mut candidates, &known);
        candidates
    });
    let mut candidates = candidates.await.map_err(|_| broke_off())?;
    let count = |state: &str| candidates.iter().filter(|one| one.shown.state == state).count();
    let (new, differs, same, invalid) = (count("new"), count("differs"), count("same"), count("invalid"));
    if import.apply {
        if invalid > 0 && !import.keep_going {
            let first = candidates.iter().find(|one| one.shown.state == "invalid");
            let line = first.map_or(0, |one| one.shown.line);
            let message = format!(
                "{invalid} of {} filters are invalid, the first in line {line}; nothing was kept. \
                 `keep_going` leaves them out",
                candidates.len()
            );
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_filters", message));
        }
        if rows.len() + new > api.options().filters {
            let message = format!(
                "This account has {} filters and may have {}; {new} more do not fit",
                rows.len(),
                api.options().filters
            );
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_filters", message));
        }
        for candidate in &mut candidates {
            candidate.keep(&api, &caller).await?;
        }
    }
    let verb = if import.apply { "" } else { " would be" };
    let text = format!("{new}{verb} added, {differs}{verb} changed, {same} there already, {invalid} invalid");
    let filters: Vec<_> = candidates.into_iter().map(|candidate| candidate.shown).collect();
    let summary = Summary { count: Some(filters.len()), ..Summary::new(text) };
    Ok(Answer::new(summary, Imported { format: kind, applied: import.apply, filters }))
}

fn broke_off() -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The import broke off; nothing was kept")
}

fn read(import: &Import) -> Result<(FilterFile, Kind)> {
    if import.format == Kind::Words {
        return Ok((read_words(&import.content, import.together), Kind::Words));
    }
    let file = read_filters(&import.content).map_err(|malformed| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed", malformed.to_string())
    })?;
    let kind = match file.format {
        Format::Ndjson => Kind::Filters,
        Format::XJson => Kind::X,
        Format::Mastodon => Kind::Mastodon,
        Format::Plain => Kind::Plain,
        Format::Words => Kind::Words,
    };
    if import.format != Kind::Auto && import.format != kind {
        let message =
            format!("This is written as {kind:?}, not as {:?}; say so, or leave `format` out", import.format);
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed", message));
    }
    Ok((file, kind))
}

impl Candidate {
    fn new(line: &FilterLine, dialect: Dialect, action: Action) -> Self {
        let said = line.action.as_deref().and_then(|word| serde_json::from_value(json!(word)).ok());
        let new = NewFilter {
            name: line.name.clone().unwrap_or_default(),
            text: line.text.clone(),
            dialect: line.dialect.unwrap_or(dialect),
            action: said.unwrap_or(action),
            expires_at: line.expires_at,
        };
        let enabled = line.enabled.unwrap_or(true);
        let shown = ImportedFilter {
            line: line.line,
            state: "new",
            id: None,
            name: new.name.clone(),
            text: new.text.clone(),
            dialect: dialect_name(new.dialect),
            action: action_name(new.action),
            enabled,
            expires_at: new.expires_at.map(rfc3339),
            was: None,
            diagnostics: Vec::new(),
            differs_from_x: Vec::new(),
        };
        Self { new, enabled, was: 0, shown }
    }

    fn note(&mut self, expression: &Expression) {
        let text = &self.shown.text;
        self.shown.diagnostics = expression.warnings().iter().map(|found| Finding::of(found, text)).collect();
        if expression.dialect() == Dialect::X {
            self.shown.differs_from_x = remarks(differences_from_x(expression), text);
        }
    }

    fn refuse(&mut self, found: Vec<Finding>) {
        self.shown.state = "invalid";
        self.shown.diagnostics = found;
    }

    async fn keep(&mut self, api: &Api, caller: &Caller) -> Result<()> {
        // Each is an act of its own, and may take the store as long as any.
        let until = Instant::now() + STORE;
        let database = api.database();
        match (self.shown.state, self.shown.id) {
            ("new", _) => {
                let id = api.ask(until, database.add_filter(caller.account(), &self.new)).await?;
                self.shown.id = Some(id);
                if !self.enabled {
                    api.ask(until, database.enable_filter(id, false)).await?;
                }
            }
            ("differs", Some(id)) => {
                let change = database.change_filter(id, Some(self.was), &self.new, Some(self.enabled));
                match api.ask(until, change).await? {
                    Changed::Done => {}
                    Changed::Missing => return Err(ApiError::missing(format_args!("filter {id} any more"))),
                    Changed::Meanwhile(now) => return Err(changed_meanwhile(now)),
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Finds what says the same as one that is there, or something else under its name. A filter that is there is meant by
/// one line at most, and by name only where the name is no other's: X's tags are of many.
fn hold_against(candidates: &mut [Candidate], rows: &[FilterRow]) {
    let mut meant = HashSet::new();
    let valid = |candidate: &&mut Candidate| candidate.shown.state == "new";
    for candidate in candidates.iter_mut().filter(valid) {
        let same = |row: &&FilterRow| row.filter == candidate.new && row.enabled == candidate.enabled;
        if let Some(row) = rows.iter().find(|row| same(row) && !meant.contains(&row.id)) {
            meant.insert(row.id);
            (candidate.shown.state, candidate.shown.id) = ("same", Some(row.id));
        }
    }
    let mut lines: HashMap<String, usize> = HashMap::new();
    for candidate in candidates.iter() {
        *lines.entry(candidate.new.name.clone()).or_default() += 1;
    }
    for candidate in candidates.iter_mut().filter(valid) {
        let name = &candidate.new.name;
        let mut of_name = rows.iter().filter(|row| row.filter.name == *name);
        if let (Some(row), None) = (of_name.next(), of_name.next())
            && !name.is_empty()
            && lines.get(name) == Some(&1)
            && meant.insert(row.id)
        {
            (candidate.shown.state, candidate.shown.id) = ("differs", Some(row.id));
            candidate.shown.was = Some(row.filter.text.clone());
            candidate.was = row.revision;
        }
    }
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
