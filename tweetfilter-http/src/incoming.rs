//! Filters that come in with a file, held against those that an account has: what a file does not say stays as it is.

mod matching;

use serde::Serialize;
use serde_json::json;
use tweetfilter_core::Dialect;
use tweetfilter_sql::{FilterRow, NewFilter, Save};
use tweetfilter_stream::store::Action;
use utoipa::ToSchema;

use crate::import::{Difference, FilterFile, FilterLine, Format};
use crate::names::{action_name, dialect_name};
use crate::time::rfc3339;

/// What a filter of a file is to those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none that it could mean.
    New,
    /// There is one of which all is so that the file says.
    Same,
    /// There is one of its name, of which the file says something else.
    Differs,
}

impl State {
    /// `new`, `same` or `differs`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Differs => "differs",
        }
    }
}

/// A filter of a file, with what the file does not say from the one that is there.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Line of the file, from 1.
    pub line: usize,
    /// Whose it is, where the file says so; it comes in as the account's in any case.
    pub owner: Option<String>,
    /// What it is to those that are there.
    pub state: State,
    /// The number of the filter that it means, if one is there.
    pub id: Option<i64>,
    /// What is to be kept.
    pub filter: NewFilter,
    /// Whether it would be used.
    pub enabled: bool,
    /// Of one that differs: the expression of the one that is there.
    pub was: Option<String>,
    /// Of one that differs: all that would be changed.
    pub changes: Vec<FactChange>,
    /// What it does where it was written, and does not do here. Who has all of it already knows.
    pub differences: Vec<Difference>,
    /// What is wrong in the file beside the expression, so that it can't be kept.
    pub fault: Option<String>,
    /// Of one that would be used but for its end, which has passed: when that was.
    pub ended: Option<i64>,
    /// Whether it is used, where that is said.
    said: Option<bool>,
    /// The revision of the one that is there.
    revision: u64,
}

/// Something that would be changed of a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FactChange {
    /// `text`, `dialect`, `action`, `enabled` or `expires_at`.
    pub field: &'static str,
    /// What it is; of `expires_at` a time, or `never`.
    pub from: String,
    /// What it would be.
    pub to: String,
}

/// The filters of a file, each held against those of an account at a time; a new one does `action` where the file does
/// not say.
///
/// X's rules are of dialect x, and so is a filter whose text becomes another by one. A native filter that says the same is
/// there already, as it is when it comes back from X.
///
/// What has ended is off, whatever the file says: switched on, it would be switched off again at once.
///
/// A line means a filter of which all is so that the line says, or else the one of its name. A filter is meant by one
/// line at most, first by the one that says most of it, and by name only where the name is no other's: X's tags are of
/// many. Ids of a file mean none, since they number the filters of that file.
#[must_use]
pub fn against(file: &FilterFile, rows: &[FilterRow], action: Action, now: i64) -> Vec<Incoming> {
    let unsaid = NewFilter { dialect: file.format.dialect(), action, ..NewFilter::default() };
    let pairs = file.filters.iter().zip(matching::meant(file, rows, now));
    pairs.map(|(line, row)| Incoming::new(line, row, &unsaid, file.format, now)).collect()
}

/// What comes in, in a sentence: `2 added, 1 changed, 3 there already, 0 invalid`.
#[must_use]
pub fn summary(valid: impl IntoIterator<Item = State>, invalid: usize, kept: bool) -> String {
    let (mut new, mut differs, mut same) = (0, 0, 0);
    for state in valid {
        match state {
            State::New => new += 1,
            State::Same => same += 1,
            State::Differs => differs += 1,
        }
    }
    let verb = if kept { "" } else { " would be" };
    format!("{new}{verb} added, {differs}{verb} changed, {same} there already, {invalid} invalid")
}

impl Incoming {
    fn new(
        line: &FilterLine,
        row: Option<(&FilterRow, bool)>,
        unsaid: &NewFilter,
        format: Format,
        now: i64,
    ) -> Self {
        let brought = format.said_dialect();
        let (state, filter) = match row {
            None => (State::New, said(line, brought, unsaid.clone())),
            Some((row, true)) => (State::Same, row.filter.clone()),
            Some((row, false)) => (State::Differs, said(line, brought, row.filter.clone())),
        };
        let row = row.map(|(row, _)| row);
        // What somebody switched on stays on.
        let stated = line.enabled.or((row.is_none() && line.comes_off).then_some(false));
        let on = stated.unwrap_or(row.is_none_or(|row| row.enabled));
        let has_ended = has_ended(&filter, now);
        let enabled = on && !has_ended;
        let differs = row.filter(|_| state == State::Differs);
        Self {
            line: line.line,
            owner: line.owner.clone(),
            state,
            id: row.map(|row| row.id),
            enabled,
            was: differs.map(|row| row.filter.text.clone()),
            changes: differs.map(|row| changes(row, &filter, enabled, now)).unwrap_or_default(),
            differences: if state == State::Same { Vec::new() } else { line.differences.clone() },
            fault: line.fault.clone(),
            ended: filter.expires_at.filter(|_| on && has_ended),
            filter,
            said: if has_ended { Some(false) } else { stated },
            revision: row.map_or(0, |row| row.revision),
        }
    }

    /// What is to be kept of it, if anything.
    #[must_use]
    pub fn save(&self) -> Option<Save<'_>> {
        let replaces = match (self.state, self.id) {
            (State::New, _) => None,
            (State::Differs, Some(id)) => Some((id, Some(self.revision))),
            _ => return None,
        };
        Some(Save { replaces, filter: &self.filter, enabled: self.said })
    }
}

/// What a line says, and the rest as it is. Another text brings the dialect that its format says: it was written in that.
fn said(line: &FilterLine, brought: Option<Dialect>, rest: NewFilter) -> NewFilter {
    let brought = brought.filter(|_| flat(&line.text) != flat(&rest.text));
    NewFilter {
        name: line.name.clone().unwrap_or(rest.name),
        text: line.text.clone(),
        dialect: line.dialect.or(brought).unwrap_or(rest.dialect),
        action: action(line).unwrap_or(rest.action),
        expires_at: line.expires_at.or(rest.expires_at),
    }
}

fn action(line: &FilterLine) -> Option<Action> {
    serde_json::from_value(json!(line.action.as_deref()?)).ok()
}

/// Whether a filter has ended, and so is off or about to be.
fn has_ended(filter: &NewFilter, now: i64) -> bool {
    filter.expires_at.is_some_and(|at| at <= now)
}

/// A text on one line: a line end is a space where each filter stands on a line.
fn flat(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn changes(row: &FilterRow, new: &NewFilter, enabled: bool, now: i64) -> Vec<FactChange> {
    let facts = |filter: &NewFilter, enabled: bool| {
        [
            ("text", filter.text.clone()),
            ("dialect", dialect_name(filter.dialect).to_owned()),
            ("action", action_name(filter.action).to_owned()),
            ("enabled", enabled.to_string()),
            ("expires_at", filter.expires_at.map_or_else(|| "never".to_owned(), rfc3339)),
        ]
    };
    let was_on = row.enabled && !has_ended(&row.filter, now);
    let pairs = facts(&row.filter, was_on).into_iter().zip(facts(new, enabled));
    let change = |((field, from), (_, to)): ((&'static str, String), (&'static str, String))| {
        (from != to).then_some(FactChange { field, from, to })
    };
    pairs.filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, name: &str, text: &str) -> FilterRow {
        let filter = NewFilter { name: name.into(), text: text.into(), ..NewFilter::default() };
        FilterRow { id, account: 1, position: id, filter, enabled: true, revision: 7 }
    }

    fn line(name: Option<&str>, text: &str) -> FilterLine {
        FilterLine { name: name.map(str::to_owned), ..FilterLine::new("1".into(), text.into(), 1) }
    }

    fn file(lines: &[FilterLine]) -> FilterFile {
        FilterFile { format: Format::Ndjson, filters: lines.to_vec() }
    }

    #[test]
    fn what_has_ended_is_off_whatever_a_line_says() {
        let ends = |at| FilterLine { enabled: Some(true), expires_at: Some(at), ..line(None, "snow") };
        let mut old = row(1, "", "snow");
        old.filter.expires_at = Some(100);
        // The line and the filter agree, whether or not it was switched off already.
        for enabled in [true, false] {
            old.enabled = enabled;
            let rows = std::slice::from_ref(&old);
            let coming = against(&file(&[ends(100)]), rows, Action::default(), 100);
            assert_eq!((coming[0].state, coming[0].enabled), (State::Same, false));
        }
        let coming = against(&file(&[ends(100), ends(101)]), &[], Action::default(), 100);
        let of =
            |one: &Incoming| (one.state, one.enabled, one.ended, one.save().and_then(|save| save.enabled));
        assert_eq!(of(&coming[0]), (State::New, false, Some(100), Some(false)));
        assert_eq!(of(&coming[1]), (State::New, true, None, Some(true)));
        // One that is there is switched off by an end that has passed.
        let named = FilterLine { name: Some("a".into()), ..ends(100) };
        let coming = against(&file(&[named]), &[row(1, "a", "snow")], Action::default(), 100);
        let fields: Vec<_> = coming[0].changes.iter().map(|change| change.field).collect();
        assert_eq!((fields, of(&coming[0]).3), (vec!["enabled", "expires_at"], Some(false)));
    }

    #[test]
    fn what_would_do_more_than_its_file_asks_for_comes_in_switched_off_and_stays_as_it_is_then() {
        let difference = Difference { code: "context", message: "elsewhere".into() };
        let of_profiles =
            FilterLine { comes_off: true, differences: vec![difference.clone()], ..line(Some("a"), "snow") };
        let of = |text: &str, rows: &[FilterRow]| {
            let line = FilterLine { text: text.into(), ..of_profiles.clone() };
            let one = against(&file(&[line]), rows, Action::default(), 0).remove(0);
            let enabled = one.save().map(|save| save.enabled);
            (one.state, one.enabled, enabled, one.differences)
        };
        assert_eq!(of("snow", &[]), (State::New, false, Some(Some(false)), vec![difference.clone()]));
        // Somebody switched it on.
        let there = row(1, "a", "snow");
        assert_eq!(of("snow", std::slice::from_ref(&there)), (State::Same, true, None, vec![]));
        assert_eq!(of("rain", &[there]), (State::Differs, true, Some(None), vec![difference]));
    }

    #[test]
    fn a_text_brings_the_dialect_that_its_format_says() {
        let changed = |format, dialect| {
            let mut old = row(1, "weather", "snow");
            old.filter.dialect = dialect;
            let file = FilterFile { format, filters: vec![line(Some("weather"), "rain")] };
            let coming = against(&file, &[old], Action::default(), 0).remove(0);
            (coming.filter.dialect, coming.changes.iter().any(|change| change.field == "dialect"))
        };
        assert_eq!(changed(Format::XJson, Dialect::Native), (Dialect::X, true));
        assert_eq!(changed(Format::Mastodon, Dialect::X), (Dialect::Native, true));
        // JSON of our own says it where it is meant.
        assert_eq!(changed(Format::Ndjson, Dialect::X), (Dialect::X, false));
    }

    #[test]
    fn a_line_means_what_is_as_it_says_or_what_has_its_name() {
        let rows =
            [row(1, "weather", "snow"), row(2, "pets", "cat"), row(3, "pets", "dog"), row(4, "", "ice")];
        let lines = [
            line(Some("weather"), "rain"),
            line(Some("pets"), "dog"),
            line(Some("pets"), "puppy"),
            line(None, "ice"),
            line(None, "ice"),
            line(Some(""), "hail"),
        ];
        let coming = against(&file(&lines), &rows, Action::default(), 0);
        let of = |one: &Incoming| (one.state, one.id, one.save().map(|save| save.replaces));
        assert_eq!(
            coming.iter().map(of).collect::<Vec<_>>(),
            [
                (State::Differs, Some(1), Some(Some((1, Some(7))))),
                (State::Same, Some(3), None),
                (State::New, None, Some(None)),
                (State::Same, Some(4), None),
                (State::New, None, Some(None)),
                (State::New, None, Some(None)),
            ]
        );
        let change = FactChange { field: "text", from: "snow".into(), to: "rain".into() };
        assert_eq!(coming[0].changes, [change]);
        assert_eq!(
            summary(coming.iter().map(|one| one.state), 2, false),
            "3 would be added, 1 would be changed, 2 there already, 2 invalid"
        );
    }
}
