//! The quick path: one pass over the bytes, for the characters whose fold does not depend on their neighbors.
//!
//! The text is first copied whole, ASCII in lower case; a token whose letters fold to themselves, and that is
//! nearly every one, is a slice of that copy. Only what folds to something else is written out anew. ASCII goes by
//! a table of bytes, the rest by the class of its code point (see [`super::flags`]).
//!
//! Where a character comes whose fold depends on its neighbors ([`CLASS_GENERAL`]), everything from the start of
//! the token in which it stands to the next place where no token can go on is given to the general path. Such a
//! place is before a separator and before a character or cluster that is a token of its own; each byte is given
//! away at most once, so time stays linear.

use unicode_segmentation::UnicodeSegmentation;

use super::flags::{
    CLASS_CHARACTER, CLASS_CLUSTER, CLASS_EMOJI, CLASS_GENERAL, CLASS_MARK, CLASS_MASK, CLASS_POINT,
    CLASS_SEPARATOR, CLASS_SHIFT, CLASS_WORD, IGNORABLE, MAPPING_SHIFT, MARK,
};
use super::fold::Steps;
use super::hash::Key;
use super::tables::{class, entry, mapping};
use super::tokens::{Before, Item, TokenKind, Tokens};
use crate::Span;

const ENTRY_MAPPING: u32 = u32::MAX << MAPPING_SHIFT;
const STEPS: Steps = Steps { emoji: true, apart: true, case: true };

/// ASCII letters and digits.
const ASCII_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

/// Cuts the stretches of one text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    out: &'a mut Tokens,
    key: Key,
    /// Where the copy of the text starts in `out.bytes`.
    copy: usize,
    /// Number of the text's first token.
    first: usize,
    open: Open,
}

/// The token that is not yet at its end.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    state: State,
    /// First byte in the text.
    start: usize,
    /// Combining class of the last mark.
    order: u32,
    /// Where its folded text is written out, if it is not a slice of the copy.
    written: Option<usize>,
    /// Up to where in the text it is written out.
    upto: usize,
    /// Whether its plain text differs, which then grows in `Work::plain`.
    accented: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    None,
    Word,
    Character,
    Cluster,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, out: &'a mut Tokens) -> Self {
        // So that the hash of a token at the end can read on.
        const BEHIND: &str = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let copy = out.bytes.len();
        out.bytes.reserve(text.len() + BEHIND.len());
        out.bytes.push_str(text);
        out.bytes[copy..].make_ascii_lowercase();
        out.bytes.push_str(BEHIND);
        let first = out.items.len();
        Self { text, out, key: Key::get(), copy, first, open: Open::default() }
    }

    /// Tokens of `text[start..end]`, before which a link stands if `continues`.
    pub(super) fn stretch(&mut self, (start, end): (usize, usize), continues: bool) {
        let bytes = self.text.as_bytes();
        let bytes = &bytes[..end];
        let mut at = start;
        while let Some(&byte) = bytes.get(at) {
            if ASCII_WORD[usize::from(byte)] {
                let from = at;
                at += 1;
                while bytes.get(at).is_some_and(|&b| ASCII_WORD[usize::from(b)]) {
                    at += 1;
                }
                if self.open.state == State::None && bytes.get(at).is_none_or(u8::is_ascii) {
                    self.push_slice((from, at), at, TokenKind::Word);
                    continue;
                }
                if self.open.state != State::Word {
                    self.close(from);
                    self.open(State::Word, from);
                }
                self.open.order = 0;
            } else if byte.is_ascii() {
                self.close(at);
                at += 1;
            } else {
                at = self.run(at, (start, end), continues);
            }
        }
        self.close(end);
    }

    /// Takes characters that are not ASCII from `at` on; where to go on.
    fn run(&mut self, mut at: usize, (start, end): (usize, usize), continues: bool) -> usize {
        // The commonest first, by branches that can be foreseen within one script.
        while let Some((c, next)) = decode(self.text, at).filter(|(c, _)| !c.is_ascii() && at < end) {
            let entry = entry(c);
            let kind = entry & (CLASS_MASK << CLASS_SHIFT | ENTRY_MAPPING | MARK);
            if kind == CLASS_WORD << CLASS_SHIFT && self.open.state == State::Word {
                self.open.order = 0;
            } else if kind == CLASS_CHARACTER << CLASS_SHIFT {
                self.close(at);
                self.open(State::Character, at);
            } else if kind == CLASS_CLUSTER << CLASS_SHIFT {
                self.close(at);
                self.open(State::Cluster, at);
            } else if class(entry) == CLASS_MARK && self.in_order(entry) {
                self.open.order = entry >> MAPPING_SHIFT;
            } else {
                at = self.other((at, next), entry, (start, end), continues);
                continue;
            }
            at = next;
        }
        at
    }

    /// Takes the character at `at..next`, whose entry this is; where to go on.
    fn other(
        &mut self,
        (at, next): (usize, usize),
        entry: u32,
        (start, end): (usize, usize),
        continues: bool,
    ) -> usize {
        match class(entry) {
            CLASS_SEPARATOR => self.close(at),
            CLASS_WORD => {
                if self.open.state != State::Word {
                    self.close(at);
                    self.open(State::Word, at);
                }
                self.open.order = 0;
                self.map(entry, at, next);
            }
            CLASS_CHARACTER => {
                self.close(at);
                self.open(State::Character, at);
                self.map(entry, at, next);
            }
            CLASS_CLUSTER if entry & MARK == 0 => {
                self.close(at);
                self.open(State::Cluster, at);
                self.map(entry, at, next);
            }
            CLASS_CLUSTER => match self.open.state {
                State::None | State::Character => self.open.order = 0,
                State::Word | State::Cluster => {
                    self.close(at);
                    self.open(State::Cluster, at);
                }
            },
            CLASS_MARK if self.open.state == State::None => {}
            CLASS_POINT => {
                if self.open.state != State::Word && entry & MARK == 0 {
                    self.close(at);
                    self.open(State::Word, at);
                }
                if self.open.state != State::None {
                    self.write("", "", at, next);
                }
            }
            CLASS_EMOJI => {
                self.close(at);
                return self.emoji(at, next, end);
            }
            CLASS_MARK => return self.general(at, (start, end), continues),
            _ => {
                let Some((mark, letter)) = mapping(entry) else {
                    return self.general(at, (start, end), continues);
                };
                if self.open.state != State::None {
                    self.write(mark, mark, at, next);
                    self.close(next);
                }
                self.open(State::Cluster, at);
                self.write(letter, letter, at, next);
            }
        }
        next
    }

    /// Whether a mark stands after a base, and not before one that it would be sorted after.
    #[inline]
    fn in_order(&self, mark: u32) -> bool {
        let order = mark >> MAPPING_SHIFT;
        self.open.state != State::None && (order == 0 || order >= self.open.order)
    }

    #[inline]
    fn open(&mut self, state: State, start: usize) {
        self.open.state = state;
        self.open.start = start;
        self.open.order = 0;
    }

    fn map(&mut self, entry: u32, at: usize, next: usize) {
        if let Some((folded, plain)) = mapping(entry) {
            self.write(folded, plain, at, next);
        }
    }

    /// Writes what has not been written of the open token, then `folded` for the character at `at`.
    fn write(&mut self, folded: &str, plain: &str, at: usize, next: usize) {
        let from = match self.open.written {
            Some(from) => from,
            None => {
                self.open.written = Some(self.out.bytes.len());
                self.open.upto = self.open.start;
                self.out.bytes.len()
            }
        };
        self.write_slice(at);
        if !self.open.accented && folded != plain {
            self.open.accented = true;
            self.out.work.plain.clear();
            self.out.work.plain.push_str(&self.out.bytes[from..]);
        }
        self.out.bytes.push_str(folded);
        if self.open.accented {
            self.out.work.plain.push_str(plain);
        }
        self.open.upto = next;
    }

    fn write_slice(&mut self, end: usize) {
        let range = self.copy + self.open.upto..self.copy + end;
        if self.open.accented {
            self.out.work.plain.push_str(&self.out.bytes[range.clone()]);
        }
        self.out.bytes.extend_from_within(range);
    }

    /// Ends the open token before `end`.
    #[inline]
    fn close(&mut self, end: usize) {
        if self.open.state != State::None {
            self.finish(end);
        }
    }

    fn finish(&mut self, end: usize) {
        let Open { state, start, written, .. } = self.open;
        let kind = if state == State::Word { TokenKind::Word } else { TokenKind::Character };
        match written {
            None => self.push_slice((start, end), end, kind),
            Some(from) => {
                self.write_slice(end);
                if self.out.bytes.len() > from {
                    let plain = std::mem::take(&mut self.out.work.plain);
                    let differs = self.open.accented.then_some(plain.as_str());
                    self.out.push(Span::from(start..end), kind, from, differs, self.first);
                    self.out.work.plain = plain;
                }
                self.open.written = None;
                self.open.accented = false;
            }
        }
        self.open.state = State::None;
    }

    /// Adds the token of `start..end` whose text is the copy's up to `text_end`.
    #[inline]
    fn push_slice(&mut self, (start, text_end): (usize, usize), end: usize, kind: TokenKind) {
        let range = self.copy + start..self.copy + text_end;
        let hash = self.key.hash_first(&self.out.bytes.as_bytes()[range.start..], range.len());
        let text = Span::from(range);
        self.out.items.push(Item {
            span: Span::from(start..end),
            folded: text,
            plain: text,
            folded_hash: hash,
            plain_hash: hash,
            kind,
            part: 0,
        });
    }

    /// Takes the emoji sequence that starts with the character `at..next`.
    fn emoji(&mut self, at: usize, next: usize, end: usize) -> usize {
        let flag = matches!(decode(self.text, at), Some(('\u{1f1e6}'..='\u{1f1ff}', _)));
        if !flag && !self.may_join(next, end) {
            self.push_slice((at, next), next, TokenKind::Emoji);
            return next;
        }
        if !flag && self.text[next..end].starts_with('\u{fe0f}') && !self.may_join(next + 3, end) {
            self.push_slice((at, next), next + 3, TokenKind::Emoji);
            return next + 3;
        }
        let cluster = self.text[at..end].graphemes(true).next().unwrap_or_default();
        self.out.emoji(cluster, Span::from(at..at + cluster.len()), STEPS, self.first);
        at + cluster.len()
    }

    /// Whether the character at `at` might belong to the grapheme cluster before it.
    fn may_join(&self, at: usize, end: usize) -> bool {
        if at >= end || self.text.as_bytes()[at].is_ascii() {
            return false;
        }
        decode(self.text, at).is_some_and(|(c, _)| match class(entry(c)) {
            CLASS_SEPARATOR | CLASS_WORD | CLASS_CHARACTER | CLASS_EMOJI => false,
            CLASS_CLUSTER | CLASS_POINT => entry(c) & MARK != 0,
            _ => true,
        })
    }

    /// Gives the open token, the character at `at` and what might belong to them to the general path; where to go
    /// on.
    fn general(&mut self, at: usize, (start, end): (usize, usize), continues: bool) -> usize {
        let bytes = self.text.as_bytes();
        let from = match self.open.state {
            // A keycap's base is no part of a word.
            State::None if at > start && matches!(bytes[at - 1], b'#' | b'*') => at - 1,
            State::None => at,
            _ => self.open.start,
        };
        let mut to = at;
        let mut before_token = true;
        while let Some((c, next)) = decode(&self.text[..end], to) {
            let entry = entry(c);
            let class = class(entry);
            match class {
                // A keycap that something is prepended to is none.
                CLASS_SEPARATOR if before_token || !matches!(c, '#' | '*') => break,
                CLASS_CHARACTER | CLASS_CLUSTER if entry & MARK == 0 && before_token && to > at => break,
                _ => {}
            }
            // What is prepended to a cluster is general and no mark.
            if entry & IGNORABLE == 0 {
                before_token = class != CLASS_GENERAL || entry & MARK != 0;
            }
            to = next;
        }
        // A mark that is a cluster of its own stands in a word.
        let inside = self.open.state == State::Cluster
            && decode(self.text, from).is_some_and(|(c, _)| entry(c) & MARK != 0);
        let before = if inside {
            Before::Word
        } else if from > start && !bytes[from - 1].is_ascii_control() || from == start && continues {
            Before::Other
        } else {
            Before::Nothing
        };
        self.open = Open::default();
        self.out.general(self.text, (from, to), before, STEPS, self.first);
        to
    }
}

/// The character at a byte, and where the next one starts.
#[inline]
fn decode(text: &str, at: usize) -> Option<(char, usize)> {
    let mut chars = text.get(at..)?.chars();
    let c = chars.next()?;
    Some((c, at + c.len_utf8()))
}
