//! Entries that wait in the buffer for longer than they should.

use tweetfilter_core::post::Millis;

use super::outlook::Outlook;
use super::unwell::{Look, Unwell, of};
use crate::time::lasts;

/// How long entries may wait while nobody is there who works on them: one that is started again is back by then.
const NOBODY: Millis = 30_000;
/// And while somebody is.
const LONG: Millis = 60_000;

/// What waits in the buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Entries.
    pub entries: u64,
    /// For how many milliseconds the oldest has waited.
    pub age: Option<Millis>,
}

impl Look<'_> {
    /// Entries that have waited for long, where nothing that is named besides says why.
    pub(super) fn waits(&self, found: &mut Vec<Unwell>) {
        let Some(Waiting { entries, age: Some(age) }) = self.waiting else { return };
        let newer = self.overview.newer();
        if entries <= newer || self.store.is_some() || self.buffer.is_some() {
            return;
        }
        let parts = self
            .overview
            .processes
            .iter()
            .flat_map(|process| process.parts.iter().map(move |part| (process, part)));
        let workers: Vec<_> =
            parts.filter(|(process, part)| part.kind() == "work" && process.does(part)).collect();
        let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
        let lasts = lasts(age);
        if workers.is_empty() && age > NOBODY {
            let message = match self.names {
                true => format!(
                    "Nobody works on what is received: {entries} in the buffer, the oldest for {lasts}, and no part `work` runs. \
                     `tweetfilter work`, or `serve`, does it"
                ),
                false => format!("What was received has waited for {lasts}: nobody works on it"),
            };
            return found.push(of("nobody_works", message));
        }
        // Of a worker that waits, that is said, and those of a newer version are not told apart from others by their age.
        let is_said = newer > 0 || workers.iter().any(|(process, part)| process.is_troubled(part));
        if workers.is_empty() || is_said || age <= LONG {
            return;
        }
        let message = match (self.names, self.overview.outlook) {
            (false, _) => format!("What was received has waited for up to {lasts}"),
            (true, Some(Outlook::Drains(_))) => {
                format!("Workers are behind, and catch up: {entries} in the buffer, the oldest for {lasts}")
            }
            (true, _) => format!(
                "Workers do not keep up: {entries} in the buffer, the oldest for {lasts}. See what holds them up, or start another \
                 `tweetfilter work`"
            ),
        };
        found.push(of("entries_wait", message));
    }
}

#[cfg(test)]
mod tests {
    use tweetfilter_sql::Status;

    use super::super::unwell::tests::{look, part, trouble};
    use super::*;
    use crate::ops::{Overview, State};

    #[test]
    fn entries_that_wait_are_named_where_nothing_else_says_why() {
        let mut overview = trouble().0;
        overview.hosts.clear();
        let process = &mut overview.processes[0];
        process.parts = vec![part("ingest a", State::Running, None), part("work", State::Ended, None)];
        let said = |overview: &Overview, waiting: Option<(u64, Millis)>, store: bool, names: bool| {
            let waiting = waiting.map(|(entries, age)| Waiting { entries, age: Some(age) });
            let status = &Status::default();
            let store = store.then(|| of("store_busy", "Busy".to_owned()));
            let look = Look { store, waiting, ..look(overview, status, names) };
            let found =
                look.unwell().into_iter().filter(|one| ["nobody_works", "entries_wait"].contains(&one.code));
            found.map(|one| format!("{}: {}", one.code, one.message)).collect::<Vec<_>>().concat()
        };
        let waits = |age| Some((8_616, age));
        for (waiting, store) in
            [(None, false), (Some((0, 99_000)), false), (waits(30_000), false), (waits(99_000), true)]
        {
            assert_eq!(said(&overview, waiting, store, true), "");
        }
        let nobody = said(&overview, waits(480_000), false, true);
        assert!(
            nobody.starts_with("nobody_works: ")
                && nobody.contains("8616 entries in the buffer, the oldest for 8 min"),
            "{nobody}"
        );
        assert!(nobody.contains("`tweetfilter work`"), "{nobody}");
        assert_eq!(
            said(&overview, waits(40_000), false, false),
            "nobody_works: What was received has waited for 40 s: nobody works on it"
        );
        // Who is silent does not work, as far as is known.
        overview.processes[0].parts[1].told.state = State::Running;
        overview.processes[0].silent = true;
        assert!(said(&overview, waits(40_000), false, true).starts_with("nobody_works: "));
        overview.processes[0].silent = false;
        assert_eq!(said(&overview, waits(60_000), false, true), "");
        let long = said(&overview, waits(61_000), false, true);
        assert!(
            long.starts_with("entries_wait: Workers do not keep up: ") && long.contains("for 61 s"),
            "{long}"
        );
        assert_eq!(
            said(&overview, waits(61_000), false, false),
            "entries_wait: What was received has waited for up to 61 s"
        );
        overview.outlook = Some(Outlook::Drains(9.0));
        assert!(said(&overview, waits(61_000), false, true).contains("behind, and catch up"));
        // What says why is named instead: a worker that waits, and entries of a newer version.
        overview.processes[0].parts[1].told.newer = 7;
        assert_eq!(said(&overview, Some((7, 99_000)), false, true), "");
        overview.processes[0].parts[1].told.newer = 0;
        overview.processes[0].parts[1].told.state = State::WaitingForStore;
        assert_eq!(said(&overview, waits(99_000), false, true), "");
    }
}
