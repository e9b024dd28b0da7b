//! What a filter that is not saved would decide among the others of its account.

use std::collections::HashMap;

use tweetfilter_sql::FilterRow;
use tweetfilter_stream::store::{Action, Verdict};

use super::unused::LeftOut;

/// The filters of an account that are used, in its order, and another that would come in.
#[derive(Debug)]
pub(super) struct Order {
    /// By number: its place, and what a match does.
    used: HashMap<i64, (usize, Action)>,
    /// The saved filter that the other would replace.
    replaced: Option<i64>,
    /// Where the other would stand, and what a match would do.
    new: (usize, Action),
}

impl Order {
    /// With another in the place of a saved one, or else behind all.
    pub(super) fn of(rows: &[FilterRow], left_out: &LeftOut, replaced: Option<i64>, action: Action) -> Self {
        let places = rows.iter().enumerate();
        let used = places.filter(|(_, row)| row.enabled && !left_out.contains_key(&row.id));
        let used = used.map(|(place, row)| (row.id, (place, row.filter.action))).collect();
        let place = rows.iter().position(|row| Some(row.id) == replaced).unwrap_or(rows.len());
        Self { used, replaced, new: (place, action) }
    }

    /// Whether the other filter would take a post out of sight, by the verdict that holds of it, the filters that matched
    /// it, and whether the other does; `None` if it is out of sight already.
    pub(super) fn hides(&self, verdict: Verdict, matched: &[i64], is_match: bool) -> Option<bool> {
        if verdict.hidden {
            return None;
        }
        let others = matched.iter().filter(|id| Some(**id) != self.replaced);
        let new = is_match.then_some(self.new);
        let then = decided(others.filter_map(|id| self.used.get(id).copied()).chain(new));
        // What filters that were changed since would hide is not for this one.
        let now = decided(matched.iter().filter_map(|id| self.used.get(id).copied()));
        Some(then.hidden && !now.hidden)
    }
}

/// What filters at their places decide together.
fn decided(matched: impl Iterator<Item = (usize, Action)>) -> Verdict {
    let mut matched: Vec<_> = matched.collect();
    matched.sort_unstable_by_key(|(place, _)| *place);
    Verdict::of(matched.into_iter().map(|(_, action)| action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tweetfilter_sql::NewFilter;

    fn row(id: i64, action: Action) -> FilterRow {
        let filter = NewFilter { action, ..NewFilter::default() };
        FilterRow { id, account: 1, position: id, filter, enabled: true, revision: 1 }
    }

    #[test]
    fn a_filter_hides_what_none_before_it_shows_and_none_hides_already() {
        let rows =
            [row(1, Action::Show), row(2, Action::Highlight), row(3, Action::Hide), row(4, Action::Show)];
        let none = LeftOut::new();
        let hides = |replaced, matched: &[i64]| {
            let hidden = Verdict { hidden: matched.first() == Some(&3), ..Verdict::default() };
            let order = Order::of(&rows, &none, replaced, Action::Hide);
            [true, false].map(|is_match| order.hides(hidden, matched, is_match))
        };
        let (yes, no) = (Some(true), Some(false));
        // Behind all, none that shows may match.
        assert_eq!(
            [hides(None, &[]), hides(None, &[2]), hides(None, &[1])],
            [[yes, no], [yes, no], [no, no]]
        );
        assert_eq!([hides(None, &[2, 4]), hides(None, &[3])], [[no, no], [None, None]]);
        // In the place of the second, it comes before the last one that shows.
        assert_eq!([hides(Some(2), &[2, 4]), hides(Some(2), &[1, 2])], [[yes, no], [no, no]]);
        // In the place of one that shows, what that one kept in sight falls to those behind.
        let shown = Order::of(&rows, &none, Some(1), Action::Highlight);
        assert_eq!(shown.hides(Verdict::default(), &[1, 3], true), yes);
        // One that nobody uses keeps nothing in sight.
        let left_out =
            LeftOut::from([(1, crate::api::unused::Unused { code: String::new(), message: String::new() })]);
        let order = Order::of(&rows, &left_out, None, Action::Hide);
        assert_eq!(order.hides(Verdict::default(), &[1], true), yes);
    }
}
