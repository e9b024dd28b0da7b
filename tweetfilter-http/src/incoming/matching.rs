//! Which filter a line of a file means.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use tweetfilter_core::syntax::to_native;
use tweetfilter_core::{Dialect, Expression, Limits};
use tweetfilter_sql::{FilterRow, NewFilter};

use super::{action, flat, has_ended};
use crate::import::{FilterFile, FilterLine, Format, through_keywords};
use crate::names::title;

/// A filter, and whether all that the line says of it is so.
type Meant<'r> = Option<(&'r FilterRow, bool)>;

/// For each line the filter that it means, if one is there.
pub(super) fn meant<'r>(file: &FilterFile, rows: &'r [FilterRow], now: i64) -> Vec<Meant<'r>> {
    let alike = alike(file, rows, now);
    let taken: HashSet<i64> = alike.iter().flatten().map(|row| row.id).collect();
    let named = named(&file.filters, rows, &taken);
    let pairs = alike.into_iter().zip(named);
    pairs.map(|(alike, named)| alike.map(|row| (row, true)).or(named.map(|row| (row, false)))).collect()
}

/// For each line the filter of which all is so that it says. Lines that say more choose first, and of several filters
/// that is taken of which the line leaves least unsaid: a filter that another line means alone is left to that.
fn alike<'r>(file: &FilterFile, rows: &'r [FilterRow], now: i64) -> Vec<Option<&'r FilterRow>> {
    let mut of_text: HashMap<String, Vec<&'r FilterRow>> = HashMap::new();
    for row in rows {
        for text in texts(&row.filter, file.format) {
            of_text.entry(text).or_default().push(row);
        }
    }
    let mut lines: Vec<_> = file.filters.iter().enumerate().collect();
    lines.sort_by_key(|(_, line)| Reverse(facts(line)));
    let mut taken: HashSet<i64> = HashSet::new();
    let mut alike = vec![None; lines.len()];
    for (n, line) in lines {
        let of_line = of_text.get(&flat(&line.text)).into_iter().flatten().copied();
        let free = of_line.filter(|row| !taken.contains(&row.id) && is_so(line, row, file.format, now));
        let row = free.min_by_key(|row| unsaid(line, &row.filter));
        taken.extend(row.map(|row| row.id));
        alike[n] = row;
    }
    alike
}

/// For each line the filter of its name that is not taken, if the name is of one filter and one line alone.
fn named<'r>(
    lines: &[FilterLine],
    rows: &'r [FilterRow],
    taken: &HashSet<i64>,
) -> Vec<Option<&'r FilterRow>> {
    let mut of_name: HashMap<&str, Vec<&'r FilterRow>> = HashMap::new();
    for row in rows.iter().filter(|row| !row.filter.name.is_empty()) {
        of_name.entry(&row.filter.name).or_default().push(row);
    }
    let mut times: HashMap<&str, usize> = HashMap::new();
    for name in lines.iter().filter_map(|line| line.name.as_deref()) {
        *times.entry(name).or_default() += 1;
    }
    let of_line = |line: &FilterLine| {
        let name = line.name.as_deref().filter(|name| times.get(*name) == Some(&1))?;
        let [found] = of_name.get(name)?.as_slice() else { return None };
        Some(*found).filter(|row| !taken.contains(&row.id))
    };
    lines.iter().map(of_line).collect()
}

/// How much a line says beside its text.
fn facts(line: &FilterLine) -> usize {
    let FilterLine { name, dialect, action, enabled, expires_at, .. } = line;
    let said = [name.is_some(), dialect.is_some(), action.is_some(), enabled.is_some(), expires_at.is_some()];
    said.into_iter().filter(|said| *said).count()
}

/// How much there is to a filter that a line leaves unsaid, though it fits.
fn unsaid(line: &FilterLine, filter: &NewFilter) -> usize {
    let unsaid = [
        line.name.as_deref().unwrap_or_default() != filter.name,
        line.expires_at.is_none() && filter.expires_at.is_some(),
        line.dialect.is_some_and(|dialect| dialect != filter.dialect),
    ];
    unsaid.into_iter().filter(|unsaid| *unsaid).count()
}

/// Whether all that a line says beside its text is so of a filter already.
fn is_so(line: &FilterLine, row: &FilterRow, format: Format, now: i64) -> bool {
    let filter = &row.filter;
    line.name.as_ref().is_none_or(|name| *name == filter.name || is_title(name, filter, format))
        && line.enabled.is_none_or(|enabled| enabled == row.enabled || has_ended(filter, now))
        && line.expires_at.is_none_or(|at| filter.expires_at == Some(at))
        && action(line).is_none_or(|action| action == filter.action)
        && line.dialect.is_none_or(|dialect| dialect == filter.dialect || is_of_both_dialects(&filter.text))
}

/// Whether a name stands for none: in Mastodon's form each filter has a title, and that of one without a name is of its text.
fn is_title(name: &str, filter: &NewFilter, format: Format) -> bool {
    format == Format::Mastodon && filter.name.is_empty() && flat(name) == flat(&title(&filter.text))
}

/// What the text of a filter may be in a file: on one line, and in Mastodon's form as keywords read.
fn texts(filter: &NewFilter, format: Format) -> impl Iterator<Item = String> {
    let text = flat(&filter.text);
    let read = (format == Format::Mastodon).then(|| through_keywords(&filter.text, filter.dialect));
    let read = read.flatten().filter(|read| *read != text);
    std::iter::once(text).chain(read)
}

/// Whether an expression means the same in both dialects.
fn is_of_both_dialects(text: &str) -> bool {
    let meant = |dialect| {
        let read = Expression::parse_with(text, dialect, &Limits::default()).ok()?;
        Some(to_native(&read).into_root())
    };
    let native = meant(Dialect::Native);
    native.is_some() && native == meant(Dialect::X)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, name: &str, expires_at: Option<i64>) -> FilterRow {
        let filter = NewFilter { name: name.into(), text: "snow".into(), expires_at, ..NewFilter::default() };
        FilterRow { id, account: 1, position: id, filter, enabled: true, revision: 7 }
    }

    fn line(name: Option<&str>, expires_at: Option<i64>) -> FilterLine {
        let line = FilterLine::new("1".into(), "snow".into(), 1);
        FilterLine { name: name.map(str::to_owned), expires_at, ..line }
    }

    #[test]
    fn a_text_is_of_both_dialects_where_it_reads_as_much() {
        assert!(is_of_both_dialects("from:bob lang:en"));
        assert!(!is_of_both_dialects("snow"));
        assert!(!is_of_both_dialects("(snow"));
        assert!(flat("a\nb") == flat("a b") && flat("a b") != flat("a c"));
    }

    #[test]
    fn a_line_that_says_little_leaves_the_filter_of_one_that_says_more() {
        let lines = vec![line(None, None), line(None, Some(9)), line(Some("weather"), None)];
        let file = FilterFile { format: Format::Ndjson, filters: lines };
        let (plain, ends, named) = (row(1, "", None), row(2, "", Some(9)), row(3, "weather", None));
        for rows in [
            [plain.clone(), ends.clone(), named.clone()],
            [named.clone(), ends.clone(), plain.clone()],
            [ends, named, plain],
        ] {
            let of = |meant: Meant<'_>| meant.map(|(row, is_so)| (row.id, is_so));
            let meant: Vec<_> = meant(&file, &rows, 0).into_iter().map(of).collect();
            assert_eq!(meant, [Some((1, true)), Some((2, true)), Some((3, true))]);
        }
        // What is left is what nobody else means.
        let rows = [row(3, "weather", None)];
        let ids: Vec<_> = meant(&file, &rows, 0).into_iter().map(|one| one.map(|(row, _)| row.id)).collect();
        assert_eq!(ids, [None, None, Some(3)]);
    }
}
