//! Words, phrases, proximities and substrings, tried at every place.

use super::folds::Folds;
use super::{Reading, counts, links};
use crate::syntax::{Form, Shape, TextPattern, WordField};
use crate::text::{self, Origin, Term, Tokens};
use crate::{Dialect, Limits, Post, Span};

/// One run of text that no phrase crosses.
pub(super) struct Stretch {
    text: String,
    tokens: Tokens,
    /// The text with a space for every link.
    open: String,
}

impl Stretch {
    /// A text of a post or profile, with the places of its links.
    pub(super) fn of(text: &str, link_spans: &[Span]) -> Self {
        let text = head(text);
        Self::from(text, Origin::Post(link_spans), counts::without_links(text, link_spans))
    }

    /// A link, decoded: what looks like a link in it is text.
    fn link(link: &str) -> Self {
        Self::from(head(link), Origin::Filter, head(link).to_owned())
    }

    fn from(text: &str, origin: Origin<'_>, open: String) -> Self {
        let mut tokens = Tokens::default();
        text::tokenize(text, origin, &mut tokens);
        Self { text: text.to_owned(), tokens, open }
    }

    pub(super) fn contains(&self, part: &str) -> bool {
        Folds::of_text(&self.open).contains(&Folds::of_text(part))
    }

    /// Whether the token at a place is the wanted one.
    fn is(&self, at: usize, wanted: &Term, form: Form) -> bool {
        let Some(token) = self.tokens.get(at) else { return false };
        match form {
            Form::Folded => wanted.matches(token),
            Form::Exact => {
                let found = text::exact(&self.text[token.span.range()], token);
                wanted.matches_exact(token.kind, &found)
            }
            Form::Obfuscated => {
                let mut skeleton = String::new();
                text::obfuscated_into(&wanted.plain, &mut skeleton);
                alike(&skeleton, &text::obfuscated(token))
            }
        }
    }

    /// Where a run of tokens begins.
    fn places(&self, wanted: &[Term], form: Form) -> Vec<usize> {
        let run = |at: usize| wanted.iter().enumerate().all(|(n, term)| self.is(at + n, term, form));
        (0..self.tokens.len()).filter(|at| !wanted.is_empty() && run(*at)).collect()
    }

    fn matches(&self, pattern: &TextPattern) -> bool {
        let Shape::Near(foreign) = pattern.shape else {
            // What the parser would have refused stands nowhere.
            let wanted = text::pattern(&pattern.text, pattern.shape == Shape::Word).unwrap_or_default();
            return !self.places(&wanted.terms, pattern.form).is_empty();
        };
        let items = text::near_items(&pattern.text);
        let items: Vec<&[Term]> =
            items.iter().map(|item| item.terms.as_slice()).filter(|i| !i.is_empty()).collect();
        let wanted: usize = items.iter().map(|item| item.len()).sum();
        let placed: Vec<(usize, Vec<usize>)> =
            items.iter().map(|item| (item.len(), self.places(item, pattern.form))).collect();
        let width = wanted + foreign as usize;
        wanted > 0 && (0..self.tokens.len()).any(|from| fits(&placed, from, from + width, &mut Vec::new()))
    }
}

/// Whether every item has a place of its own between two positions: all ways are tried.
fn fits(items: &[(usize, Vec<usize>)], from: usize, to: usize, taken: &mut Vec<(usize, usize)>) -> bool {
    let Some(((len, places), rest)) = items.split_first() else { return true };
    places.iter().any(|&start| {
        let end = start + len;
        let free = taken.iter().all(|(other, other_end)| end <= *other || *other_end <= start);
        if start < from || end > to || !free {
            return false;
        }
        taken.push((start, end));
        let fit = fits(rest, from, to, taken);
        taken.pop();
        fit
    })
}

/// Whether two look-alike skeletons are equal; three or more equal letters in the text are one or two, or as many.
fn alike(wanted: &str, found: &str) -> bool {
    let (wanted, found) = (runs(wanted), runs(found));
    wanted.len() == found.len()
        && wanted
            .iter()
            .zip(&found)
            .all(|((a, n), (b, m))| a == b && (n == m || (*m >= 3 && a.is_alphabetic())))
}

fn runs(text: &str) -> Vec<(char, usize)> {
    let mut runs: Vec<(char, usize)> = Vec::new();
    for c in text.chars() {
        match runs.last_mut() {
            Some((last, count)) if *last == c => *count += 1,
            _ => runs.push((c, 1)),
        }
    }
    runs
}

/// The part of a text that is read.
pub(super) fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(Limits::default().post_text_bytes)]
}

pub(super) fn in_any(pattern: &TextPattern, stretches: &[Stretch]) -> bool {
    stretches.iter().any(|stretch| stretch.matches(pattern))
}

/// A pattern for links, its escapes resolved.
pub(super) fn decoded(pattern: &TextPattern) -> TextPattern {
    TextPattern { text: links::decoded(&pattern.text), ..pattern.clone() }
}

/// What a text atom reads: warning and text; in dialect `x` also links, and the same of the quoted post.
pub(super) fn stretches(reading: &Reading<'_>) -> Vec<Stretch> {
    let mut all = Vec::new();
    for post in reading.posts() {
        all.extend(post.warning.iter().map(|warning| Stretch::of(warning, &[])));
        all.push(Stretch::of(&post.text, &link_spans(post)));
        if reading.dialect == Dialect::X {
            all.extend(links::targets(post).iter().map(|target| Stretch::link(target)));
        }
    }
    all
}

/// Where links stand: a span is none when what stands there looks like none and is not the link either.
fn link_spans(post: &Post) -> Vec<Span> {
    let others = post.entities.other_links.iter().map(|span| (*span, ""));
    let own = post.entities.links.iter().filter_map(|link| Some((link.span?, link.url.as_str())));
    own.chain(others).filter(|(span, url)| is_link(&post.text, *span, url)).map(|(span, _)| span).collect()
}

fn is_link(text: &str, span: Span, url: &str) -> bool {
    let Some(there) = text.get(span.start as usize..) else { return false };
    ["http", "pic.", url].into_iter().any(|start| !start.is_empty() && there.starts_with(start))
}

/// What an operator on words reads.
pub(super) fn field(field: WordField, reading: &Reading<'_>) -> Vec<Stretch> {
    let (author, content) = (&reading.act.author, reading.content);
    let one = |text: &Option<String>| text.iter().map(|text| Stretch::of(text, &[])).collect();
    let links = &content.entities.links;
    match field {
        WordField::Bio => {
            let bio = author.bio.as_deref().unwrap_or_default();
            let links = author.bio_links.iter().filter_map(|link| Some((link.span?, link.url.as_str())));
            let links = links.filter(|(span, url)| is_link(bio, *span, url));
            let spans: Vec<Span> = links.map(|(span, _)| span).collect();
            vec![Stretch::of(bio, &spans)]
        }
        WordField::BioName => one(&author.name),
        WordField::BioLocation => one(&author.location),
        WordField::Url => {
            let targets = reading.posts().into_iter().flat_map(links::targets);
            targets.map(|target| Stretch::link(&target)).collect()
        }
        WordField::UrlTitle => {
            links.iter().flat_map(|link| &link.title).map(|text| Stretch::of(text, &[])).collect()
        }
        WordField::UrlDescription => {
            links.iter().flat_map(|link| &link.description).map(|text| Stretch::of(text, &[])).collect()
        }
        WordField::Alt => {
            let media = &content.entities.media;
            media.iter().flat_map(|medium| &medium.alt).map(|text| Stretch::of(text, &[])).collect()
        }
        WordField::Warning => one(&content.warning),
        WordField::Source => one(&reading.act.source),
    }
}

/// Whole values: folded, the accents of the filter's decide.
pub(super) fn same_value(wanted: &str, found: &str, prefix: bool) -> bool {
    Folds::of_value(found).is(&Folds::of_value(wanted), prefix)
}

/// Grapheme clusters of the post's own text.
pub(super) fn length(post: &Post) -> f64 {
    counts::length(head(&post.text), &link_spans(post))
}

/// Emoji in the post's own text.
pub(super) fn emoji(post: &Post) -> f64 {
    counts::emoji(head(&post.text), &link_spans(post))
}

/// Capitals of the post's own text, in per cent of its letters.
pub(super) fn caps(post: &Post) -> f64 {
    let mentions: Vec<Span> = post.entities.mentions.iter().filter_map(|mention| mention.span).collect();
    counts::caps(head(&post.text), &link_spans(post), &mentions)
}
