//! A post, prepared once and shared by all filters: its terms, bits and token positions.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

use super::fields;
use super::find::{Sought, Words};
use super::stretches::{self, Links, Stretch};
use crate::Span;
use crate::engine::Index;
use crate::engine::build::{SIGNATURE_BITS, signature_of};
use crate::engine::dictionary::{Hit, KeyKind, NO_TERM, TermId};
use crate::engine::masks::Bits;
use crate::plan::atoms::Wild;
use crate::plan::channel::{Channel, Channels, Level};
use crate::plan::lower::head_key;
use crate::post::Post;
use crate::syntax::NumberField;
use crate::text::{self, Origin, Searchable, Tokens};

/// A term of the dictionary that the post holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) term: TermId,
    pub(super) record: u32,
    pub(super) channels: Channels,
    /// First of its positions, in `View::places`; `NO_TERM`: none.
    first: u32,
    /// How many positions it has.
    count: u32,
}

/// Tokens of one stretch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) channels: Channels,
}

const SUBSTRINGS: Channels =
    Channels::of(&[Channel::Contains, Channel::ContainsX, Channel::UrlContains, Channel::UrlContainsX]);

/// What is known of one post of a chain (the post, the quoted one, the original).
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) level: Level,
    pub(super) bits: Bits,
    pub(super) tokens: Tokens,
    /// Stretches, in order of their tokens.
    pub(super) runs: Vec<Run>,
    /// Plain, folded and exact term of each token.
    pub(super) ids: Vec<[TermId; 3]>,
    /// Tokens as typed, where `=` occurs with wildcards.
    exact: Vec<String>,
    pub(super) found: Vec<Found>,
    table: Vec<(u32, u32)>,
    generation: u32,
    places: Vec<(u32, u32)>,
    signature: Vec<u64>,
    /// Search texts of the stretches that have any, with the channels they feed.
    pub(super) searchables: Vec<(Channels, Searchable)>,
    searchables_used: usize,
    /// What regexes read, where any is asked for.
    pub(super) regex_text: OnceCell<String>,
    /// Results of dear atoms, by number: the generation they were found in, and what was found.
    memo: RefCell<Vec<(u32, Option<bool>)>>,
    /// Counts over the text and its entities, each made when it is first asked for.
    counted: RefCell<Vec<(NumberField, f64)>>,
    /// Tags of a channel, folded or plain, sorted: made when `#tag*` is first asked for.
    tags: RefCell<Vec<(Channel, bool, Vec<String>)>>,
    /// The words of the embedder's own fields, by their numbers: made when they are first asked for.
    attributes: RefCell<Vec<Option<Words<'static>>>>,
    /// The views behind the scopes.
    pub(super) quote: Option<usize>,
    pub(super) original: Option<usize>,
    key: fields::Buffer,
    spans: Vec<Span>,
    worth: Vec<u32>,
    skeleton: String,
}

impl View {
    /// Reads a post; what no filter asks for stays unread.
    pub(super) fn prepare(&mut self, index: &Index, post: &Post, level: Level, text_limit: usize) {
        #[cfg(test)]
        super::growth::count();
        fields::warm(post);
        self.clear(level);
        self.bits = fields::flags(post);
        let uses = index.uses.channels[level as usize];
        stretches::stretches(post, widen(uses), |stretch| {
            let stretch = Stretch { text: cut(stretch.text, text_limit), ..stretch };
            self.read(index, uses, stretch);
        });
        let mut key = std::mem::take(&mut self.key);
        fields::values(post, uses, |entry, channels| {
            fields::keys(entry, index.uses.identities, &mut key, |identity, value| {
                let kind = if identity { KeyKind::Identity } else { KeyKind::Plain };
                self.value(index, kind, value, channels);
            });
        });
        self.key = key;
        if uses.has(Channel::Regex) {
            self.read_raw(index, post, text_limit);
        }
    }

    fn clear(&mut self, level: Level) {
        self.level = level;
        self.tokens.clear();
        self.runs.clear();
        self.ids.clear();
        self.exact.clear();
        self.found.clear();
        self.places.clear();
        self.signature.clear();
        self.signature.resize(SIGNATURE_BITS as usize / 64, 0);
        self.signature[0] = 1;
        self.searchables_used = 0;
        self.regex_text.take();
        self.counted.get_mut().clear();
        self.tags.get_mut().clear();
        self.attributes.get_mut().clear();
        (self.quote, self.original) = (None, None);
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 || self.table.is_empty() {
            self.generation = 1;
            self.table.clear();
            self.table.resize(256, (0, 0));
            self.memo.get_mut().clear();
        }
    }

    fn read(&mut self, index: &Index, uses: Channels, stretch: Stretch<'_>) {
        let mut spans = std::mem::take(&mut self.spans);
        stretch.links.spans(stretch.text, &mut spans);
        let decoded;
        let (text, origin) = match stretch.links {
            Links::Itself => {
                decoded = text::decode_link(stretch.text);
                (decoded.as_str(), Origin::Filter)
            }
            _ => (stretch.text, Origin::Post(&spans)),
        };
        let words = stretch.feeds.and(uses);
        if !words.is_empty() {
            let (start, written) = (self.tokens.len(), self.tokens.written().len());
            text::tokenize(text, origin, &mut self.tokens);
            self.look_up(index, text, start, words);
            self.search_tokens(index, (start, written), words);
        }
        let substrings = substring_channels(stretch.feeds).and(uses);
        if !substrings.is_empty() {
            self.search(index, text, origin, substrings);
        }
        self.spans = spans;
    }

    /// Looks up the tokens from `start` on.
    fn look_up(&mut self, index: &Index, text: &str, start: usize, channels: Channels) {
        let dictionary = &index.dictionary;
        let uses = &index.uses;
        let end = self.tokens.len();
        self.runs.push(Run { start: start as u32, end: end as u32, channels });
        self.ids.resize(end, [NO_TERM; 3]);
        if uses.exact_wild {
            let tokens = (start..end).filter_map(|p| self.tokens.get(p));
            self.exact.extend(tokens.map(|token| text::exact(&text[token.span.range()], token)));
        }
        let mut worth = std::mem::take(&mut self.worth);
        self.worth_looking_up(index, start, &mut worth);
        dictionary.warm(worth.iter().map(|position| self.tokens.hashes(*position as usize).0));
        let mut before: (u32, [Option<Hit>; 3]) = (NO_TERM, [None; 3]);
        for &position in &worth {
            let now = self.look_up_token(index, text, position, channels);
            if uses.pairs && before.0.wrapping_add(1) == position {
                for a in before.1.iter().flatten().filter(|h| h.starts_pair()) {
                    for b in now.iter().flatten().filter(|h| h.ends_pair()) {
                        if let Some(pair) = dictionary.get_pair(a.term, b.term) {
                            self.touch(pair, channels, position - 1);
                        }
                    }
                }
            }
            before = (position, now);
        }
        self.worth = worth;
    }

    /// The tokens that the dictionary may know, without a branch for each: nothing could foresee it.
    fn worth_looking_up(&self, index: &Index, start: usize, worth: &mut Vec<u32>) {
        let end = self.tokens.len();
        worth.clear();
        if index.uses.obfuscated || index.uses.prefixes != 0 {
            worth.extend(start as u32..end as u32);
            return;
        }
        worth.resize(end - start, 0);
        let mut found = 0;
        for position in start..end {
            let (plain, folded, _) = self.tokens.hashes(position);
            worth[found] = position as u32;
            let may_hold = index.dictionary.may_hold(plain) | index.dictionary.may_hold(folded);
            found += usize::from(may_hold);
        }
        worth.truncate(found);
    }

    /// Plain, folded and exact term of a token, which are touched, as are the others that it holds.
    fn look_up_token(
        &mut self,
        index: &Index,
        text: &str,
        position: u32,
        channels: Channels,
    ) -> [Option<Hit>; 3] {
        let dictionary = &index.dictionary;
        let at = position as usize;
        let (plain_hash, folded_hash, accented) = self.tokens.hashes(at);
        let (plain, folded) = self.tokens.keys(at);
        let mut now = [dictionary.get_plain(plain_hash, plain), None, None];
        if accented {
            now[1] = dictionary.get_plain(folded_hash, folded);
        }
        if now[0].is_some_and(Hit::is_typed)
            && let Some(token) = self.tokens.get(at)
        {
            let exact = text::exact(&text[token.span.range()], token);
            now[2] = dictionary.get(KeyKind::Exact, exact.as_bytes());
        }
        for (hit, id) in now.iter().zip(&mut self.ids[at]) {
            *id = hit.map_or(NO_TERM, |h| h.term);
        }
        for hit in now.iter().flatten() {
            self.touch(*hit, channels, position);
        }
        if index.uses.obfuscated {
            self.skeleton.clear();
            text::squeezed_into(self.tokens.plain(at), &mut self.skeleton);
            if let Some(hit) = dictionary.get(KeyKind::Obfuscated, self.skeleton.as_bytes()) {
                self.touch(hit, channels, position);
            }
        }
        if index.uses.prefixes != 0 {
            for hit in prefixes(index, self.tokens.plain(at)).into_iter().flatten() {
                self.touch(hit, channels, position);
            }
        }
        now
    }

    /// A whole value: tag, account, id …
    fn value(&mut self, index: &Index, kind: KeyKind, value: &str, channels: Channels) {
        #[cfg(test)]
        (0..value.len()).for_each(|_| super::growth::count());
        let hit = match kind {
            KeyKind::Plain => index.dictionary.get_plain(text::hash(value), value.as_bytes()),
            _ => index.dictionary.get(kind, value.as_bytes()),
        };
        if let Some(hit) = hit {
            if channels.has(Channel::Lang)
                && let Some(bit) = index.masks.language(hit.term)
            {
                self.bits |= bit;
            }
            self.touch(hit, channels, NO_TERM);
        }
        if index.uses.prefixes != 0 {
            for hit in prefixes(index, value).into_iter().flatten() {
                self.touch(hit, channels, NO_TERM);
            }
        }
    }

    /// Searches the tokens from a place on for what words with wildcards hold.
    fn search_tokens(&mut self, index: &Index, (start, written): (usize, usize), channels: Channels) {
        let (tokens, exact) = (std::mem::take(&mut self.tokens), std::mem::take(&mut self.exact));
        index.literals.parts(&tokens.written()[written..], |hit| self.touch(hit, channels, NO_TERM));
        for token in exact.get(start..).unwrap_or_default() {
            index.literals.exact_parts(token, |hit| self.touch(hit, channels, NO_TERM));
        }
        (self.tokens, self.exact) = (tokens, exact);
    }

    /// Searches a stretch for substrings.
    fn search(&mut self, index: &Index, text: &str, origin: Origin<'_>, channels: Channels) {
        if self.searchables.len() == self.searchables_used {
            self.searchables.push((Channels::default(), Searchable::default()));
        }
        let at = self.searchables_used;
        self.searchables_used += 1;
        let mut entry = std::mem::take(&mut self.searchables[at]);
        entry.0 = channels;
        text::fold_for_search(text, origin, &mut entry.1);
        index.literals.substrings(entry.1.plain(), |hit| self.touch(hit, channels, NO_TERM));
        self.searchables[at] = entry;
    }

    fn read_raw(&mut self, index: &Index, post: &Post, text_limit: usize) {
        if index.literals.has_regexes() {
            let raw = text::nfc(cut(&post.content().text, text_limit));
            let channels = Channels::of(&[Channel::Regex]);
            index.literals.regexes(&raw, |hit| self.touch(hit, channels, NO_TERM));
        }
    }

    /// The search texts of this post.
    pub(super) fn search_texts(&self) -> impl Iterator<Item = &(Channels, Searchable)> {
        self.searchables[..self.searchables_used].iter()
    }

    /// Notes that a term is there.
    pub(super) fn touch(&mut self, hit: Hit, channels: Channels, position: u32) {
        #[cfg(test)]
        super::growth::count();
        let at = match self.slot(hit.term) {
            Ok(at) => {
                self.found[at].channels.0 |= channels.0;
                at
            }
            Err(slot) => {
                let at = self.found.len();
                let (term, record) = (hit.term, hit.record);
                self.found.push(Found { term, record, channels, first: NO_TERM, count: 0 });
                self.table[slot] = (self.generation, at as u32);
                let bit = usize::from(signature_of(hit.term));
                self.signature[bit / 64] |= 1 << (bit % 64);
                if self.found.len() * 2 > self.table.len() {
                    self.grow();
                }
                at
            }
        };
        if position != NO_TERM {
            let before = self.found[at].first;
            self.found[at].first = self.places.len() as u32;
            self.found[at].count += 1;
            self.places.push((position, before));
        }
    }

    fn grow(&mut self) {
        let size = self.table.len() * 2;
        self.table.clear();
        self.table.resize(size, (0, 0));
        for at in 0..self.found.len() {
            if let Err(slot) = self.slot(self.found[at].term) {
                self.table[slot] = (self.generation, at as u32);
            }
        }
    }

    /// Where a term stands in `found`, or the free slot for it.
    #[inline]
    fn slot(&self, term: TermId) -> Result<usize, usize> {
        let mask = self.table.len() - 1;
        let mut slot = term.wrapping_mul(0x9e37_79b1) as usize >> 8 & mask;
        loop {
            let (generation, at) = self.table[slot];
            if generation != self.generation {
                return Err(slot);
            }
            if self.found[at as usize].term == term {
                return Ok(at as usize);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Whether a term was found in a channel.
    #[inline]
    pub(super) fn holds(&self, channel: Channel, term: TermId) -> bool {
        self.may_hold(signature_of(term))
            && self.slot(term).is_ok_and(|at| self.found[at].channels.has(channel))
    }

    /// What an atom was found to be for this post, if it was asked before.
    pub(super) fn known(&self, atom: u32) -> Option<Option<bool>> {
        let memo = self.memo.borrow();
        memo.get(atom as usize).filter(|known| known.0 == self.generation).map(|known| known.1)
    }

    /// Notes what an atom was found to be.
    pub(super) fn learn(&self, atom: u32, truth: Option<bool>) {
        let mut memo = self.memo.borrow_mut();
        if memo.len() <= atom as usize {
            memo.resize(atom as usize + 1, (0, None));
        }
        memo[atom as usize] = (self.generation, truth);
    }

    /// A count that costs a walk over the post, which is made once.
    pub(super) fn counted(&self, field: NumberField, count: impl FnOnce() -> f64) -> f64 {
        let mut counted = self.counted.borrow_mut();
        if let Some((_, known)) = counted.iter().find(|known| known.0 == field) {
            return *known;
        }
        let number = count();
        counted.push((field, number));
        number
    }

    /// Whether a tag of a channel begins like this; the tags are `folded` (or without accents) once.
    pub(super) fn has_tag_with(&self, post: &Post, channel: Channel, plain: bool, prefix: &str) -> bool {
        let mut tags = self.tags.borrow_mut();
        let known = tags.iter().position(|known| (known.0, known.1) == (channel, plain));
        let at = known.unwrap_or_else(|| {
            tags.push((channel, plain, fields::tags(post, channel, plain)));
            tags.len() - 1
        });
        let tags = &tags[at].2;
        tags.get(tags.partition_point(|tag| tag.as_str() < prefix)).is_some_and(|tag| tag.starts_with(prefix))
    }

    /// Whether a pattern stands in a field of the embedder's own; its value is cut into words once for all patterns.
    pub(super) fn attribute_holds(&self, number: usize, value: &str, sought: &Sought) -> bool {
        let mut attributes = self.attributes.borrow_mut();
        if attributes.len() <= number {
            attributes.resize_with(number + 1, || None);
        }
        let cut = || Words::new(Cow::Owned(value.to_owned()), Origin::Post(&[]));
        attributes[number].get_or_insert_with(cut).holds(sought)
    }

    /// Whether any term has this place in the signature.
    #[inline]
    pub(super) fn may_hold(&self, place: u16) -> bool {
        self.signature[usize::from(place) / 64] >> (place % 64) & 1 == 1
    }

    /// The positions of a term, last first.
    pub(super) fn positions(&self, term: TermId) -> impl Iterator<Item = u32> {
        let mut at = self.slot(term).map_or(NO_TERM, |at| self.found[at].first);
        std::iter::from_fn(move || {
            let (position, before) = *self.places.get(at as usize)?;
            at = before;
            Some(position)
        })
    }

    /// How many positions a term has.
    pub(super) fn count_of(&self, term: TermId) -> usize {
        self.slot(term).map_or(0, |at| self.found[at].count as usize)
    }

    /// Whether the token at a position matches a word with wildcards.
    pub(super) fn is_wild(&self, position: u32, wild: &Wild) -> bool {
        let exact = self.exact.get(position as usize).map_or("", String::as_str);
        self.tokens.get(position as usize).is_some_and(|token| wild.matches(token, exact))
    }

    /// The stretch that a token stands in.
    pub(super) fn run_of(&self, position: u32) -> Option<Run> {
        let at = self.runs.partition_point(|r| r.end <= position);
        self.runs.get(at).copied()
    }
}

/// The prefixes of a token that begin a word with wildcards.
fn prefixes(index: &Index, plain: &str) -> [Option<Hit>; 4] {
    let mut hits = [None; 4];
    for (n, (start, c)) in head_key(plain).char_indices().enumerate().take(4) {
        if index.uses.prefixes >> (n + 1) & 1 == 1 {
            let prefix = &plain[..start + c.len_utf8()];
            hits[n] = index.dictionary.get(KeyKind::Prefix, prefix.as_bytes());
        }
    }
    hits
}

/// Substring channels read the same stretches as word channels do.
fn widen(uses: Channels) -> Channels {
    let mut wide = uses;
    for (substring, word) in [
        (Channel::Contains, Channel::Text),
        (Channel::ContainsX, Channel::TextX),
        (Channel::UrlContains, Channel::Url),
        (Channel::UrlContainsX, Channel::UrlX),
    ] {
        if uses.has(substring) {
            wide.insert(word);
        }
    }
    wide
}

fn substring_channels(feeds: Channels) -> Channels {
    let mut out = Channels::default();
    for (substring, word) in [
        (Channel::Contains, Channel::Text),
        (Channel::ContainsX, Channel::TextX),
        (Channel::UrlContains, Channel::Url),
        (Channel::UrlContainsX, Channel::UrlX),
    ] {
        if feeds.has(word) {
            out.insert(substring);
        }
    }
    out.and(SUBSTRINGS)
}

/// The part of a text that is read.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit { text } else { &text[..text.floor_char_boundary(limit)] }
}
