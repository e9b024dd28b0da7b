//! Why nothing of an author is shown: what was said of the account, by reason.
//!
//! X keeps an account back for several reasons at once, and takes back each by itself: who is suspended no longer may
//! still be protected. Who says that an account can be seen and gives no reason (Bluesky), takes all of them back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::sql::{Row, Sql, Tx, args, statements};

/// Reasons of one author that are told apart. The networks know fewer; what others make up takes no more room.
const MOST: usize = 16;

statements! {
    STATES = Sql::both(
        "SELECT states, inactive, status, status_at FROM author WHERE network = ? AND author_id = ?",
    );
    SET_STATES = Sql::both(
        "UPDATE author SET states = ?, inactive = ?, status = ?, status_at = ? WHERE network = ? AND author_id = ?",
    );
}

/// By reason, when something was said of it last, and whether it keeps the author back.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct States(BTreeMap<String, (Millis, bool)>);

impl States {
    /// What is stored. Rows from before there were reasons have one state.
    fn of(row: &Row) -> Result<Self, StoreError> {
        let (inactive, status, at) = (row.int(1)? == 1, row.text(2)?, row.int(3)?);
        let reason = if inactive { status } else { String::new() };
        if row.maybe_text(0)?.is_none() {
            return Ok(Self([(reason, (at, inactive))].into()));
        }
        let mut states: Self = row.json(0)?;
        // A worker from before there were reasons has written since.
        if at > states.last_said() {
            states.say(!inactive, &reason, at);
        }
        Ok(states)
    }

    /// Takes in what was said; `false` if something else was said of it later.
    fn say(&mut self, active: bool, reason: &str, said: Millis) -> bool {
        let was_said_later = |reason: &str| self.0.get(reason).is_some_and(|(at, _)| *at > said);
        if was_said_later("") || was_said_later(reason) {
            return false;
        }
        if active && reason.is_empty() {
            self.0.retain(|_, (at, _)| *at > said);
        }
        let has_room = self.0.len() < MOST || self.0.contains_key(reason);
        let reason = if has_room { reason } else { "" };
        self.0.insert(reason.to_owned(), (said, !active));
        true
    }

    /// The reason that keeps the author back, of several the last.
    fn reason(&self) -> Option<&str> {
        let kept = self.0.iter().filter(|(_, (_, keeps))| *keeps);
        kept.max_by_key(|(_, (at, _))| *at).map(|(reason, _)| reason.as_str())
    }

    fn last_said(&self) -> Millis {
        self.0.values().map(|(at, _)| *at).max().unwrap_or(0)
    }
}

/// Whether an author was kept back before something was said, and is now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) before: bool,
    pub(super) now: bool,
}

/// Keeps what was said of an author of whom there is a row; `None` if something else was said later.
pub(super) async fn say(
    tx: &mut Tx,
    (network, author): (&str, &str),
    (active, reason): (bool, &str),
    said: Millis,
) -> Result<Option<Turn>, StoreError> {
    let mut states = match tx.row(STATES, args![network, author]).await? {
        Some(row) => States::of(&row)?,
        None => States::default(),
    };
    let before = states.reason().is_some();
    if !states.say(active, reason, said) {
        return Ok(None);
    }
    let kept = states.reason();
    let written = serde_json::to_string(&states).map_err(|error| StoreError::Refused(error.to_string()))?;
    let values = args![written, kept.is_some(), kept, states.last_said(), network, author];
    tx.run(SET_STATES, values).await?;
    Ok(Some(Turn { before, now: kept.is_some() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_ends_by_itself_and_none_that_is_named_ends_all() {
        let mut states = States::default();
        for (active, reason, said, takes, keeps) in [
            (false, "protected", 10, true, Some("protected")),
            (false, "suspended", 20, true, Some("suspended")),
            (true, "suspended", 30, true, Some("protected")),
            // Of this reason something was said later.
            (false, "suspended", 25, false, Some("protected")),
            (true, "", 40, true, None),
            (false, "protected", 35, false, None),
            (false, "deleted", 40, true, Some("deleted")),
            (false, "", 50, true, Some("")),
            (true, "", 45, false, Some("")),
            (true, "", 50, true, None),
        ] {
            assert_eq!(states.say(active, reason, said), takes, "{reason:?} at {said}");
            assert_eq!(states.reason(), keeps, "{reason:?} at {said}");
        }
        // What was said later than that all of them end stands.
        assert!(states.say(false, "suspended", 70) && states.say(true, "", 60));
        assert_eq!(states.reason(), Some("suspended"));
    }

    #[test]
    fn reasons_that_somebody_makes_up_take_no_more_than_so_much_room() {
        let mut states = States::default();
        for number in 0..100 {
            assert!(states.say(false, &format!("reason {number}"), number));
        }
        assert!(states.0.len() <= MOST + 1);
        assert!(states.say(true, "", 100));
        assert_eq!(states.reason(), None);
    }
}
