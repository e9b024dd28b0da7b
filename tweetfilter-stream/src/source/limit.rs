//! Posts that X held back: how many, as its `limit` messages say.

use serde::{Deserialize, Serialize};
use tweetfilter_core::post::Millis;

use super::Line;
use crate::Event;
use crate::buffer::Gap;
use crate::wire::decode;

/// How often that becomes a gap, while X goes on saying so each second: of a source only so many gaps are kept.
const EVERY: Millis = 600_000;

/// Posts that X can hold back on one connection: what is more is no such count, as X has fewer in half a year.
const BELIEVED: u64 = 100_000_000_000;

/// Why posts are missing, of a stream that is read while X sends it.
const REASON: &str = "X held posts back: more of them match than it sends";

/// What is known of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Limit {
    /// When it gave something last.
    last: Option<Millis>,
    /// When a gap was told last.
    told_at: Option<Millis>,
    /// Posts that X has held back since the connection was made: the greatest of its counts, which is right at least where
    /// those of several of its machines come by turns.
    held_back: u64,
    /// Those of which a gap was told.
    told: u64,
    /// When it began to hold back those of which none was told.
    from: Option<Millis>,
    /// What was not told on the connection before.
    owed: Option<Gap>,
}

impl Limit {
    /// Another connection is made, on which X counts anew.
    pub(super) fn begins_anew(&mut self) {
        let owed = self.last.and_then(|at| self.gap(at)).or_else(|| self.owed.take());
        *self = Self { owed, ..Self::default() };
    }

    /// Something came, and among it perhaps such a count; the gaps that are to be told now.
    #[cfg(feature = "net")]
    pub(super) fn came(&mut self, at: Millis, held_back: Option<u64>) -> impl Iterator<Item = Gap> {
        self.says(self.last.unwrap_or(at), at, held_back)
    }

    /// The same where posts may be missing since a time.
    pub(super) fn says(
        &mut self,
        since: Millis,
        at: Millis,
        held_back: Option<u64>,
    ) -> impl Iterator<Item = Gap> {
        self.last = Some(at);
        if let Some(held_back) = held_back.filter(|count| *count > self.held_back) {
            self.held_back = held_back;
            self.from.get_or_insert(since);
        }
        // By a clock that was set back, or in what was recorded elsewhere, it may be long before.
        let is_early = self.told_at.is_some_and(|told_at| at.abs_diff(told_at) < EVERY.unsigned_abs());
        let gap = if is_early { None } else { self.gap(at) };
        self.owed.take().into_iter().chain(gap)
    }

    /// What was not told yet, where nothing more comes. If more does, the gaps behind that end where they would without this.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = Gap> {
        let told_at = self.told_at;
        let gap = self.last.and_then(|at| self.gap(at));
        self.told_at = told_at;
        self.owed.take().into_iter().chain(gap)
    }

    /// The greatest count on this connection.
    #[cfg(feature = "files")]
    pub(super) fn held_back(&self) -> u64 {
        self.held_back
    }

    /// This is a connection of before, which had come to such a count, after all. Of that so many were told.
    #[cfg(feature = "files")]
    pub(super) fn goes_on(&mut self, held_back: u64, told: u64) {
        self.held_back = self.held_back.max(held_back);
        self.told = self.told.saturating_add(told);
    }

    /// What of it was not told yet.
    fn gap(&mut self, at: Millis) -> Option<Gap> {
        let from = self.from.take()?;
        let missing = self.held_back.checked_sub(self.told).filter(|missing| *missing > 0)?;
        (self.told_at, self.told) = (Some(at), self.held_back);
        Some(Gap { from, to: at.max(from), reason: REASON.to_owned(), missing: Some(missing) })
    }
}

/// How many posts X held back, if a line says that.
pub(super) fn held_back(line: Line<'_>) -> Option<u64> {
    if line.too_long || !begins_with(line.bytes, b"\"limit\"") {
        return None;
    }
    match decode(line.bytes.trim_ascii_start()) {
        Ok(Event::Limit { undelivered }) => Some(undelivered).filter(|count| *count <= BELIEVED),
        _ => None,
    }
}

/// Whether an object begins with a key, in its quotation marks, however it is spaced.
pub(super) fn begins_with(object: &[u8], key: &[u8]) -> bool {
    let first = object.trim_ascii_start().strip_prefix(b"{");
    first.is_some_and(|first| first.trim_ascii_start().starts_with(key))
}

#[cfg(all(test, feature = "net"))]
mod tests {
    use super::{EVERY, Limit};

    /// What gaps say: from, to, and how many are missing.
    fn told(limit: &mut Limit, at: i64, held_back: Option<u64>) -> Vec<(i64, i64, u64)> {
        limit.came(at, held_back).map(|gap| (gap.from, gap.to, gap.missing.unwrap_or(0))).collect()
    }

    #[test]
    fn what_is_held_back_is_told_at_once_and_then_now_and_then() {
        let mut limit = Limit::default();
        assert_eq!(told(&mut limit, 1_000, None), []);
        assert_eq!(told(&mut limit, 3_000, Some(5)), [(1_000, 3_000, 5)]);
        // From another of X's machines, and then from the first.
        assert_eq!(told(&mut limit, 4_000, Some(2)), []);
        assert_eq!(told(&mut limit, 5_000, Some(7)), []);
        assert_eq!(told(&mut limit, 2_999 + EVERY, None), []);
        assert_eq!(told(&mut limit, 3_000 + EVERY, None), [(4_000, 3_000 + EVERY, 2)]);
        assert_eq!(told(&mut limit, 9_000 + 2 * EVERY, None), [], "nothing more");
    }

    #[test]
    fn what_a_connection_did_not_tell_is_told_on_the_next() {
        let mut limit = Limit::default();
        limit.begins_anew();
        assert_eq!(told(&mut limit, 1_000, Some(5)), [(1_000, 1_000, 5)]);
        assert_eq!(told(&mut limit, 2_000, Some(9)), []);
        limit.begins_anew();
        // Nothing comes on this one.
        limit.begins_anew();
        let both = [(1_000, 2_000, 4), (5_000, 5_000, 3)];
        assert_eq!(told(&mut limit, 5_000, Some(3)), both);
        assert_eq!(told(&mut limit, 6_000, None), []);
    }

    #[test]
    fn where_the_clock_was_set_back_it_is_told_at_once() {
        let mut limit = Limit::default();
        assert_eq!(told(&mut limit, 9 * EVERY, Some(5)), [(9 * EVERY, 9 * EVERY, 5)]);
        assert_eq!(told(&mut limit, EVERY, Some(7)), [(9 * EVERY, 9 * EVERY, 2)]);
    }
}
