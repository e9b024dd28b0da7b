//! What must agree before anything is timed.

use mokaccino::prelude::Document;
use tweetfilter_core::{FilterSet, OwnerId, Post, Scratch};

use crate::rivals::Mokaccino;
use crate::workload::Workload;

/// Evaluations of a filter over a post that are spent on scanning.
const SCANNED: usize = 20_000_000;

/// All ways of matching must give the same; returns the number of matches.
///
/// With the index off every filter is evaluated, so of many filters only some posts can be checked so.
///
/// # Panics
/// When they do not.
#[must_use]
pub fn ways(workload: &Workload, set: &FilterSet) -> u64 {
    let posts = &workload.posts;
    let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
    let step = step(posts.len(), set.len());
    let (mut all, mut ends) = (Vec::new(), Vec::with_capacity(posts.len()));
    for (number, post) in posts.iter().enumerate() {
        let found = set.matches_with(&mut scratch, post);
        if number % step == 0 {
            assert_eq!(found, set.matches_scanned(&mut other, post), "the index loses or invents a match");
        }
        all.extend(found.iter().map(|m| m.index));
        ends.push(all.len());
    }
    set.matches_batch(&mut scratch, posts, |number, found| {
        let start = number.checked_sub(1).map_or(0, |before| ends[before]);
        let single = all[start..ends[number]].iter();
        assert!(found.iter().map(|m| &m.index).eq(single), "a batch gives other matches");
    });
    all.len() as u64
}

/// An audience must get the matches of its owners' filters, and all of those; returns their number.
///
/// # Panics
/// When it does not.
#[must_use]
pub fn audience(workload: &Workload, owned: &FilterSet, audiences: &[Vec<OwnerId>]) -> u64 {
    let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
    let mut all = 0;
    for (post, owners) in workload.posts.iter().zip(audiences) {
        let found = owned.matches_for(&mut scratch, post, owners);
        let theirs = owned.matches_with(&mut other, post).iter();
        let theirs = theirs.filter(|m| m.owner.is_some_and(|owner| owners.contains(&owner)));
        assert!(found.iter().eq(theirs), "an audience gets other matches than its owners have");
        all += found.len() as u64;
    }
    all
}

/// mokaccino must find the same among the filters that it has; returns how many it finds.
///
/// # Panics
/// When it does not.
#[must_use]
pub fn rival(set: &FilterSet, rival: &Mokaccino, posts: &[Post], documents: &[Document]) -> u64 {
    let mut scratch = Scratch::default();
    let mut all = 0;
    for (post, document) in posts.iter().zip(documents) {
        let ours = set.matches_with(&mut scratch, post).iter().map(|m| m.index);
        let both: Vec<u32> = ours.filter(|index| rival.taken.binary_search(index).is_ok()).collect();
        assert_eq!(both, rival.matches(document), "mokaccino finds other filters in {}", post.content().text);
        all += both.len() as u64;
    }
    all
}

/// Every how many posts one is scanned.
fn step(posts: usize, filters: usize) -> usize {
    posts.div_ceil((SCANNED / filters.max(1)).max(40)).max(1)
}

#[cfg(test)]
mod tests {
    use tweetfilter_core::{FilterId, FilterSetBuilder};

    use super::*;
    use crate::rivals::document;

    #[test]
    fn few_filters_are_scanned_over_every_post_and_many_over_enough() {
        assert_eq!([1_000, 2_000, 10_000, 100_000].map(|filters| step(10_000, filters)), [1, 1, 5, 50]);
        assert_eq!((step(0, 0), step(10_000, 1_000_000)), (1, 250));
    }

    #[test]
    fn the_engine_agrees_with_itself_and_with_mokaccino() {
        let workload = Workload::tf1(500, 1_000);
        let (set, owned, audiences) =
            (workload.set(1_000), workload.owned_set(1_000), workload.audiences(1_000));
        let found = ways(&workload, &set);
        let seen = audience(&workload, &owned, &audiences);
        assert!(found > 0 && seen > 0 && seen < found, "{found} {seen}");
        let documents: Vec<_> = workload.posts.iter().map(document).collect();
        let both = rival(&set, &Mokaccino::new(&workload.filters[..1_000]), &workload.posts, &documents);
        assert!(both > 0 && both <= found);
    }

    #[test]
    #[should_panic(expected = "mokaccino finds other filters")]
    fn a_set_that_lacks_filters_is_refused() {
        let workload = Workload::tf1(500, 1_000);
        let mut builder = FilterSetBuilder::new();
        for (number, filter) in workload.filters[..1_000].iter().enumerate() {
            let filter = if number % 2 == 0 { "-a a" } else { filter };
            builder.add(FilterId(number as u64), filter).expect("a filter");
        }
        let documents: Vec<_> = workload.posts.iter().map(document).collect();
        let theirs = Mokaccino::new(&workload.filters[..1_000]);
        let _ = rival(&builder.build(), &theirs, &workload.posts, &documents);
    }

    #[test]
    #[should_panic(expected = "an audience gets other matches")]
    fn an_audience_that_gets_what_is_not_its_owners_is_refused() {
        let workload = Workload::tf1(500, 1_000);
        let mut audiences = workload.audiences(1_000);
        // Filters without an owner reach everybody, who then gets more than their own.
        audiences.iter_mut().for_each(Vec::clear);
        let _ = audience(&workload, &workload.set(1_000), &audiences);
    }
}
