//! What was counted, by one worker or by all.

use std::collections::{BTreeMap, HashMap};

/// A line of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Which input.
    pub(super) input: u32,
    /// Its line, from 1.
    pub(super) line: u64,
}

/// Lines that were skipped for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    pub(super) count: u64,
    /// The first of them.
    pub(super) first: Vec<Place>,
}

/// How many places a reason shows.
const SHOWN: usize = 3;

impl Skipped {
    fn at(&mut self, place: Place) {
        self.count += 1;
        self.keep(place);
    }

    fn keep(&mut self, place: Place) {
        let at = self.first.partition_point(|&first| first < place);
        if at < SHOWN {
            self.first.insert(at, place);
            self.first.truncate(SHOWN);
        }
    }
}

/// Counts of what was read and found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Bytes of lines, decompressed.
    pub(super) bytes: u64,
    /// Posts evaluated.
    pub(super) posts: u64,
    /// Posts that came with an audience.
    pub(super) delivered: u64,
    /// Posts with at least one match.
    pub(super) matched_posts: u64,
    /// Pairs of post and filter.
    pub(super) matches: u64,
    /// Messages that are no posts, by kind.
    pub(super) others: BTreeMap<String, u64>,
    /// What could not be read, by reason.
    pub(super) skipped: BTreeMap<String, Skipped>,
    /// Matches of each filter.
    pub(super) of_filter: Vec<u64>,
    /// Matches of each period by filter, of those filters that have any; periods in which any post lies have an entry.
    /// `None`: of no time.
    pub(super) of_period: HashMap<Option<i64>, HashMap<u32, u64>>,
}

impl Tally {
    /// Nothing yet, for so many filters.
    pub(super) fn new(filters: usize) -> Self {
        Self { of_filter: vec![0; filters], ..Self::default() }
    }

    /// Counts a message that is no post.
    pub(super) fn other(&mut self, kind: &str) {
        match self.others.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.others.insert(kind.to_owned(), 1);
            }
        }
    }

    /// Counts a line that can't be read.
    pub(super) fn skip(&mut self, reason: &str, place: Place) {
        match self.skipped.get_mut(reason) {
            Some(skipped) => skipped.at(place),
            None => self.skipped.entry(reason.to_owned()).or_default().at(place),
        }
    }

    /// Adds another worker's counts.
    pub(super) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.posts += other.posts;
        self.delivered += other.delivered;
        self.matched_posts += other.matched_posts;
        self.matches += other.matches;
        for (kind, count) in other.others {
            *self.others.entry(kind).or_default() += count;
        }
        for (reason, skipped) in other.skipped {
            let mine = self.skipped.entry(reason).or_default();
            mine.count += skipped.count;
            skipped.first.into_iter().for_each(|place| mine.keep(place));
        }
        self.of_filter.iter_mut().zip(&other.of_filter).for_each(|(count, other)| *count += other);
        for (period, counts) in other.of_period {
            let mine = self.of_period.entry(period).or_default();
            counts.into_iter().for_each(|(filter, count)| *mine.entry(filter).or_default() += count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_places_are_kept_whichever_worker_saw_them() {
        let mut tallies = [Tally::new(0), Tally::new(0)];
        for line in [9, 3, 7, 1, 5, 2] {
            tallies[usize::from(line > 4)].skip("not JSON", Place { input: 0, line });
        }
        let [mut all, other] = tallies;
        all.add(other);
        let skipped = &all.skipped["not JSON"];
        assert_eq!(skipped.count, 6);
        assert_eq!(skipped.first.iter().map(|p| p.line).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
