//! The servers that a part needs, and whether it waits for one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tweetfilter_core::post::Millis;

use crate::parts::now;

/// How long a server may be silent before a part that asked it counts as waiting for it.
pub(super) const SILENCE: Duration = Duration::from_secs(5);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// The store.
    Store,
    /// The buffer.
    Buffer,
    /// The buffer, whether a source is still this part's own: one that is full says so to who has nothing to append.
    Claim,
}

/// Since when a server is away, and what was said of it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Away {
    pub(super) since: Millis,
    pub(super) reason: String,
}

/// A server that a part needs: whether it is away, and since when it owes an answer, if it does.
#[derive(Debug, Default)]
pub(super) struct Needed {
    away: Mutex<Option<Away>>,
    asked: Mutex<Option<Instant>>,
}

/// What time it was, by the clock of now, when something began that has lasted for so long. How long that is no clock says that
/// somebody may set.
pub(super) fn began(lasted: Duration) -> Millis {
    now().saturating_sub(Millis::try_from(lasted.as_millis()).unwrap_or(Millis::MAX))
}

impl Needed {
    /// How it is away, if it is.
    pub(super) fn away(&self) -> Option<Away> {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let silent = || {
            let lasted = self.asked.lock().unwrap_or_else(PoisonError::into_inner).map(|at| at.elapsed());
            let lasted = lasted.filter(|lasted| *lasted > SILENCE)?;
            Some(Away { since: began(lasted), reason: "it does not answer".to_owned() })
        };
        away.or_else(silent)
    }

    /// It answered, or is away for a reason.
    pub(super) fn answered(&self, reason: Option<String>) {
        self.owes_since(None);
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let since = away.as_ref().map_or_else(now, |away| away.since);
        *away = reason.map(|reason| Away { since, reason });
    }

    pub(super) fn asks(&self) -> Asked<'_> {
        self.owes_since(Some(Instant::now()));
        Asked(self, false)
    }

    fn owes_since(&self, asked: Option<Instant>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }
}

/// A question that is under way. One that is dropped without an answer was given up: its server is silent.
pub(crate) struct Asked<'p>(&'p Needed, bool);

impl Asked<'_> {
    /// It was answered, if only with an error; with the reason, if that says that the server can't.
    pub(crate) fn answered(mut self, away: Option<String>) {
        self.1 = true;
        self.0.answered(away);
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.answered(Some("it did not answer in time".to_owned()));
        }
    }
}
