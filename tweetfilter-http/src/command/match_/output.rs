//! What is printed of posts that match.

use std::io::Write;

use tweetfilter_core::{Match, Post};

use super::super::Failure;
use super::super::filters::Entry;
use super::super::highlight;
use super::super::terminal::{Color, Style, columns, fit, one_line, pad};
use super::super::time::rfc3339;
use super::tally::{Place, Tally};
use super::{Job, Output};

/// A post and the filters that match it, at least one.
pub(super) struct Found<'a> {
    pub(super) post: &'a Post,
    /// The user of the envelope that it came in.
    pub(super) viewer: Option<&'a str>,
    pub(super) place: Place,
    pub(super) matches: &'a [Match],
}

/// Writes found posts in the format asked for; what is the same for every post is prepared once.
pub(super) struct Writer<'a> {
    job: &'a Job,
    /// Of each filter, its id as the format writes it.
    ids: Vec<String>,
    style: Style,
}

/// Columns of a table beside the text.
const TIME: usize = 16;
const AUTHOR: usize = 16;
const FILTERS: usize = 20;

impl<'a> Writer<'a> {
    pub(super) fn new(job: &'a Job) -> Self {
        let entries = &job.compiled.entries;
        let ids = match job.output {
            Output::Matches => entries.iter().map(|entry| json(&entry.id)).collect(),
            Output::Csv => entries
                .iter()
                .map(|entry| format!("{},{}", csv(&entry.id), csv(entry.name.as_deref().unwrap_or_default())))
                .collect(),
            Output::Table => entries.iter().map(shown).collect(),
            Output::Posts | Output::Count => Vec::new(),
        };
        let style = if job.output == Output::Table { Style::stdout() } else { Style::plain() };
        Self { job, ids, style }
    }

    /// Appends what is printed of one post.
    pub(super) fn write(&self, found: &Found<'_>, out: &mut Vec<u8>) {
        match self.job.output {
            Output::Matches => self.matches(found, out),
            Output::Csv => self.csv(found, out),
            Output::Table => self.row(found, out),
            Output::Posts | Output::Count => {}
        }
    }

    fn matches(&self, found: &Found<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"post\":");
        push_json(out, &self.id(found));
        if !matches!(found.post.network.as_str(), "" | "x" | "bluesky") {
            out.extend_from_slice(b",\"network\":");
            push_json(out, &found.post.network);
        }
        if let Some(viewer) = found.viewer {
            out.extend_from_slice(b",\"owner\":");
            push_json(out, viewer);
        }
        out.extend_from_slice(b",\"filters\":[");
        for (n, m) in found.matches.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            out.extend_from_slice(self.ids[m.index as usize].as_bytes());
        }
        out.extend_from_slice(b"]}\n");
    }

    fn csv(&self, found: &Found<'_>, out: &mut Vec<u8>) {
        let post = found.post;
        let time = post.created_at.map(rfc3339).unwrap_or_default();
        let text = format!("{}{}", highlight::retweeted(post), post.content().text);
        let (id, author, text) = (csv(&self.id(found)), csv(author(post)), csv(&text));
        for m in found.matches {
            let owner = self.job.compiled.entries[m.index as usize].owner.as_deref();
            let owner = csv(owner.or(found.viewer).unwrap_or_default());
            let filter = &self.ids[m.index as usize];
            let row = format!("{id},{owner},{filter},{time},{author},{text}\n");
            out.extend_from_slice(row.as_bytes());
        }
    }

    fn row(&self, found: &Found<'_>, out: &mut Vec<u8>) {
        let post = found.post;
        let time = post.created_at.map(|time| rfc3339(time)[..16].replace('T', " ")).unwrap_or_default();
        let names: Vec<&str> = found.matches.iter().map(|m| self.ids[m.index as usize].as_str()).collect();
        let left = self.style.width().saturating_sub(TIME + AUTHOR + FILTERS + 6).max(20);
        let row = format!(
            "{}  {}  {}  {}\n",
            self.style.paint(Color::Dim, &pad(&time, TIME)),
            self.style.paint(Color::Name, &pad(&one_line(author(post)), AUTHOR)),
            self.style.paint(Color::Hit, &pad(&several(&names, FILTERS), FILTERS)),
            self.text(found, left),
        );
        out.extend_from_slice(row.as_bytes());
    }

    /// The text in one line, the parts that matched marked where colors are shown.
    fn text(&self, found: &Found<'_>, width: usize) -> String {
        let post = found.post;
        let text = &post.content().text;
        if !self.style.colors() {
            return fit(&one_line(&format!("{}{text}", highlight::retweeted(post))), width);
        }
        let set = &self.job.compiled.set;
        let parts = found.matches.iter().filter_map(|m| set.explain(m.index as usize, post));
        let spans: Vec<_> = parts.flat_map(|explained| highlight::spans(&explained, text)).collect();
        highlight::of_post(post, &highlight::merged(spans), width, self.style)
    }

    /// The post's id; of a post without one its line, with the input's name if there are several.
    fn id(&self, found: &Found<'_>) -> String {
        if !found.post.id.is_empty() {
            return found.post.id.clone();
        }
        self.job.names.of(found.place)
    }
}

/// What stands before the first post.
pub(super) fn heading(output: Output) -> String {
    match output {
        Output::Csv => "post,owner,filter,name,time,author,text\n".to_owned(),
        Output::Table => {
            let style = Style::stdout();
            let row = format!(
                "{}  {}  {}  TEXT",
                pad("TIME (UTC)", TIME),
                pad("AUTHOR", AUTHOR),
                pad("FILTERS", FILTERS)
            );
            format!("{}\n", style.paint(Color::Strong, &row))
        }
        Output::Matches | Output::Posts | Output::Count => String::new(),
    }
}

/// As many names as fit, then how many more there are.
fn several(names: &[&str], width: usize) -> String {
    let all = names.join(", ");
    if columns(&all) <= width {
        return all;
    }
    for shown in (1..names.len()).rev() {
        let some = format!("{} +{}", names[..shown].join(", "), names.len() - shown);
        if columns(&some) <= width {
            return some;
        }
    }
    let more = if names.len() > 1 { format!(" +{}", names.len() - 1) } else { String::new() };
    format!("{}{more}", fit(names.first().copied().unwrap_or_default(), width.saturating_sub(more.len())))
}

/// A filter's name, else its id, in one line.
fn shown(entry: &Entry) -> String {
    one_line(entry.name.as_deref().unwrap_or(&entry.id))
}

fn author(post: &Post) -> &str {
    let account = &post.author.account;
    if account.handle.is_empty() { &account.id } else { &account.handle }
}

/// What a spreadsheet takes for the beginning of a formula, or passes over before one.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A CSV field, quoted where it must be. Authors write what they like: before what a spreadsheet would work out stands
/// an apostrophe, by which it is text there.
fn csv(field: &str) -> String {
    let mark = if field.starts_with(FORMULA) { "'" } else { "" };
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{mark}{}\"", field.replace('"', "\"\""))
    } else {
        format!("{mark}{field}")
    }
}

/// A TSV field: backslashes, tabs, line breaks and other control characters are escaped with a backslash.
fn tsv(field: &str) -> String {
    let mut escaped = String::with_capacity(field.len());
    for c in field.chars() {
        if c == '\\' || c.is_control() {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn json(text: &str) -> String {
    let mut out = Vec::new();
    push_json(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

fn push_json(out: &mut Vec<u8>, text: &str) {
    let plain = |b: &u8| *b >= 0x20 && !matches!(b, b'"' | b'\\');
    if text.as_bytes().iter().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}

/// Prints the counts: filter, period where asked for, total, and the owner where any filter has one.
pub(super) fn write_counts(job: &Job, tally: &Tally) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    count_rows(job, tally, &mut out).and_then(|()| out.flush()).map_err(|error| Failure::writing(&error))
}

fn count_rows(job: &Job, tally: &Tally, out: &mut impl Write) -> std::io::Result<()> {
    let entries = &job.compiled.entries;
    let has_owners = entries.iter().any(|entry| entry.owner.is_some());
    let mut periods: Vec<_> = tally.of_period.iter().collect();
    periods.sort_by_key(|(period, _)| **period);
    for (n, entry) in (0..).zip(entries) {
        let id = tsv(&entry.id);
        let owner = entry.owner.as_deref().map(tsv).unwrap_or_default();
        let end = if has_owners { format!("\t{owner}\n") } else { "\n".to_owned() };
        match job.by {
            None => write!(out, "{id}\t{}{end}", tally.of_filter[n as usize])?,
            Some(by) => {
                for (period, counts) in &periods {
                    let name = period.map_or_else(|| "-".to_owned(), |number| by.name(number));
                    let count = counts.get(&n).copied().unwrap_or_default();
                    write!(out, "{id}\t{name}\t{count}{end}")?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_escaped() {
        assert_eq!(csv("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
        assert_eq!(csv("=1+1,\"a\""), "\"'=1+1,\"\"a\"\"\"");
        for formula in ["+1", "-1", "@bob hi", "\t=1", "＝1"] {
            assert_eq!(csv(formula), format!("'{formula}"));
        }
        assert_eq!(csv("\n=1"), "\"'\n=1\"");
        for plain in ["", "a=1", "'a", " @bob", "1-1", "RT @bob: =1"] {
            assert_eq!(csv(plain), plain);
        }
        assert_eq!(tsv("é\tb\\\u{1b}[1m"), "é\\tb\\\\\\u{1b}[1m");
        assert_eq!(json("é\u{1}\""), "\"é\\u0001\\\"\"");
    }

    #[test]
    fn names_are_shown_as_far_as_there_is_room() {
        assert_eq!(several(&["cats", "dogs"], 10), "cats, dogs");
        assert_eq!(several(&["cats", "dogs", "birds"], 10), "cats +2");
        assert_eq!(several(&["a very long name", "b"], 10), "a very… +1");
    }
}
