//! Substrings: what `contains:` and `url_contains:` search, and where a hit stands in the original.
//!
//! Steps a, b, c and e of the text model; then a run of white space is one space. The text is kept folded and
//! plain; a pattern without accents is searched in the plain text, one with accents in the folded. A hit counts
//! only where it begins and ends between grapheme clusters of the text that is searched.

use memchr::memmem::Finder;
use unicode_segmentation::UnicodeSegmentation;

use super::flags::{CLASS_CHARACTER, CLASS_CLUSTER, CLASS_SEPARATOR, CLASS_WORD, MARK, POINT, SPACE};
use super::fold::{Chunk, Found, Steps, Unit, push_emoji, push_toneless, walk};
use super::tables::{class, entry, mapping};
use super::{Origin, accents, links};
use crate::Span;

/// A text, folded for search; reused from text to text.
#[derive(Clone, Debug, Default)]
pub struct Searchable {
    folded: Side,
    plain: Side,
    accented: bool,
    links: Vec<Span>,
    chunk: Chunk,
    group: Vec<Unit>,
    buffer: String,
}

/// One of the two forms of a text.
#[derive(Clone, Debug, Default)]
struct Side {
    text: String,
    /// Where each group of characters starts in `text`, and the bytes that it came of.
    groups: Vec<(u32, Span)>,
    /// A bit for each byte: a grapheme cluster starts there.
    boundaries: Vec<u64>,
}

impl Side {
    fn clear(&mut self) {
        self.text.clear();
        self.groups.clear();
        self.boundaries.clear();
    }

    fn start_group(&mut self, span: Span) {
        self.groups.push((Span::from(self.text.len()..self.text.len()).start, span));
    }

    fn find_boundaries(&mut self) {
        if self.text.is_ascii() {
            // White space is one space, so no CR LF is left.
            self.boundaries.resize(self.text.len() / 64 + 1, u64::MAX);
            return;
        }
        self.boundaries.resize(self.text.len() / 64 + 1, 0);
        let ends = [self.text.len()];
        for at in self.text.grapheme_indices(true).map(|(at, _)| at).chain(ends) {
            self.boundaries[at / 64] |= 1 << (at % 64);
        }
    }

    fn is_boundary(&self, at: usize) -> bool {
        self.boundaries.get(at / 64).is_some_and(|bits| bits >> (at % 64) & 1 == 1)
    }

    fn original(&self, start: usize, end: usize) -> Option<Span> {
        let first = self.groups.partition_point(|&(at, _)| at as usize <= start).checked_sub(1)?;
        let last = self.groups.partition_point(|&(at, _)| (at as usize) < end).checked_sub(1)?;
        let spans = self.groups.get(first..=last)?;
        spans.iter().map(|&(_, span)| span).reduce(Span::to)
    }
}

/// A substring to search for.
#[derive(Clone, Debug)]
pub struct Needle {
    text: String,
    accented: bool,
    finder: Finder<'static>,
}

impl Needle {
    /// Folds the text of a `contains:`.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let mut folded = Searchable::default();
        fold_for_search(pattern, Origin::Filter, &mut folded);
        let text = folded.folded.text;
        Self { accented: folded.accented, finder: Finder::new(&text).into_owned(), text }
    }

    /// What is searched for; nothing is found when it is empty.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is searched in [`Searchable::folded`], else in [`Searchable::plain`].
    #[must_use]
    pub fn is_accented(&self) -> bool {
        self.accented
    }
}

impl Searchable {
    /// The text with its accents.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded.text
    }

    /// The text without one-sided accents.
    #[must_use]
    pub fn plain(&self) -> &str {
        &self.side(false).text
    }

    /// Whether [`folded`](Self::folded) and [`plain`](Self::plain) differ.
    #[must_use]
    pub fn is_accented(&self) -> bool {
        self.accented
    }

    /// The first hit, as a span of the original.
    #[must_use]
    pub fn find(&self, needle: &Needle) -> Option<Span> {
        self.find_iter(needle).next()
    }

    /// All hits that do not overlap, as spans of the original.
    pub fn find_iter<'s>(&'s self, needle: &'s Needle) -> impl Iterator<Item = Span> + 's {
        let haystack = self.side(needle.accented).text.as_bytes();
        let mut at = 0;
        std::iter::from_fn(move || {
            while !needle.text.is_empty() {
                let start = at + needle.finder.find(haystack.get(at..)?)?;
                let end = start + needle.text.len();
                if let Some(span) = self.confirm(start, end, needle.accented) {
                    at = end;
                    return Some(span);
                }
                at = start + needle.text.chars().next().map_or(1, char::len_utf8);
            }
            None
        })
    }

    /// Whether `start..end` of the [`folded`](Self::folded) text (`accented`) or of the [`plain`](Self::plain)
    /// one lies between grapheme clusters; where it stands in the original.
    #[must_use]
    pub fn confirm(&self, start: usize, end: usize, accented: bool) -> Option<Span> {
        let side = self.side(accented);
        if side.is_boundary(start) && side.is_boundary(end) { side.original(start, end) } else { None }
    }

    fn side(&self, accented: bool) -> &Side {
        if accented || !self.accented { &self.folded } else { &self.plain }
    }

    /// A base character with its marks.
    fn add_group(&mut self) {
        let (Some(first), Some(last)) = (self.group.first(), self.group.last()) else { return };
        let span = first.span.to(last.span);
        let space = entry(first.c) & SPACE != 0;
        if space {
            self.add_space(span);
        } else {
            self.folded.start_group(span);
            self.plain.start_group(span);
        }
        let from = self.folded.text.len();
        let alone = if let [unit] = self.group[..] { Some((unit.c, entry(unit.c))) } else { None };
        if let Some((c, entry)) = alone.filter(|&(_, entry)| {
            matches!(class(entry), CLASS_SEPARATOR | CLASS_WORD | CLASS_CHARACTER | CLASS_CLUSTER)
        }) {
            // Folded already, so its mapping is what its accents make of it.
            let mut utf8 = [0; 4];
            let itself: &str = c.encode_utf8(&mut utf8);
            let (folded, plain) = mapping(entry).unwrap_or((itself, itself));
            if !space {
                self.folded.text.push_str(folded);
                self.plain.text.push_str(plain);
            }
        } else {
            self.buffer.clear();
            self.buffer.extend(self.group[usize::from(space)..].iter().map(|unit| unit.c));
            accents::level(&self.buffer, entry, &mut self.folded.text);
            accents::strip(&self.folded.text[from..], entry, &mut self.plain.text);
        }
        self.group.clear();
    }

    fn add_space(&mut self, span: Span) {
        if self.folded.text.ends_with(' ') {
            for side in [&mut self.folded, &mut self.plain] {
                if let Some((_, last)) = side.groups.last_mut() {
                    *last = last.to(span);
                }
            }
            return;
        }
        for side in [&mut self.folded, &mut self.plain] {
            side.start_group(span);
            side.text.push(' ');
        }
    }

    fn add(&mut self, found: Found<'_>) {
        match found {
            Found::Char(c, span) => {
                if entry(c) & (MARK | POINT) == 0 {
                    self.add_group();
                }
                self.group.push(Unit { c, span });
            }
            Found::Gap(span) => {
                self.add_group();
                self.add_space(span);
            }
            Found::Emoji(cluster, span) => {
                self.add_group();
                let from = self.folded.text.len();
                self.folded.start_group(span);
                self.plain.start_group(span);
                push_emoji(cluster, &mut self.folded.text);
                push_toneless(&self.folded.text[from..], &mut self.plain.text);
            }
        }
    }
}

/// Folds `text` for search into `out`, in place of what was there.
///
/// ```
/// use tweetfilter_core::text::{Needle, Origin, Searchable, fold_for_search};
/// let mut text = Searchable::default();
/// fold_for_search("I ♥ New\n  YORK", Origin::Post(&[]), &mut text);
/// let hit = text.find(&Needle::new("new york")).map(|span| span.range());
/// assert_eq!(hit, Some(6..16));
/// ```
pub fn fold_for_search(text: &str, origin: Origin<'_>, out: &mut Searchable) {
    out.folded.clear();
    out.plain.clear();
    let mut spans = std::mem::take(&mut out.links);
    let mut chunk = std::mem::take(&mut out.chunk);
    links::find(text, origin, &mut spans);
    let steps = Steps { emoji: true, apart: false, case: true };
    for (i, (start, end)) in links::between(text, &spans).enumerate() {
        walk(text, (start, end), start > 0, steps, &mut chunk, &mut |found| out.add(found));
        out.add_group();
        if let Some(link) = spans.get(i) {
            out.add_space(*link);
        }
    }
    out.links = spans;
    out.chunk = chunk;
    out.accented = out.folded.text != out.plain.text;
    out.folded.find_boundaries();
    if out.accented {
        out.plain.find_boundaries();
    }
}
