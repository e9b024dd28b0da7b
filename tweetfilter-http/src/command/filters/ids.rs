//! Whether the ids of filters that are used together differ as they must.

use std::collections::{HashMap, HashSet};

use tweetfilter_http::import::Format;

use super::super::Failure;
use super::super::terminal::{fit, one_line};
use super::Named;

/// Faults that are told.
const SHOWN: usize = 10;

/// Ids are unique among the filters of an owner, and none stands both with and without an owner; where owners
/// are ignored, they are unique altogether.
pub(super) fn check(filters: &[Named<'_>], ignore_owners: bool) -> Result<(), Failure> {
    // What could not be read has no id that anybody gave it.
    let read = || filters.iter().filter(|filter| filter.line.fault.is_none());
    let mut ids = HashSet::with_capacity(filters.len());
    if read().all(|filter| ids.insert(filter.line.id.as_str())) {
        return Ok(());
    }
    let mut of_owner: HashMap<(&str, Option<&str>), &Named<'_>> = HashMap::with_capacity(filters.len());
    let mut of_id: HashMap<&str, &Named<'_>> = HashMap::with_capacity(filters.len());
    let mut faults = Vec::new();
    let mut numbered = false;
    for filter in read() {
        let (id, owner) = (filter.line.id.as_str(), filter.line.owner.as_deref());
        let same = of_owner.insert((id, owner), filter);
        let other = of_id.insert(id, filter);
        let fault = match (same, other) {
            (Some(other), _) => Some((other, "is taken; ids must differ, see")),
            (None, Some(other)) if ignore_owners => {
                Some((other, "is another owner's too; with --ignore-owners ids must differ, see"))
            }
            (None, Some(other)) if other.line.owner.is_some() != owner.is_some() => {
                Some((other, "stands both with and without an owner; ids must differ, see"))
            }
            _ => None,
        };
        if let Some((other, what)) = fault {
            numbered |= filter.file != other.file && [filter, other].into_iter().any(is_numbered);
            let id = fit(&one_line(id), 60);
            // JSON may have many on a line, which then tells none apart.
            let is_told = (&filter.file, filter.line.line) != (&other.file, other.line.line);
            let [this, other] = [filter, other].map(|filter| place(filter, is_told));
            faults.push(format!("{this}: id `{id}` {what} {other}"));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let more = faults.len().saturating_sub(SHOWN);
    faults.truncate(SHOWN);
    if more > 0 {
        faults.push(format!("and {more} more"));
    }
    if numbered {
        faults.push(
            "filters in plain text have the numbers of their lines as ids; to use several such files together, \
             write {\"id\":\"…\",\"filter\":\"…\"} on each line"
                .to_owned(),
        );
    }
    Err(Failure::Input(faults.join("\ntweetfilter: ")))
}

/// Whether its id is the number of its line.
fn is_numbered(filter: &Named<'_>) -> bool {
    filter.format == Format::Plain && filter.line.id == filter.line.line.to_string()
}

/// Where a filter is; its line need not be enough to tell it.
fn place(filter: &Named<'_>, is_told: bool) -> String {
    let (file, line) = (&filter.file, filter.line.line);
    if is_told {
        return format!("{file}:{line}");
    }
    let name = filter.line.name.as_deref().filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" ({})", fit(&one_line(name), 40))).unwrap_or_default();
    format!("{file}:{line}, filter number {}{name}", filter.nth)
}
