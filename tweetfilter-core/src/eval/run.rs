//! From a post to its matches: walk the postings of its terms, confirm the candidates, report in order.

use super::confirm::Chain;
use super::regexes::Cache;
use super::view::View;
use crate::engine::dictionary::{Hit, Posting};
use crate::engine::masks::Bits;
use crate::filter_set::{FilterSet, Match};
use crate::plan::channel::{Channel, Channels, Level};
use crate::post::Post;

/// Memory that evaluation reuses from post to post: one per thread.
///
/// A scratch may be used with any set, one after the other; it grows to what the largest post needs, and keeps
/// compiled regexes within `Limits::regex_cache`.
#[derive(Debug, Default)]
pub struct Scratch {
    views: Vec<View>,
    candidates: Vec<u32>,
    matched: Vec<u32>,
    /// A bit for each filter: it is a candidate or match already. A bit, so that all of them stay in a cache.
    seen: Vec<u64>,
    /// Whose bits are set.
    marked: Vec<u32>,
    starts: Vec<u32>,
    regexes: Option<(u64, Cache)>,
    matches: Vec<Match>,
    audience: Vec<u32>,
}

/// Which filters are tried.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tried<'a> {
    /// All of them.
    All,
    /// Those without owner, and those of these owners (their numbers, sorted).
    Owners(&'a [u32]),
}

impl Scratch {
    /// All matches of a post. `scan` switches the index off.
    pub(crate) fn run(&mut self, set: &FilterSet, post: &Post, tried: Tried<'_>, scan: bool) -> &[Match] {
        let index = &set.index;
        if self.regexes.as_ref().is_none_or(|r| r.0 != set.number) {
            self.regexes = Some((set.number, Cache::new(set.limits.regex_cache)));
        }
        if let Some((_, regexes)) = &self.regexes {
            regexes.begin();
        }
        let alone = [post];
        let mut chain_of_posts: Vec<&Post> = Vec::new();
        let posts: &[&Post] = if index.uses.depth == 0 {
            self.prepare_one(set, post);
            &alone
        } else {
            self.prepare(set, post, &mut chain_of_posts);
            &chain_of_posts
        };
        self.comparisons(set, posts);
        self.begin(index.filters as usize);
        if scan {
            self.candidates.extend((0..index.filters).filter(|f| tried.admits(set, *f)));
        } else {
            for view in (0..posts.len()).rev() {
                self.walk(set, view, posts, tried);
            }
            self.walk_scanned(set, tried);
        }
        let Some((_, regexes)) = &self.regexes else { return &[] };
        let views = &self.views[..posts.len()];
        let text_limit = set.limits.post_text_bytes;
        let chain = Chain { index, views, posts, regexes, text_limit, scan };
        chain.confirm(&self.candidates, &mut self.starts, &mut self.matched);
        self.matched.sort_unstable();
        self.matched.dedup();
        self.matches.clear();
        self.matches.extend(self.matched.iter().map(|f| set.entry(*f)));
        &self.matches
    }

    fn begin(&mut self, filters: usize) {
        self.candidates.clear();
        self.matched.clear();
        for filter in self.marked.drain(..) {
            if let Some(word) = self.seen.get_mut(filter as usize / 64) {
                *word = 0;
            }
        }
        self.seen.resize(filters.div_ceil(64), 0);
    }

    /// Prepares the views of a post and of those behind its scopes, as deep as any filter looks.
    ///
    /// What the original quotes is also what its retweet quotes: below the first scope both share one view, else
    /// each further retweet would double the views.
    fn prepare<'p>(&mut self, set: &FilterSet, post: &'p Post, posts: &mut Vec<&'p Post>) {
        let index = &set.index;
        let limit = set.limits.post_text_bytes;
        let mut open = vec![(post, Level::Post, 0usize, None)];
        while let Some((post, level, depth, parent)) = open.pop() {
            let number = posts.len();
            if self.views.len() == number {
                self.views.push(View::default());
            }
            self.views[number].prepare(index, post, level, limit);
            posts.push(post);
            match parent {
                Some((view, true)) => self.views[view as usize].quote = Some(number),
                Some((view, false)) => self.views[view as usize].original = Some(number),
                None => {}
            }
            let shared = match parent {
                Some((view, false)) if std::ptr::eq(post.content(), post) => {
                    Some(view as usize).filter(|view| self.views[*view].level == Level::Deeper)
                }
                _ => None,
            };
            if let Some(view) = shared {
                // A stack: the quote of the retweet and all behind it came before its original.
                self.views[number].quote = self.views[view].quote;
            } else if depth < index.uses.depth {
                let quoted = post.content().quote_of.as_ref().and_then(|q| q.post.as_ref());
                let original = post.retweet_of.as_ref().and_then(|r| r.post.as_ref());
                let inner = |top: Level| if level == Level::Post { top } else { Level::Deeper };
                if let Some(original) = original.filter(|_| index.uses.original) {
                    open.push((original, inner(Level::Original), depth + 1, Some((number as u32, false))));
                }
                if let Some(quoted) = quoted.filter(|_| index.uses.quote) {
                    open.push((quoted, inner(Level::Quote), depth + 1, Some((number as u32, true))));
                }
            }
        }
    }

    /// The same where no filter looks behind a scope.
    fn prepare_one(&mut self, set: &FilterSet, post: &Post) {
        if self.views.is_empty() {
            self.views.push(View::default());
        }
        self.views[0].prepare(&set.index, post, Level::Post, set.limits.post_text_bytes);
    }

    /// Sets the bits of the comparisons that have some.
    fn comparisons(&mut self, set: &FilterSet, posts: &[&Post]) {
        let Some((_, regexes)) = &self.regexes else { return };
        let index = &set.index;
        if index.masks.atoms.is_empty() {
            return;
        }
        let views = &self.views[..posts.len()];
        let text_limit = set.limits.post_text_bytes;
        let chain = Chain { index, views, posts, regexes, text_limit, scan: false };
        let mut bits: Bits = 0;
        for known in &index.masks.atoms {
            if chain.atom(known.atom, 0).is_some_and(|truth| truth != known.negative) {
                bits |= 1 << known.bit;
            }
        }
        self.views[0].bits |= bits;
    }

    /// Follows the postings of every term of one view. Terms of sets that match are added on the way.
    fn walk(&mut self, set: &FilterSet, view: usize, posts: &[&Post], tried: Tried<'_>) {
        let index = &set.index;
        let level = self.views[view].level;
        if level == Level::Deeper {
            return;
        }
        for scanned in &index.scanned_sets {
            self.try_set(set, view, posts, scanned.number, false);
        }
        let bits = self.views[0].bits;
        let mut at = 0;
        let mut sets: Vec<(u32, bool)> = Vec::new();
        while at < self.views[view].found.len() {
            let found = self.views[view].found[at];
            at += 1;
            let (current, main) = (&self.views[view], &self.views[0]);
            let (candidates, matched, seen, marked) =
                (&mut self.candidates, &mut self.matched, &mut self.seen, &mut self.marked);
            index.dictionary.postings(found.record, found.channels, level, |posting| {
                let filter = posting.filter();
                if filter >= index.filters {
                    if current.may_hold(posting.signature()) {
                        sets.push((filter - index.filters, posting.is_final()));
                    }
                    return;
                }
                if !index.masks.get(posting.mask()).admits(bits)
                    || !main.may_hold(posting.signature())
                    || !tried.admits(set, filter)
                {
                    return;
                }
                if !posting.is_only() {
                    let word = &mut seen[filter as usize / 64];
                    let bit = 1 << (filter % 64);
                    if *word & bit != 0 {
                        return;
                    }
                    *word |= bit;
                    marked.push(filter);
                }
                if posting.is_final() { matched.push(filter) } else { candidates.push(filter) }
            });
            for (number, is_final) in sets.drain(..) {
                self.try_set(set, view, posts, number, is_final);
            }
        }
    }

    /// Adds a set's term to a view if the set matches there.
    fn try_set(&mut self, set: &FilterSet, view: usize, posts: &[&Post], number: u32, is_final: bool) {
        let index = &set.index;
        let entry = index.sets[number as usize];
        if entry.level != self.views[view].level || self.views[view].holds(Channel::Set, entry.term) {
            return;
        }
        let holds = is_final || {
            let Some((_, regexes)) = &self.regexes else { return };
            let views = &self.views[..posts.len()];
            let text_limit = set.limits.post_text_bytes;
            let chain = Chain { index, views, posts, regexes, text_limit, scan: false };
            chain.holds(index.filters + number, view)
        };
        if holds {
            let hit = Hit::of_record(entry.term, entry.record);
            self.views[view].touch(hit, Channels::of(&[Channel::Set]), u32::MAX);
        }
    }

    fn walk_scanned(&mut self, set: &FilterSet, tried: Tried<'_>) {
        let bits = self.views[0].bits;
        for posting in &set.index.scanned {
            let posting: &Posting = posting;
            if set.index.masks.get(posting.mask()).admits(bits) && tried.admits(set, posting.filter()) {
                if posting.is_final() {
                    self.matched.push(posting.filter());
                } else {
                    self.candidates.push(posting.filter());
                }
            }
        }
    }

    /// The numbers of the owners in an audience, sorted, in memory of this scratch.
    pub(crate) fn take_audience(&mut self) -> Vec<u32> {
        let mut owners = std::mem::take(&mut self.audience);
        owners.clear();
        owners
    }

    pub(crate) fn put_audience(&mut self, owners: Vec<u32>) {
        self.audience = owners;
    }

    /// The matches of the last post.
    pub(crate) fn matches(&self) -> &[Match] {
        &self.matches
    }
}

impl Tried<'_> {
    #[inline]
    fn admits(self, set: &FilterSet, filter: u32) -> bool {
        match self {
            Self::All => true,
            Self::Owners(owners) => set.owner_number(filter).is_none_or(|o| owners.binary_search(&o).is_ok()),
        }
    }
}
