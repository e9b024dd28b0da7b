//! Readers of filter files.
//!
//! A file of filters is one of four things, found out by its content:
//!
//! * NDJSON, `{"id","filter","owner"?,"name"?,"dialect"?}` on each line, when the first line that is not blank
//!   is a JSON object, and it or a later one has a string `filter`;
//! * the JSON of Mastodon's `/api/v2/filters`, or of its first version;
//! * the JSON of X's `/2/tweets/search/stream/rules` or of PowerTrack's rules API, as answered or as sent;
//! * else plain text with one expression a line. The id is the line's number, blank lines are skipped, and
//!   there are no comments, since `#word` is a filter.
//!
//! A list of plain words, in which nothing is an operator, is read by [`read_words`].
//!
//! Expressions are not parsed here, so that a caller can report all that is wrong with them.
//!
//! ```
//! use tweetfilter_http::import::{Format, read_filters};
//! let file = read_filters("snow -rain\n\n#ski\n")?;
//! assert_eq!(file.format, Format::Plain);
//! assert_eq!((file.filters[1].id.as_str(), file.filters[1].text.as_str()), ("3", "#ski"));
//! # Ok::<(), tweetfilter_http::import::Malformed>(())
//! ```

mod keywords;
mod mastodon;
mod ndjson;
mod words;
mod x_json;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::IgnoredAny;
use tweetfilter_core::Dialect;

pub use keywords::{Keyword, keywords, misread, through_keywords};
pub use words::{literal, read_words};

/// A filter as a file states it, not parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterLine {
    /// Id, unique among the filters of its owner.
    pub id: String,
    /// The expression.
    pub text: String,
    /// Whose filter it is.
    pub owner: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// How it reads a post, where the file says so.
    pub dialect: Option<Dialect>,
    /// What a match does: `show`, `hide`, `highlight` or `notify`, where the file says so.
    pub action: Option<String>,
    /// Whether it is used, where the file says so.
    pub enabled: Option<bool>,
    /// When it is switched off by itself, in milliseconds since 1970.
    pub expires_at: Option<i64>,
    /// What it does where it was written, and does not do here.
    pub differences: Vec<Difference>,
    /// Whether a new one comes in switched off, since here it would do more than its file asks for.
    pub comes_off: bool,
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong in it beside the expression, so that it can't be used; what else could be read of it stands above.
    pub fault: Option<String>,
}

/// Something that a filter does where it was written, and does not do here: for whoever decides whether it is to come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// For programs: `context`, `single_posts`, `only_warns` or `only_blurs`.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// The code of a finding that is about a [`FilterLine::fault`].
pub const UNREADABLE: &str = "unreadable";

impl FilterLine {
    /// A filter of which nothing else is said.
    #[must_use]
    pub fn new(id: String, text: String, line: usize) -> Self {
        Self {
            id,
            text,
            owner: None,
            name: None,
            dialect: None,
            action: None,
            enabled: None,
            expires_at: None,
            differences: Vec::new(),
            comes_off: false,
            line,
            fault: None,
        }
    }
}

/// What a file of filters is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// X's or PowerTrack's own JSON.
    XJson,
    /// Mastodon's own JSON.
    Mastodon,
    /// One expression a line.
    Plain,
    /// One word or phrase a line.
    Words,
}

impl Format {
    /// What filters in it were written for, where neither they nor the user say.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::XJson => Dialect::X,
            Self::Ndjson | Self::Mastodon | Self::Plain | Self::Words => Dialect::Native,
        }
    }

    /// What a text in it is of, where the format itself says so: whose rules they are, or who wrote the text from words.
    #[must_use]
    pub fn said_dialect(self) -> Option<Dialect> {
        match self {
            Self::XJson | Self::Mastodon | Self::Words => Some(self.dialect()),
            Self::Ndjson | Self::Plain => None,
        }
    }
}

/// The filters of one file, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterFile {
    /// What it is written in.
    pub format: Format,
    /// Its filters.
    pub filters: Vec<FilterLine>,
}

impl FilterFile {
    /// A file of which at least one filter can be used, or that has none at all.
    fn usable(format: Format, filters: Vec<FilterLine>) -> Result<Self, Malformed> {
        let file = Self { format, filters };
        let faults = file.faults();
        let is_usable = faults.is_empty() || faults.len() < file.filters.len();
        if is_usable { Ok(file) } else { Err(Malformed { faults }) }
    }

    /// What is wrong in it beside the expressions.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let fault = |line: &FilterLine| Some(Fault { line: line.line, message: line.fault.clone()? });
        self.filters.iter().filter_map(fault).collect()
    }

    /// For each filter that the file says is somebody else's than this owner's: whose.
    #[must_use]
    pub fn other_owners(&self, owner: &str) -> Vec<&str> {
        self.filters.iter().filter_map(|line| line.owner.as_deref()).filter(|other| *other != owner).collect()
    }

    /// Whose filters the file says it has, in order of their names, and how many of each.
    #[must_use]
    pub fn owners(&self) -> BTreeMap<&str, usize> {
        let mut owners = BTreeMap::new();
        for owner in self.filters.iter().filter_map(|line| line.owner.as_deref()) {
            *owners.entry(owner).or_default() += 1;
        }
        owners
    }

    /// Leaves the filters that the file says are this owner's, and says how many others there were.
    pub fn keep_owner(&mut self, owner: &str) -> usize {
        let all = self.filters.len();
        self.filters.retain(|line| line.owner.as_deref() == Some(owner));
        all - self.filters.len()
    }
}

/// A place of a file that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// All faults of a file, at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Malformed {
    /// In order of place.
    pub faults: Vec<Fault>,
}

/// Faults that are said; whoever wants all has the list.
const SAID: usize = 20;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.faults.iter().take(SAID).enumerate() {
            let gap = if n == 0 { "" } else { "; " };
            write!(f, "{gap}line {}: {}", fault.line, fault.message)?;
        }
        match self.faults.len().saturating_sub(SAID) {
            0 => Ok(()),
            more => write!(f, "; and {more} more lines"),
        }
    }
}

/// Reads the filters of a file's text. One that is not what the format asks for has a [`FilterLine::fault`], and keeps the others from
/// nothing. Expressions are not looked at.
///
/// # Errors
/// The text is in no format, or all of its filters have faults: every one of these.
pub fn read_filters(text: &str) -> Result<FilterFile, Malformed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if ndjson::is_ndjson(text) {
        return FilterFile::usable(Format::Ndjson, ndjson::read(text));
    }
    if let Some(filters) = mastodon::read(text) {
        return FilterFile::usable(Format::Mastodon, filters);
    }
    if let Some(read) = x_json::read(text) {
        return read.and_then(|filters| FilterFile::usable(Format::XJson, filters));
    }
    if let Some(fault) = broken_json(text) {
        return Err(Malformed { faults: vec![fault] });
    }
    Ok(FilterFile { format: Format::Plain, filters: plain(text) })
}

/// Where a text is broken that begins as JSON does and no expression: `{"`, `[{` … A list, `{cities}`, is one.
fn broken_json(text: &str) -> Option<Fault> {
    let mut begin = text.chars().filter(|c| !c.is_whitespace());
    match (begin.next()?, begin.next()) {
        ('{', None | Some('"' | '}')) | ('[', None | Some('{' | '[' | '"' | ']')) => {}
        _ => return None,
    }
    let error = |text: &str| serde_json::from_str::<IgnoredAny>(text).err();
    let whole = error(text)?;
    // Of objects that stand on a line each, the first is the one that is broken.
    let before = text.lines().take_while(|line| line.trim().is_empty()).count();
    let mut lines = text.lines().skip(before);
    let alone = lines.next().and_then(error);
    let each = lines.find(|line| !line.trim().is_empty());
    let each = each.is_some_and(|line| line.trim_start().starts_with('{') && error(line).is_none());
    let (line, error) = match alone {
        Some(alone) if each => (before + 1, alone),
        _ => (whole.line(), whole),
    };
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    Some(Fault { line, message: format!("broken JSON at column {}: {what}", error.column()) })
}

fn plain(text: &str) -> Vec<FilterLine> {
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    // Room at once: a list that grows leaves memory of every size behind that the system has cleared for it.
    let mut filters = Vec::with_capacity(lines().count());
    filters.extend(lines().map(|(n, line)| FilterLine::new((n + 1).to_string(), line.to_owned(), n + 1)));
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(file: &FilterFile) -> Vec<&str> {
        file.filters.iter().map(|f| f.id.as_str()).collect()
    }

    #[test]
    fn the_filters_of_others_are_told_and_can_be_left_out() {
        let line = |id: &str, owner: Option<&str>| FilterLine {
            owner: owner.map(str::to_owned),
            ..FilterLine::new(id.into(), "snow".into(), 1)
        };
        let filters =
            vec![line("1", Some("bob")), line("2", Some("ann")), line("3", None), line("4", Some("bob"))];
        let file = FilterFile { format: Format::Ndjson, filters };
        assert_eq!(file.owners(), BTreeMap::from([("ann", 1), ("bob", 2)]));
        let filters = vec![line("1", Some("ann")), line("2", Some("bob")), line("3", None)];
        let mut file = FilterFile { format: Format::Ndjson, filters };
        assert_eq!((file.other_owners("ann"), file.other_owners("x")), (vec!["bob"], vec!["ann", "bob"]));
        assert_eq!((file.keep_owner("bob"), ids(&file)), (2, vec!["2"]));
    }

    #[test]
    fn plain_text_counts_lines_and_knows_no_comments() {
        let file = read_filters("\u{feff}cat\r\n\r\n#dog\r\n  \n{words} -rt\n").unwrap();
        assert_eq!(file.format, Format::Plain);
        assert_eq!(ids(&file), ["1", "3", "5"]);
        assert_eq!(file.filters[1].text, "#dog");
    }

    #[test]
    fn ndjson_gives_all_that_it_says() {
        let text = "\n{\"id\":\"a\",\"filter\":\"cat\",\"owner\":\"7\",\"name\":\"Cats\",\"dialect\":\"x\",\"action\":\"hide\",\"enabled\":false,\"expires_at\":\"1970-01-01T00:00:00Z\"}\n{\"id\":9,\"filter\":\"dog\"}\n";
        let file = read_filters(text).unwrap();
        assert_eq!(file.format, Format::Ndjson);
        assert_eq!(
            file.filters[0],
            FilterLine {
                id: "a".into(),
                text: "cat".into(),
                owner: Some("7".into()),
                name: Some("Cats".into()),
                dialect: Some(Dialect::X),
                action: Some("hide".into()),
                enabled: Some(false),
                expires_at: Some(0),
                differences: Vec::new(),
                comes_off: false,
                line: 2,
                fault: None,
            }
        );
        assert_eq!((file.filters[1].id.as_str(), file.filters[1].line), ("9", 3));
    }

    #[test]
    fn every_bad_line_of_ndjson_is_reported() {
        let text = concat!(
            "{\"filter\":\"cat\"}\n",
            "{\"id\":\"b\",\"filter\":\"dog\"}\n",
            "cat OR dog\n",
            "{\"id\":\"c\",\"filter\":\"x\",\"owner\":\"ann\",\"dialect\":\"gnip\"}\n"
        );
        let file = read_filters(text).unwrap();
        let faults = file.faults();
        assert_eq!(faults.iter().map(|f| f.line).collect::<Vec<_>>(), [1, 3, 4]);
        assert!(faults[0].message.contains("`id`"), "{}", faults[0].message);
        assert!(faults[2].message.contains("`native` or `x`"), "{}", faults[2].message);
        // The others stand beside them, and of each is told what could be read.
        let said: Vec<_> = file.filters.iter().map(|f| (f.id.as_str(), f.text.as_str())).collect();
        assert_eq!(said, [("1", "cat"), ("b", "dog"), ("3", ""), ("c", "x")]);
        assert_eq!(file.filters[3].owner.as_deref(), Some("ann"));
        // The first may be bad in what it is told by.
        let file = read_filters("{\"id\":\"a\",\"filter\":7}\n{\"id\":\"b\",\"filter\":\"dog\"}\n").unwrap();
        assert_eq!((file.format, file.faults()[0].line), (Format::Ndjson, 1));
        assert_eq!(file.filters[1].text, "dog");
        // Where nothing can be used, the file can't.
        let bad = text.lines().filter(|line| !line.contains("\"dog\"")).collect::<Vec<_>>().join("\n");
        assert_eq!(read_filters(&bad).unwrap_err().faults.len(), 3);
    }

    #[test]
    fn answers_and_requests_of_x_are_read() {
        let answer = "{\n \"data\": [\n  {\"id\":\"12\",\"value\":\"cat has:images\",\"tag\":\"cats\"},\n  {\"id\":\"13\",\"value\":\"dog\"}\n ],\n \"meta\":{}\n}";
        let file = read_filters(answer).unwrap();
        assert_eq!(file.format, Format::XJson);
        assert_eq!(ids(&file), ["12", "13"]);
        assert_eq!(file.filters[0].name.as_deref(), Some("cats"));
        assert_eq!(file.format.dialect(), Dialect::X);
        assert_eq!(file.filters.iter().map(|f| f.line).collect::<Vec<_>>(), [3, 4]);

        for text in [
            r#"{"add":[{"value":"cat","tag":"c"},{"value":"dog"}]}"#,
            r#"{"rules":[{"value":"cat","tag":null},{"value":"dog"}]}"#,
            r#"[{"value":"cat"},{"value":"dog"}]"#,
        ] {
            assert_eq!(ids(&read_filters(text).unwrap()), ["1", "2"], "{text}");
        }
        assert!(read_filters("{\"value\":\"a\"}\n{\"value\":\"b\"}\n").is_err());
        assert!(read_filters(r#"{"meta":{"sent":"2026"}}"#).unwrap_err().to_string().contains("line 1"));
    }

    #[test]
    fn broken_json_is_no_text_and_its_place_is_told() {
        for (text, place) in [
            ("{\"add\":[{\"value\":\"snow\"}", "line 1: broken JSON at column 24: EOF"),
            ("\n[\n{\"value\":\"snow\"},\n{\"value\":snow}]", "line 4: broken JSON at column 10: expected"),
            (
                "{\"id\":\"a\" \"filter\":\"x\"}\n\n{\"id\":\"b\",\"filter\":\"y\"}",
                "line 1: broken JSON at column 11",
            ),
            ("{", "line 1: broken JSON"),
            (" [ ", "line 1: broken JSON"),
        ] {
            let said = read_filters(text).unwrap_err().to_string();
            assert!(said.starts_with(place), "{text}: {said}");
        }
        for text in ["{words}", "{words} \"a b\"", "{ words} x", "[breaking] news", "\"a\" {words}"] {
            assert_eq!(read_filters(text).unwrap().format, Format::Plain, "{text}");
        }
    }

    #[test]
    fn a_value_that_is_missing_is_a_fault_of_its_line() {
        let file = read_filters("{\"data\":[\n{\"value\":\"a\"},\n{\"tag\":\"b\"},\n7]}").unwrap();
        assert_eq!(file.faults().iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(file.filters[1].name.as_deref(), Some("b"));
    }
}
