//! Whether a source has a connection, and since when it has none.

use std::sync::{Mutex, PoisonError};

use tweetfilter_core::post::Millis;
use tweetfilter_stream::source::{Chunk, Notice};

/// A source that is without a connection for so long is no passing matter.
pub(crate) const AWAY: Millis = 60_000;
/// A connection that stands for so long is one, though no line has come: by then a source that stalls has given it up.
const STANDS: Millis = 180_000;

/// A connection that ends before it stood for so long has not lasted.
const LASTS: Millis = 600_000;
/// After so many of those in a row a source is away, though each of them gave something.
const IN_A_ROW: u32 = 5;

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
pub(super) struct Connection(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    lost: Option<Lost>,
    row: Row,
}

/// Connections that ended one after the other, and did not last.
#[derive(Debug, Default)]
struct Row {
    ended: u32,
    /// When the first of them ended, and why the last one did.
    since: Millis,
    reason: String,
    /// Since when there is a connection, if there is one.
    connected: Option<Millis>,
}

impl Connection {
    /// How it is lost, if it is.
    pub(super) fn lost(&self, now: Millis) -> Option<Lost> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.begin_anew_at(now);
        let lost = known.lost.clone();
        let lost = lost.filter(|lost| lost.connected.is_none_or(|since| now - since < STANDS));
        if !known.row.is_long(now) {
            return lost;
        }
        let Row { ended, since, reason, .. } = &known.row;
        let reason = lost.as_ref().map_or(reason, |lost| &lost.reason);
        let reason = format!(
            "{ended} connections in a row have ended within ten minutes each, the last one: {reason}"
        );
        let again_at = lost.as_ref().and_then(|lost| lost.again_at);
        let since = lost.map_or(*since, |lost| lost.since.min(*since));
        Some(Lost { since, reason, again_at, connected: None })
    }

    /// The source gave something; whether it had been lost, and is there again.
    pub(super) fn gave(&self, chunk: &Chunk, now: Millis) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.begin_anew_at(now);
        let Known { lost, row } = &mut *known;
        // Its lines came before what is noted beside them.
        let is_back = !chunk.lines.is_empty() && lost.take().is_some();
        for notice in &chunk.notices {
            match notice {
                Notice::Disconnected { reason } => {
                    row.disconnected(reason, now);
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
                    row.connected = Some(now);
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
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }
}

impl Known {
    /// What lies ahead was noted before the clock was set back: it is counted anew, or it would last for no time until the
    /// clock is there again.
    fn begin_anew_at(&mut self, now: Millis) {
        let Self { lost, row } = self;
        let of_lost = lost.iter_mut().flat_map(|lost| [Some(&mut lost.since), lost.connected.as_mut()]);
        let all = of_lost.chain([Some(&mut row.since), row.connected.as_mut()]);
        all.flatten().for_each(|at| *at = now.min(*at));
    }
}

impl Row {
    /// Whether it is one of which something has to be said, and no connection that lasts has ended it.
    fn is_long(&self, now: Millis) -> bool {
        self.ended >= IN_A_ROW && self.connected.is_none_or(|since| now - since < LASTS)
    }

    /// A connection has ended, or could not be made.
    fn disconnected(&mut self, reason: &str, now: Millis) {
        let Some(since) = self.connected.take() else { return };
        if now - since >= LASTS {
            self.ended = 0;
            return;
        }
        if self.ended == 0 {
            self.since = now;
        }
        self.ended = self.ended.saturating_add(1);
        reason.clone_into(&mut self.reason);
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
    fn a_source_whose_connections_end_again_and_again_is_lost_though_each_gives_something() {
        let connection = Connection::default();
        let one = |at: Millis| {
            connection.gave(&connects(), at);
            connection.gave(&line(), at);
            connection.gave(&fails("x: ended"), at + 1_000);
            connection.gave(&connects(), at + 2_000);
            connection.gave(&line(), at + 2_000);
            connection.lost(at + 3_000)
        };
        for n in 0..4 {
            assert_eq!(one(n * 100_000), None, "the {n}th");
        }
        let lost = one(400_000).unwrap();
        assert_eq!((lost.since, lost.again_at), (1_000, None), "since the first of them");
        assert_eq!(
            lost.reason,
            "5 connections in a row have ended within ten minutes each, the last one: x: ended"
        );
        // While it waits, when it is tried again is told.
        connection.gave(&fails("x: again"), 500_000);
        let lost = connection.lost(500_000).unwrap();
        assert_eq!((lost.since, lost.again_at), (1_000, Some(505_000)));
        assert!(lost.reason.starts_with("6 connections") && lost.reason.ends_with("x: again"), "{lost:?}");
        // Until one lasts.
        connection.gave(&connects(), 505_000);
        connection.gave(&line(), 505_000);
        assert!(connection.lost(504_999 + LASTS).is_some() && connection.lost(505_000 + LASTS).is_none());
        connection.gave(&fails("x: ended"), 505_000 + LASTS);
        let lost = connection.lost(505_000 + LASTS).unwrap();
        assert_eq!((lost.since, &*lost.reason), (505_000 + LASTS, "x: ended"));
        connection.forget();
        assert_eq!(connection.lost(505_000 + LASTS), None);
    }

    #[test]
    fn failures_to_connect_are_no_connections_that_end() {
        let connection = Connection::default();
        for n in 0..9 {
            connection.gave(&fails("no route"), n * 1_000);
        }
        connection.gave(&connects(), 9_000);
        assert!(connection.gave(&line(), 9_000));
        assert_eq!(connection.lost(9_000), None);
    }

    #[test]
    fn where_the_clock_was_set_back_all_is_counted_from_then_on() {
        let (before, now) = (3_600_000, 10_000);
        let connection = Connection::default();
        connection.gave(&fails("no route"), before);
        assert_eq!(connection.lost(before + 30_000).unwrap().since, before);
        assert_eq!(connection.lost(now).unwrap().since, now);
        // Again and again, and whoever looks first.
        connection.gave(&fails("400"), now - 5_000);
        let lost = connection.lost(now + AWAY).unwrap();
        assert_eq!((lost.since, &*lost.reason), (now - 5_000, "400"));
        // A connection that has given nothing yet stands for long by the clock of now.
        connection.gave(&connects(), before);
        assert!(connection.lost(now).is_some());
        assert!(connection.lost(now + STANDS - 1).is_some() && connection.lost(now + STANDS).is_none());
        // One that ends again and again lasts by that clock, too.
        let connection = Connection::default();
        for _ in 0..IN_A_ROW {
            connection.gave(&connects(), before);
            connection.gave(&line(), before);
            connection.gave(&fails("x: ended"), before);
        }
        connection.gave(&connects(), before);
        connection.gave(&line(), before);
        assert_eq!(connection.lost(now).unwrap().since, now);
        assert!(connection.lost(now + LASTS - 1).is_some() && connection.lost(now + LASTS).is_none());
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
