//! Processes that ended without saying so: found out by whoever takes their place.

use tweetfilter_sql::{CrashEvent, Database, ProcessRow};
use tweetfilter_stream::process::Fate;
use tweetfilter_stream::store::StoreError;

use super::figures::ProcessState;
use super::process::Process;
use crate::parts::now;
use crate::time::rfc3339;

/// In so many rounds whoever lives is heard of.
const ROUNDS: u32 = 3;
/// Runs of one name that are remembered for who takes their place, the newest: there is no end to those that can't start.
const DOUBTED: usize = 16;

/// Processes that ran the same on this host, and of which nobody can see from here whether they still do: in another container,
/// before the machine was started again, or where the system does not say.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    open: Vec<(ProcessRow, CrashEvent)>,
    /// How often this process was written down since.
    rounds: u32,
}

impl Doubts {
    /// Forgets processes of this host that are gone, since this one takes the place of those that ran the same; those that did
    /// not say that they end are crashes.
    pub(super) async fn begin(&mut self, process: &Process, database: &Database) -> Result<(), StoreError> {
        for row in database.processes().await? {
            let state = state(&row);
            let runs_same = state.command == process.command;
            if row.host != process.host || is_own(process, &row, &state) {
                continue;
            }
            let fate = state.identity.fate();
            // If it begins once more, since nobody knows whether it did.
            self.open.retain(|(known, _)| known.name != row.name);
            if row.name == process.name && fate != Fate::Runs {
                // It ended before it found out about those.
                let left = |reason: &String| (row.clone(), crash(&state.command, reason.clone()));
                self.open.extend(state.doubted.iter().map(left));
            }
            match fate {
                Fate::Runs => {}
                _ if state.ended => {
                    if runs_same || fate == Fate::Gone {
                        database.forget_process(&row.host, &row.name).await?;
                    }
                }
                Fate::Gone if runs_same || state.pid == std::process::id() => {
                    let event = ended_suddenly(&row, &state);
                    if database.bury_process(&row, &event).await? {
                        tell(&event);
                    }
                }
                Fate::Unknown if runs_same => {
                    let event = ended_suddenly(&row, &state);
                    self.open.push((row, event));
                }
                Fate::Gone | Fate::Unknown => {}
            }
        }
        Ok(())
    }

    /// Those that ran under a name, as crash events would put it.
    pub(super) fn of_name(&self, name: &str) -> Vec<String> {
        let of_name = self.open.iter().filter(|(row, _)| row.name == name);
        let mut reasons: Vec<_> =
            of_name.rev().take(DOUBTED).map(|(_, event)| event.reason.clone()).collect();
        reasons.reverse();
        reasons
    }

    /// This process was written down: so could others be.
    pub(super) fn written(&mut self) {
        self.rounds = self.rounds.saturating_add(1);
    }

    /// Finds out who is heard of, and who is not in so many rounds, and so is gone.
    pub(super) async fn settle(&mut self, process: &Process, database: &Database) -> Result<(), StoreError> {
        if self.open.is_empty() {
            return Ok(());
        }
        // Of this one's name stands what was written last, by whomever.
        let rows = database.processes().await?;
        let has_name = |row: &ProcessRow| row.host == process.host && row.name == process.name;
        if rows.iter().any(|row| has_name(row) && !is_own(process, row, &state(row))) {
            let before = self.open.len();
            self.open.retain(|(row, _)| !has_name(row));
            if self.open.len() < before {
                tracing::warn!(
                    process = process.name,
                    "another process runs under the same name; give each its own, by --instance NAME or `instance` in the \
                     settings"
                );
            }
        }
        if self.rounds < ROUNDS {
            return Ok(());
        }
        while let Some((row, event)) = self.open.last() {
            let is_found_out = if has_name(row) {
                database.record_crash(event).await?;
                true
            } else {
                // Unless it was heard of since.
                database.bury_process(row, event).await?
            };
            if is_found_out {
                tell(event);
            }
            self.open.pop();
        }
        Ok(())
    }
}

fn state(row: &ProcessRow) -> ProcessState {
    serde_json::from_str(&row.body).unwrap_or_default()
}

fn is_own(process: &Process, row: &ProcessRow, state: &ProcessState) -> bool {
    state.started_at == process.started_at() && row.name == process.name
}

fn ended_suddenly(row: &ProcessRow, state: &ProcessState) -> CrashEvent {
    let (pid, started, heard) = (state.pid, rfc3339(state.started_at), rfc3339(row.at));
    let reason = format!(
        "a run ended without saying so (killed, out of memory, power was lost, or stopped while the store did not answer): \
         process {pid}, started {started}, last heard of {heard}"
    );
    crash(&state.command, reason)
}

fn crash(command: &str, reason: String) -> CrashEvent {
    CrashEvent { part: command.to_owned(), at: now(), reason, backtrace: String::new() }
}

fn tell(event: &CrashEvent) {
    tracing::warn!(part = event.part, reason = event.reason, "an end without notice was found out");
}
