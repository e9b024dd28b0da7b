//! What was done, in a few lines on stderr.

use std::collections::BTreeMap;
use std::time::Duration;

use tweetfilter_core::explain::CostClass;

use super::super::filters::class_name;
use super::super::terminal::{grouped, one_line};
use super::Job;
use super::tally::{Skipped, Tally};

/// How many filters each cost class has.
type Classes = BTreeMap<CostClass, u64>;

/// Counts the filters of each class.
fn classes(job: &Job) -> Classes {
    let mut classes = Classes::new();
    for class in (0..job.compiled.set.len()).filter_map(|filter| job.compiled.set.cost_class(filter)) {
        *classes.entry(class).or_default() += 1;
    }
    classes
}

/// Prints the summary.
pub(super) fn print(job: &Job, tally: &Tally, time: Duration) {
    tell!("{}", text(job, tally, &classes(job), time));
}

fn text(job: &Job, tally: &Tally, classes: &Classes, time: Duration) -> String {
    let mut lines = Vec::new();
    let found = format!(
        "{}, {} with a match, {}",
        counted(tally.posts, "post"),
        grouped(tally.matched_posts),
        counted_es(tally.matches, "match")
    );
    lines.push(found);
    if !tally.others.is_empty() {
        let mut kinds: Vec<_> = tally.others.iter().collect();
        kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), (*kind).clone()));
        let kinds: Vec<String> =
            kinds.iter().map(|(kind, count)| format!("{} {kind}", grouped(**count))).collect();
        lines.push(format!("other messages: {}", kinds.join(", ")));
    }
    for (reason, skipped) in &tally.skipped {
        lines.push(skipped_line(job, reason, skipped));
    }
    lines.push(filters(job, classes));
    let seconds = time.as_secs_f64().max(1e-9);
    lines.push(format!(
        "{seconds:.3} s, {} posts/s, {:.1} MB/s",
        grouped((tally.posts as f64 / seconds) as u64),
        tally.bytes as f64 / 1e6 / seconds
    ));
    // Kinds of messages and names in tars are the input's own words.
    lines.iter().map(|line| format!("{}\n", one_line(line))).collect()
}

fn skipped_line(job: &Job, reason: &str, skipped: &Skipped) -> String {
    let first: Vec<String> = skipped.first.iter().map(|&place| job.names.of(place)).collect();
    let more = if skipped.count > first.len() as u64 { " …" } else { "" };
    let line = if skipped.count == 1 { "line" } else { "lines" };
    format!("skipped, {reason}: {} ({line} {}{more})", grouped(skipped.count), first.join(", "))
}

fn filters(job: &Job, classes: &Classes) -> String {
    let mut line = counted(job.compiled.entries.len() as u64, "filter");
    let classes: Vec<String> =
        classes.iter().map(|(class, count)| format!("{} {}", grouped(*count), class_name(*class))).collect();
    if !classes.is_empty() {
        line.push_str(&format!(": {}", classes.join(", ")));
    }
    let refused = job.compiled.refused.len() as u64;
    if refused > 0 {
        line.push_str(&format!(", {} invalid and left out", grouped(refused)));
    }
    line
}

/// Says so when filters have owners and no post came with an audience.
pub(super) fn print_owners_unused(job: &Job, tally: &Tally) {
    let owned = job.compiled.entries.iter().filter(|entry| entry.owner.is_some()).count() as u64;
    if owned > 0 && tally.delivered == 0 && !job.ignore_owners && tally.posts > 0 {
        told!(
            "tweetfilter: {} of an owner tried on no post, since none came in a `for_user` envelope; \
             --ignore-owners tries them on every post",
            counted(owned, "filter")
        );
    }
}

fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

fn counted_es(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "es" })
}
