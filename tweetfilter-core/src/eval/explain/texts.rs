//! The texts that feed a channel, and where the words of all of them stand: a post may have thousands of links, and an
//! expression thousands of words, so no word is held against every text.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::ops::Range;

use crate::Span;
use crate::eval::find::{Near, Row, Sought, Words};
use crate::eval::stretches::{self, Links, Place};
use crate::eval::view;
use crate::plan::channel::{Channel, Channels};
use crate::post::Post;
use crate::syntax::Form;
use crate::text::{self, Needle, Origin, Searchable, WildcardReach};

/// Where a token is: the number of its text, and its place there.
type At = (u32, u32);

/// How much may still be looked at for an explanation.
#[derive(Debug)]
pub(super) struct Looks(Cell<usize>);

impl Looks {
    pub(super) fn new(most: usize) -> Self {
        Self(Cell::new(most))
    }

    /// Whether that much may be looked at.
    pub(super) fn take(&self, much: usize) -> bool {
        #[cfg(test)]
        (0..much).for_each(|_| crate::eval::growth::count());
        let enough = self.0.get() >= much;
        self.0.set(self.0.get().saturating_sub(much));
        enough
    }

    /// Whether nothing more may be looked at.
    pub(super) fn are_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// A text that feeds a channel.
pub(super) struct Shown<'p> {
    pub(super) place: Place<'p>,
    words: Words<'p>,
    /// What substrings are looked for in, once asked for.
    searchable: OnceCell<Searchable>,
    /// Where its links are; `None`: it is one.
    links: Option<Vec<Span>>,
    /// It is a link whose escapes are resolved, so that it lies otherwise than in the post.
    decoded: bool,
}

impl Shown<'_> {
    /// What stands somewhere in it.
    pub(super) fn at(&self, span: Span) -> &str {
        self.words.text().get(span.range()).unwrap_or_default()
    }

    /// The same place in the field as the post has it; `None` where that can't be told.
    pub(super) fn in_post(&self, span: Span) -> Option<Span> {
        (!self.decoded).then_some(span)
    }

    fn searchable(&self) -> &Searchable {
        self.searchable.get_or_init(|| {
            let mut searchable = Searchable::default();
            let origin = self.links.as_ref().map_or(Origin::Filter, |links| Origin::Post(links));
            text::fold_for_search(self.words.text(), origin, &mut searchable);
            searchable
        })
    }
}

/// The texts that feed a channel.
pub(super) struct Texts<'p> {
    all: Vec<Shown<'p>>,
    /// All tokens, once asked for.
    tokens: OnceCell<Vec<At>>,
    /// All tokens in the order of their plain texts, once asked for.
    sorted: OnceCell<Vec<At>>,
    /// Where tokens are, by the hashes of their plain and folded texts, once asked for.
    words: OnceCell<HashMap<u64, Vec<At>>>,
    /// By the hashes of their squeezed skeletons, once asked for.
    disguised: OnceCell<HashMap<u64, Vec<At>>>,
}

/// Where a row may stand: all places of one of its tokens, and which one that is.
struct Anchors<'t> {
    offset: usize,
    at: Cow<'t, [At]>,
}

impl<'p> Texts<'p> {
    pub(super) fn new(post: &'p Post, limit: usize, channel: Channel) -> Self {
        let mut all = Vec::new();
        stretches::stretches(post, Channels::of(&[channel]), |stretch| {
            let (mut text, mut links) = (Cow::Borrowed(view::cut(stretch.text, limit)), None);
            let mut decoded = false;
            if let Links::Itself = stretch.links {
                let link = text::decode_link(stretch.text);
                decoded = link != stretch.text;
                if decoded {
                    text = Cow::Owned(view::cut(&link, limit).to_owned());
                }
            } else {
                let mut spans = Vec::new();
                stretch.links.spans(stretch.text, &mut spans);
                links = Some(spans);
            }
            let origin = links.as_ref().map_or(Origin::Filter, |links| Origin::Post(links));
            let words = Words::new(text, origin);
            all.push(Shown { place: stretch.place, words, searchable: OnceCell::new(), links, decoded });
        });
        let (tokens, sorted) = (OnceCell::new(), OnceCell::new());
        Self { all, tokens, sorted, words: OnceCell::new(), disguised: OnceCell::new() }
    }

    /// Calls `found` with the places of a pattern, in order, until it wants no more or the looks are spent: of a word or
    /// phrase all, of a proximity in each text its closest items.
    pub(super) fn find(
        &self,
        sought: &Sought,
        looks: &Looks,
        mut found: impl FnMut(&Shown<'p>, Span) -> bool,
    ) {
        match sought {
            Sought::Row(row) => {
                let Anchors { offset, at } = self.anchors(row);
                let letters = |at: At| self.plain(at).len() / LETTERS;
                for at in at.iter().take_while(|at| looks.take(1 + letters(**at))) {
                    let Some((shown, start)) = self.stands(row, offset, *at) else { continue };
                    let span = shown.words.span(start, start + row.terms.len());
                    if span.is_some_and(|span| !found(shown, span)) {
                        return;
                    }
                }
            }
            Sought::Near(near) => self.near(near, looks, &mut found),
        }
    }

    fn near(&self, near: &Near, looks: &Looks, found: &mut impl FnMut(&Shown<'p>, Span) -> bool) {
        let anchors: Vec<_> = near.rows.iter().map(|row| self.anchors(row)).collect();
        // No text needs to be looked at that lacks the rarest item, nor what is far from it.
        let Some(rarest) = anchors.iter().min_by_key(|anchors| anchors.at.len()) else { return };
        for same in rarest.at.chunk_by(|a, b| a.0 == b.0) {
            let text = same[0].0;
            let regions = around(same, near.width());
            let occurrences = near.occurrences(|item, row| {
                let Anchors { offset, at } = &anchors[item];
                let all: &[At] = at;
                let inside = regions.iter().flat_map(move |region| {
                    let first = all.partition_point(|at| *at < (text, region.start));
                    let last = all.partition_point(|at| *at < (text, region.end));
                    &all[first..last]
                });
                let inside = inside.take_while(|_| looks.take(1));
                inside.filter_map(|at| Some(self.stands(row, *offset, *at)?.1)).collect()
            });
            if !looks.take(near.steps(occurrences.len()) / STEPS) {
                return;
            }
            let shown = &self.all[text as usize];
            let mut spans = near.places(&shown.words, &occurrences).into_iter();
            if looks.are_spent() || !spans.all(|span| found(shown, span)) {
                return;
            }
        }
    }

    /// Calls `found` with the first place of a substring in each text, until it wants no more or the looks are spent.
    pub(super) fn search(
        &self,
        needle: &Needle,
        looks: &Looks,
        mut found: impl FnMut(&Shown<'p>, Span) -> bool,
    ) {
        for shown in &self.all {
            if !looks.take(1 + shown.words.text().len() / BYTES) {
                return;
            }
            if shown.searchable().find(needle).is_some_and(|span| !found(shown, span)) {
                return;
            }
        }
    }

    /// Where a row begins in a text if one of its tokens is at a place.
    fn stands(&self, row: &Row, offset: usize, (text, position): At) -> Option<(&Shown<'p>, usize)> {
        let start = (position as usize).checked_sub(offset)?;
        let shown = self.all.get(text as usize)?;
        shown.words.stands(row, start).then_some((shown, start))
    }

    /// By the token of a row that stands in the fewest places.
    fn anchors(&self, row: &Row) -> Anchors<'_> {
        let known = row.terms.iter().enumerate().filter(|(_, term)| term.wildcard.is_none());
        let known = known.map(|(offset, term)| (offset, self.places(term, row.form)));
        if let Some((offset, at)) = known.min_by_key(|(_, at)| at.len()) {
            return Anchors { offset, at: Cow::Borrowed(at) };
        }
        // A word with wildcards.
        let at = match row.terms.first().map(|term| term.reach(row.form == Form::Exact)) {
            Some(WildcardReach::Head(head)) => Cow::Owned(self.beginning(head)),
            _ => Cow::Borrowed(self.tokens()),
        };
        Anchors { offset: 0, at }
    }

    /// The places of the tokens that may be a term without wildcards, in order.
    fn places(&self, term: &text::Term, form: Form) -> &[At] {
        let (index, hash) = match form {
            Form::Folded => (self.words(), text::hash(term.key())),
            // What is typed alike is alike without accents.
            Form::Exact => (self.words(), text::hash(&term.plain)),
            Form::Obfuscated => (self.disguised(), disguise(&term.plain)),
        };
        index.get(&hash).map_or(&[][..], Vec::as_slice)
    }

    /// The places of the tokens whose plain text begins so, in order.
    fn beginning(&self, head: &str) -> Vec<At> {
        let sorted = self.sorted.get_or_init(|| {
            let mut sorted = self.tokens().to_vec();
            sorted.sort_unstable_by_key(|at| (self.plain(*at), *at));
            sorted
        });
        let from = sorted.partition_point(|at| self.plain(*at) < head);
        let begin = sorted[from..].iter().take_while(|at| self.plain(**at).starts_with(head));
        let mut places: Vec<At> = begin.copied().collect();
        places.sort_unstable();
        places
    }

    fn plain(&self, (text, position): At) -> &str {
        self.all[text as usize].words.tokens().plain(position as usize)
    }

    fn tokens(&self) -> &[At] {
        self.tokens.get_or_init(|| {
            let texts = (0..).zip(&self.all);
            texts.flat_map(|(n, shown)| (0..shown.words.tokens().len()).map(move |p| (n, p as u32))).collect()
        })
    }

    fn words(&self) -> &HashMap<u64, Vec<At>> {
        self.words.get_or_init(|| {
            let mut index: HashMap<u64, Vec<At>> = HashMap::new();
            for &(text, position) in self.tokens() {
                let tokens = self.all[text as usize].words.tokens();
                let (plain, folded, accented) = tokens.hashes(position as usize);
                index.entry(plain).or_default().push((text, position));
                if accented {
                    index.entry(folded).or_default().push((text, position));
                }
            }
            index
        })
    }

    fn disguised(&self) -> &HashMap<u64, Vec<At>> {
        self.disguised.get_or_init(|| {
            let mut index: HashMap<u64, Vec<At>> = HashMap::new();
            for at in self.tokens() {
                index.entry(disguise(self.plain(*at))).or_default().push(*at);
            }
            index
        })
    }
}

/// What lies around places of one text, as far as it reaches: in order, and apart from each other.
fn around(places: &[At], reach: u32) -> Vec<Range<u32>> {
    let mut regions: Vec<Range<u32>> = Vec::new();
    for (_, position) in places {
        let (from, to) = (position.saturating_sub(reach), position.saturating_add(reach));
        match regions.last_mut() {
            Some(last) if from <= last.end => last.end = to,
            _ => regions.push(from..to),
        }
    }
    regions
}

/// Bytes of a text that are searched as quickly as a short token is looked at, and of a token that wildcards are.
const BYTES: usize = 256;
const LETTERS: usize = 16;
/// Choices of items that are tried as quickly.
const STEPS: usize = 8;

/// The hash of a word's squeezed skeleton, which all its disguises have.
fn disguise(plain: &str) -> u64 {
    let mut skeleton = String::new();
    text::squeezed_into(plain, &mut skeleton);
    text::hash(&skeleton)
}
