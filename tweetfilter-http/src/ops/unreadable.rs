//! Sources that give what can't be read.

use super::overview::ProcessNow;
use super::unwell::{Look, Unwell, of};

/// Lines that can't be read are named where there is at least one in so many seconds,
const SELDOM: f64 = 30.0;
/// and where they are at least this share of all.
const MUCH: f64 = 0.5;

impl Look<'_> {
    /// Sources of processes that run, of which nothing was ever read but what can't be, or half of it just now.
    pub(super) fn unreadable(&self, found: &mut Vec<Unwell>) {
        let mut count = 0;
        for source in &self.status.sources {
            let counts = &source.counts;
            let unreadable: u64 = counts.undecodable.values().sum();
            let part = format!("ingest {}", source.name);
            let here = || self.overview.processes.iter().filter(|one| !one.silent && !one.state.ended);
            let is_read = here().any(|one| one.parts.iter().any(|known| known.told.name == part));
            let rates = here().filter_map(|process| lines_of(process, &part));
            let (lines, lost) =
                rates.fold((0.0, 0.0), |(lines, lost), rates| (lines + rates.0, lost + rates.1));
            let message = if is_read && unreadable > 0 && counts.posts == 0 && counts.control == 0 {
                let were = if unreadable == 1 { "1 line".to_owned() } else { format!("{unreadable} lines") };
                format!("Nothing that the source {} gave could be read, {were} up to now", source.name)
            } else if lost * SELDOM >= 1.0 && lost >= lines * MUCH {
                let percent = (lost / lines * 100.0).min(100.0);
                format!("{percent:.0} % of what the source {} gives just now can't be read", source.name)
            } else {
                continue;
            };
            count += 1;
            if self.names {
                let most = counts.undecodable.iter().max_by_key(|(_, count)| **count);
                let why = most.map(|(reason, _)| format!(": {reason}")).unwrap_or_default();
                let way = "Look whether it is of the kind that the settings say, and what it sends";
                found.push(of("source_unreadable", format!("{message}{why}. {way}")));
            }
        }
        match count {
            0 => {}
            _ if self.names => {}
            1 => found.push(of("source_unreadable", "Much of what 1 source gives can't be read".to_owned())),
            _ => {
                let message = format!("Much of what {count} sources give can't be read");
                found.push(of("source_unreadable", message));
            }
        }
    }
}

/// Lines a second that a process reads by a part, and those of them that can't be read.
fn lines_of(process: &ProcessNow, part: &str) -> Option<(f64, f64)> {
    let part = process.parts.iter().find(|known| known.told.name == part)?;
    let rates = part.rates.filter(|_| process.does(part))?;
    Some((rates.lines, rates.unreadable))
}

#[cfg(test)]
mod tests {
    use tweetfilter_sql::{SourceStatus, Status};
    use tweetfilter_stream::buffer::Counts;

    use super::super::unwell::tests::{look, part, trouble};
    use crate::ops::{Overview, Rates, State};

    #[test]
    fn a_source_that_gives_what_cant_be_read_is_named() {
        let mut overview = trouble().0;
        overview.hosts.clear();
        let said = |overview: &Overview,
                    (posts, control, unreadable): (u64, u64, u64),
                    (lines, lost): (f64, f64),
                    names: bool| {
            let mut overview = overview.clone();
            let rates = Some(Rates { lines, unreadable: lost, ..Rates::default() });
            overview.processes[0].parts = vec![part("ingest a", State::Running, None)];
            overview.processes[0].parts[0].rates = rates;
            let undecodable =
                if unreadable > 0 { [("no JSON".to_owned(), unreadable)].into() } else { [].into() };
            let counts = Counts { posts, control, undecodable, ..Counts::default() };
            let sources = vec![SourceStatus { name: "a".to_owned(), counts, ..SourceStatus::default() }];
            let status = Status { sources, ..Status::default() };
            let found = look(&overview, &status, names)
                .unwell()
                .into_iter()
                .filter(|one| one.code == "source_unreadable");
            found.map(|one| one.message).collect::<Vec<_>>().concat()
        };
        for (counts, rates) in [
            ((0, 0, 0), (0.0, 0.0)),
            ((9, 0, 9), (0.0, 0.0)),
            // Few of many, and few at all.
            ((9, 0, 9), (10.0, 4.0)),
            ((9, 0, 9), (0.02, 0.02)),
            ((0, 1, 9), (0.0, 0.0)),
        ] {
            assert_eq!(said(&overview, counts, rates, true), "", "{counts:?} {rates:?}");
        }
        let never = said(&overview, (0, 0, 5_000), (0.0, 0.0), true);
        assert!(
            never
                .starts_with("Nothing that the source a gave could be read, 5000 lines up to now: no JSON. "),
            "{never}"
        );
        let now = said(&overview, (900, 0, 5_000), (10.0, 6.0), true);
        assert!(
            now.starts_with("60 % of what the source a gives just now can't be read: no JSON. "),
            "{now}"
        );
        assert_eq!(
            said(&overview, (900, 0, 5_000), (10.0, 6.0), false),
            "Much of what 1 source gives can't be read"
        );
        // Who read it has ended.
        overview.processes[0].state.ended = true;
        assert_eq!(said(&overview, (0, 0, 5_000), (0.0, 0.0), true), "");
    }
}
