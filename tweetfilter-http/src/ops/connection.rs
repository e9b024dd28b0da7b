//! Whether a source has a connection, and since when it has none.

use std::sync::{Mutex, PoisonError};

use tweetfilter_core::post::Millis;
use tweetfilter_stream::source::{Chunk, Notice};

/// A source that is without a connection for so long is no passing matter.
pub(crate) const AWAY: Millis = 60_000;
/// A connection that stands for so long is one, though no line has come: by then a source that stalls has given it up.
const STANDS: Millis = 180_000;

/// How a source is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// When its connection ended, or could not be made for the first time.
    pub(super) since: Millis,
    /// What was said of that last.
    pub(super) reason: String,
    /// When it is tried again, if it waits for that.
    pub(super) again_at: Option<Millis>,
    /// Since when there is a connection that has given nothing yet.
    connected: Option<Millis>,
}

/// The connection of a source; there is none that is lost until one ends or can't be made.
#[derive(Debug, Default)]
pub(super) struct Connection(Mutex<Option<Lost>>);

impl Connection {
    /// How it is lost, if it is.
    pub(super) fn lost(&self, now: Millis) -> Option<Lost> {
        let lost = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lost.filter(|lost| lost.connected.is_none_or(|since| now - since < STANDS))
    }

    /// The source gave something; whether it had been lost, and is there again.
    pub(super) fn gave(&self, chunk: &Chunk, now: Millis) -> bool {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Its lines came before what is noted beside them.
        let is_back = !chunk.lines.is_empty() && lost.take().is_some();
        for notice in &chunk.notices {
            match notice {
                Notice::Disconnected { reason } => {
                    // One that stood for long was one, whatever was lost before it.
                    let before = lost.take().filter(|lost| lost.connected.is_none_or(|at| now - at < STANDS));
                    let since = before.map_or(now, |lost| lost.since);
                    *lost = Some(Lost { since, reason: reason.clone(), again_at: None, connected: None });
                }
                Notice::BackingOff { wait } => {
                    if let Some(lost) = lost.as_mut() {
                        let wait = Millis::try_from(wait.as_millis()).unwrap_or(Millis::MAX);
                        lost.again_at = Some(now.saturating_add(wait));
                    }
                }
                Notice::Connected { .. } => {
                    if let Some(lost) = lost.as_mut() {
                        (lost.again_at, lost.connected) = (None, Some(now));
                    }
                }
                _ => {}
            }
        }
        is_back
    }

    /// The source is opened anew.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn noted(notices: &[Notice]) -> Chunk {
        Chunk { notices: notices.to_vec(), ..Chunk::default() }
    }

    fn line() -> Chunk {
        let mut chunk = Chunk::default();
        chunk.lines.push(b"", b"\r\n");
        chunk
    }

    fn fails(reason: &str) -> Chunk {
        let wait = Duration::from_secs(5);
        noted(&[Notice::Disconnected { reason: reason.to_owned() }, Notice::BackingOff { wait }])
    }

    fn connects() -> Chunk {
        noted(&[Notice::Connected { address: "x".to_owned() }])
    }

    #[test]
    fn a_source_is_lost_from_the_first_failure_until_it_gives_a_line() {
        let connection = Connection::default();
        assert!(!connection.gave(&connects(), 1_000) && connection.lost(2_000).is_none());
        connection.gave(&fails("no route"), 3_000);
        connection.gave(&fails("400"), 9_000);
        let lost = connection.lost(9_000).unwrap();
        assert_eq!((lost.since, &*lost.reason, lost.again_at), (3_000, "400", Some(14_000)));
        // It is no help that somebody answers who gives nothing.
        connection.gave(&connects(), 14_000);
        let lost = connection.lost(14_000).unwrap();
        assert_eq!((lost.since, lost.again_at), (3_000, None));
        connection.gave(&fails("it stalled"), 50_000);
        assert_eq!(connection.lost(50_000).unwrap().since, 3_000);
        connection.gave(&connects(), 60_000);
        // A line that keeps the connection alive will do.
        assert!(connection.gave(&line(), 61_000) && connection.lost(61_000).is_none());
        assert!(!connection.gave(&line(), 62_000));
    }

    #[test]
    fn a_line_and_the_end_behind_it_are_a_loss_from_then_on() {
        let connection = Connection::default();
        connection.gave(&fails("no route"), 1_000);
        let mut chunk = fails("ended");
        chunk.lines.push(b"{}", b"\n");
        assert!(connection.gave(&chunk, 90_000));
        assert_eq!(connection.lost(90_000).unwrap().since, 90_000);
    }

    #[test]
    fn a_connection_that_stands_for_long_is_one() {
        let connection = Connection::default();
        connection.gave(&fails("no route"), 1_000);
        connection.gave(&connects(), 2_000);
        assert!(connection.lost(1_999 + STANDS).is_some() && connection.lost(2_000 + STANDS).is_none());
        connection.gave(&fails("ended"), 3_000 + STANDS);
        assert_eq!(connection.lost(4_000 + STANDS).unwrap().since, 3_000 + STANDS);
    }
}
