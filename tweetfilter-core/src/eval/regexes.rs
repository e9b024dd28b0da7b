//! Compiled regexes: made on first use, kept within a bound.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use regex::{Regex, RegexBuilder};

use crate::syntax::RegexPattern;

/// A scratch's regexes. When they grow over the bound, all are dropped and those in use are made again.
#[derive(Debug)]
pub(super) struct Cache {
    /// By the number of the atom.
    compiled: RefCell<HashMap<u32, Option<Regex>, Numbers>>,
    room: usize,
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

/// What a compiled regex takes at least, its lazy automaton included.
const SMALLEST: usize = 16 << 10;

impl Cache {
    pub(super) fn new(bytes: usize) -> Self {
        Self { compiled: RefCell::default(), room: (bytes / SMALLEST).max(16) }
    }

    /// Whether a pattern matches. How large it may be was checked when it was added, under the limits of then.
    pub(super) fn is_match(&self, atom: u32, pattern: &RegexPattern, text: &str) -> bool {
        if let Some(known) = self.compiled.borrow().get(&atom) {
            return known.as_ref().is_some_and(|r| r.is_match(text));
        }
        let made = compile(pattern, usize::MAX);
        let found = made.as_ref().is_some_and(|r| r.is_match(text));
        let mut compiled = self.compiled.borrow_mut();
        if compiled.len() >= self.room {
            compiled.clear();
        }
        compiled.insert(atom, made);
        found
    }
}

/// The regex of a pattern, if it compiles within `size_limit` bytes.
pub(crate) fn compile(pattern: &RegexPattern, size_limit: usize) -> Option<Regex> {
    RegexBuilder::new(&pattern.pattern)
        .case_insensitive(pattern.ignore_case)
        .dot_matches_new_line(pattern.dot_matches_newline)
        .multi_line(pattern.multi_line)
        .ignore_whitespace(pattern.verbose)
        .size_limit(size_limit)
        .build()
        .ok()
}
