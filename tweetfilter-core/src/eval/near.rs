//! Items near each other in one stretch: in any order, without overlap, with few foreign tokens among them.
//!
//! One pass over the occurrences in order of their ends. A window slides along and counts what it holds of each item.
//! Where that is enough and no two occurrences overlap, the answer is there. Only if some overlap, a second pass tells
//! them apart: for each choice of items that can be placed so far, it keeps the placement that begins last, since that
//! one has room wherever another has.

use std::collections::VecDeque;

use crate::Limits;

/// An item that is looked for, of one or several tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its tokens.
    pub(super) len: u32,
    /// How often it must stand.
    pub(super) times: u32,
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    pub(super) item: usize,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The items, and how many foreign tokens may stand among them.
#[derive(Clone, Debug)]
pub(super) struct Nearness {
    pub(super) items: Vec<Item>,
    pub(super) distance: u32,
}

/// The placement of some items that begins last, of those with this last occurrence.
#[derive(Clone, Copy, Debug)]
struct Placed {
    first: u32,
    last: Occurrence,
}

/// Puts occurrences in the order in which they are read.
pub(super) fn sort(occurrences: &mut Vec<Occurrence>) {
    occurrences.sort_unstable_by_key(|o| (o.end, o.item));
    occurrences.dedup();
}

impl Nearness {
    /// Whether all items have a place of their own; the occurrences are [sorted](sort).
    pub(super) fn holds(&self, occurrences: &[Occurrence]) -> bool {
        let Some((first, last)) = self.enough(occurrences) else { return false };
        if occurrences[first..=last].windows(2).all(|pair| pair[0].end <= pair[1].start) {
            return true;
        }
        let mut found = false;
        self.sweep(&occurrences[first..], |_| {
            found = true;
            false
        });
        found
    }

    /// A place for each item, in no order: of the closest placements the first; none if there is none.
    pub(super) fn place(&self, occurrences: &[Occurrence]) -> Vec<Occurrence> {
        let Some((first, _)) = self.enough(occurrences) else { return Vec::new() };
        let mut room = occurrences[first..].to_vec();
        let mut left = self.clone();
        let mut chosen = Vec::new();
        // From the last to the first: what stands before it is the same question again, in less room.
        while left.items.iter().any(|item| item.times > 0) {
            let Some(placed) = left.closest(&room) else { return Vec::new() };
            room.retain(|o| o.start >= placed.first && o.end <= placed.last.start);
            left.items[placed.last.item].times -= 1;
            chosen.push(placed.last);
        }
        chosen
    }

    fn closest(&self, occurrences: &[Occurrence]) -> Option<Placed> {
        let mut closest: Option<Placed> = None;
        let width = |placed: &Placed| placed.last.end - placed.first;
        self.sweep(occurrences, |placed| {
            if closest.as_ref().is_none_or(|known| width(&placed) < width(known)) {
                closest = Some(placed);
            }
            true
        });
        closest
    }

    /// The tokens among which all items must stand.
    pub(super) fn width(&self) -> u32 {
        self.items.iter().map(|i| i.len * i.times).sum::<u32>().saturating_add(self.distance)
    }

    /// The choices of items that are tried at an occurrence, at most.
    pub(super) fn choices(&self) -> usize {
        self.items.iter().fold(1, |choices, item| choices.saturating_mul(item.times as usize + 1))
    }

    /// The first window that holds enough of every item, by its first and last occurrence, whether or not some of
    /// them overlap.
    fn enough(&self, occurrences: &[Occurrence]) -> Option<(usize, usize)> {
        let width = self.width();
        // What was built by hand is held to what the parser accepts.
        if self.items.iter().map(|item| item.times as usize).sum::<usize>() > Limits::MOST_ITEMS {
            return None;
        }
        let mut missing = self.items.len();
        let mut held = vec![0; missing];
        let mut first = 0;
        for (last, occurrence) in occurrences.iter().enumerate() {
            count();
            held[occurrence.item] += 1;
            missing -= usize::from(held[occurrence.item] == self.items[occurrence.item].times);
            while occurrences[first].start.saturating_add(width) < occurrence.end {
                let item = occurrences[first].item;
                missing += usize::from(held[item] == self.items[item].times);
                held[item] -= 1;
                first += 1;
            }
            if missing == 0 {
                return Some((first, last));
            }
        }
        None
    }

    /// Calls `reached` with placements of all items, in order of their ends, until it wants no more.
    ///
    /// A choice of items is a number: how often each was taken, in digits of its own base.
    fn sweep(&self, occurrences: &[Occurrence], mut reached: impl FnMut(Placed) -> bool) {
        let mut lens = vec![0];
        let mut bases = Vec::new();
        for item in &self.items {
            let base = lens.len();
            bases.push(base);
            lens.extend_from_within(..);
            lens.truncate(base);
            for taken in 1..=item.times {
                (0..base).for_each(|n| lens.push(lens[n] + taken * item.len));
            }
        }
        let all = lens.len() - 1;
        let longest = self.items.iter().map(|item| item.len).max().unwrap_or(0);
        let mut known: Vec<VecDeque<Placed>> = vec![VecDeque::new(); all];
        for &last in occurrences {
            let (base, times) = (bases[last.item], self.items[last.item].times as usize);
            for choice in 0..all {
                count();
                if choice / base % (times + 1) == times {
                    continue;
                }
                let before = match choice {
                    0 => Some(last.start),
                    _ => latest(&known[choice], last.start),
                };
                let with = choice + base;
                let room = lens[with].saturating_add(self.distance);
                let Some(first) = before.filter(|first| last.end - first <= room) else { continue };
                let placed = Placed { first, last };
                if with < all {
                    learn(&mut known[with], placed, longest);
                } else if !reached(placed) {
                    return;
                }
            }
        }
    }
}

/// Where the placement begins that begins last, of those that end by a place.
fn latest(known: &VecDeque<Placed>, by: u32) -> Option<u32> {
    let after = known.partition_point(|placed| placed.last.end <= by);
    known.get(after.checked_sub(1)?).map(|placed| placed.first)
}

/// Notes a placement if it begins later than those before it, and forgets those that none will ask for again.
fn learn(known: &mut VecDeque<Placed>, placed: Placed, longest: u32) {
    if known.back().is_some_and(|before| before.first >= placed.first) {
        return;
    }
    if known.back().is_some_and(|before| before.last.end == placed.last.end) {
        known.pop_back();
    }
    known.push_back(placed);
    while known.get(1).is_some_and(|second| second.last.end + longest <= placed.last.end) {
        known.pop_front();
    }
}

fn count() {
    #[cfg(test)]
    super::growth::count();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The width of the closest placement, if there is one: all are tried.
    fn tried(items: &[Item], all: &[Occurrence], taken: &mut Vec<Occurrence>) -> Option<u32> {
        let wanted = |n: usize| taken.iter().filter(|o| o.item == n).count() < items[n].times as usize;
        let Some(item) = (0..items.len()).find(|n| wanted(*n)) else {
            let (starts, ends) = (taken.iter().map(|o| o.start), taken.iter().map(|o| o.end));
            return Some(ends.max()? - starts.min()?);
        };
        let free = |o: &Occurrence| taken.iter().all(|t| o.end <= t.start || t.end <= o.start);
        let open: Vec<Occurrence> = all.iter().filter(|o| o.item == item && free(o)).copied().collect();
        let widths = open.into_iter().filter_map(|occurrence| {
            taken.push(occurrence);
            let width = tried(items, all, taken);
            taken.pop();
            width
        });
        widths.min()
    }

    #[test]
    fn what_is_near_is_what_trying_all_ways_finds() {
        let mut state = 7u64;
        let mut below = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % n) as u32
        };
        let mut held = 0;
        for round in 0..4_000 {
            let items: Vec<Item> =
                (0..1 + below(3)).map(|_| Item { len: 1 + below(3), times: 1 + below(2) }).collect();
            let mut occurrences = Vec::new();
            for _ in 0..below(9) {
                let (item, start) = (below(items.len() as u64) as usize, below(12));
                occurrences.push(Occurrence { item, start, end: start + items[item].len });
            }
            sort(&mut occurrences);
            let distance = below(5);
            let room = items.iter().map(|i| i.len * i.times).sum::<u32>() + distance;
            let closest = tried(&items, &occurrences, &mut Vec::new()).filter(|width| *width <= room);
            let nearness = Nearness { items: items.clone(), distance };
            let told = || format!("{round}: {items:?} {occurrences:?} ~{distance}");
            assert_eq!(nearness.holds(&occurrences), closest.is_some(), "{}", told());
            let mut placed = nearness.place(&occurrences);
            assert_eq!(!placed.is_empty(), closest.is_some(), "{}", told());
            let Some(closest) = closest else { continue };
            held += 1;
            placed.sort_unstable_by_key(|o| o.start);
            assert!(placed.windows(2).all(|pair| pair[0].end <= pair[1].start), "{}", told());
            for (n, item) in items.iter().enumerate() {
                let times = placed.iter().filter(|o| o.item == n && occurrences.contains(o)).count();
                assert_eq!(times, item.times as usize, "{}", told());
            }
            assert_eq!(placed[placed.len() - 1].end - placed[0].start, closest, "{}", told());
        }
        assert!(held > 500, "{held}");
    }
}
