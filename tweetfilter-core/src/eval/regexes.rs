//! Compiled regexes: made on first use, kept within a bound.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use regex::RegexBuilder;
use regex_automata::Input;
use regex_automata::meta::{Cache as Learned, Regex};
use regex_automata::util::syntax;

use crate::syntax::RegexPattern;

/// A scratch's regexes, with what their lazy automata have learned, within a bound in bytes.
///
/// Over the bound, those that the current post has not asked for go first; if all were asked for, the one in hand
/// goes, so that the others need not be compiled again for every post.
#[derive(Debug)]
pub(super) struct Cache {
    /// By the number of the atom.
    kept: RefCell<HashMap<u32, Kept, Numbers>>,
    /// Bytes of all of them.
    bytes: Cell<usize>,
    room: usize,
    /// Counts posts.
    post: Cell<u64>,
}

#[derive(Debug)]
struct Kept {
    /// `None`: it does not compile.
    regex: Option<(Regex, Learned)>,
    bytes: usize,
    /// The post that last asked for it.
    post: u64,
}

/// Numbers of atoms are ours, not a stranger's: one multiplication spreads them.
type Numbers = BuildHasherDefault<NumberHasher>;

#[derive(Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Cache {
    pub(super) fn new(room: usize) -> Self {
        Self { kept: RefCell::default(), bytes: Cell::new(0), room, post: Cell::new(0) }
    }

    /// Another post is read.
    pub(super) fn begin(&self) {
        self.post.set(self.post.get() + 1);
    }

    /// Whether a pattern matches. How large it may be was checked when it was added, under the limits of then.
    pub(super) fn is_match(&self, atom: u32, pattern: &RegexPattern, text: &str) -> bool {
        let mut all = self.kept.borrow_mut();
        let kept = all.entry(atom).or_insert_with(|| Kept::new(pattern));
        kept.post = self.post.get();
        let found = kept.is_match(text);
        let bytes = self.bytes.get() - kept.bytes + kept.measure();
        self.bytes.set(bytes);
        if bytes > self.room {
            self.shrink(&mut all, atom);
        }
        found
    }

    #[cold]
    fn shrink(&self, all: &mut HashMap<u32, Kept, Numbers>, atom: u32) {
        let post = self.post.get();
        all.retain(|_, kept| kept.post == post);
        if all.values().map(|kept| kept.bytes).sum::<usize>() > self.room {
            all.remove(&atom);
        }
        self.bytes.set(all.values().map(|kept| kept.bytes).sum());
    }
}

impl Kept {
    fn new(pattern: &RegexPattern) -> Self {
        let syntax = syntax::Config::new()
            .case_insensitive(pattern.ignore_case)
            .dot_matches_new_line(pattern.dot_matches_newline)
            .multi_line(pattern.multi_line)
            .ignore_whitespace(pattern.verbose);
        let regex = Regex::builder()
            .configure(Regex::config().nfa_size_limit(None).hybrid_cache_capacity(LEARNED))
            .syntax(syntax)
            .build(&pattern.pattern)
            .ok();
        let regex = regex.map(|regex| {
            let learned = regex.create_cache();
            (regex, learned)
        });
        Self { regex, bytes: 0, post: 0 }
    }

    fn is_match(&mut self, text: &str) -> bool {
        let Some((regex, learned)) = &mut self.regex else { return false };
        regex.search_half_with(learned, &Input::new(text).earliest(true)).is_some()
    }

    /// Notes and gives what it takes now.
    fn measure(&mut self) -> usize {
        let regex = self.regex.as_ref();
        self.bytes = regex.map_or(0, |(regex, learned)| regex.memory_usage() + learned.memory_usage());
        self.bytes += size_of::<Self>() + APART;
        self.bytes
    }
}

/// Bytes of states that a lazy automaton may learn, before it begins again.
const LEARNED: usize = 2 << 20;

/// What lies around a compiled regex and is not told: its configuration, tables of the allocator's.
const APART: usize = 4 << 10;

/// The regex of a pattern, if it compiles within `size_limit` bytes.
pub(crate) fn compile(pattern: &RegexPattern, size_limit: usize) -> Option<regex::Regex> {
    RegexBuilder::new(&pattern.pattern)
        .case_insensitive(pattern.ignore_case)
        .dot_matches_new_line(pattern.dot_matches_newline)
        .multi_line(pattern.multi_line)
        .ignore_whitespace(pattern.verbose)
        .size_limit(size_limit)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::Cache;
    use crate::syntax::RegexPattern;

    fn pattern(number: u32) -> RegexPattern {
        RegexPattern {
            pattern: format!("(\\w{{1,4}}|x{number})[a-z]"),
            ignore_case: false,
            dot_matches_newline: false,
            multi_line: false,
            verbose: false,
        }
    }

    /// Bytes of what is kept, counted anew.
    fn bytes(cache: &Cache) -> usize {
        cache.kept.borrow_mut().values_mut().map(super::Kept::measure).sum()
    }

    #[test]
    fn regexes_and_what_they_learn_stay_within_the_bound() {
        const ROOM: usize = 4 << 20;
        let cache = Cache::new(ROOM);
        let text = "hello wörld 東京 текст по-русски عربي ".repeat(20);
        for post in 0..3 {
            cache.begin();
            for number in 0..40 {
                assert!(cache.is_match(number + 20 * post, &pattern(number), &text));
                assert!(!cache.is_match(number + 20 * post, &pattern(number), "東 京"));
                assert_eq!(cache.bytes.get(), bytes(&cache));
                assert!(bytes(&cache) <= ROOM);
            }
            assert!(bytes(&cache) > ROOM / 2, "what fits is kept");
        }
    }

    #[test]
    fn what_a_post_asks_for_is_kept_for_the_next_as_far_as_it_fits() {
        let cache = Cache::new(1 << 20);
        let mut before = Vec::new();
        for _ in 0..3 {
            cache.begin();
            (0..100).for_each(|number| assert!(!cache.is_match(number, &pattern(number), "a")));
            let mut kept: Vec<u32> = cache.kept.borrow().keys().copied().collect();
            kept.sort_unstable();
            assert!(!kept.is_empty() && (before.is_empty() || before == kept), "{before:?}, then {kept:?}");
            before = kept;
        }
    }
}
