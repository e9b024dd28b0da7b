//! The general path: steps b to e of the text model for any text, one character after the other.
//!
//! [`walk`] goes over a stretch by grapheme clusters of the original, cuts out emoji, drops what is ignorable,
//! sets apart the symbols that stand apart, and folds the rest in *chunks*: a chunk starts where nothing before
//! it changes how it is normalized, so the fold of the whole is that of its chunks, and each folded character
//! knows the bytes it came of. Each character is visited a fixed number of times.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::flags::{APART, BOUNDARY, CLASS_CHARACTER, CLASS_CLUSTER, CLASS_WORD, EMOJI, IGNORABLE};
use super::tables::{class, entry, mapping};
use crate::Span;

/// Which of the steps are taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    /// b: emoji sequences are units of their own.
    pub emoji: bool,
    /// d: symbols of several characters stand apart.
    pub apart: bool,
    /// e: case folding after NFKC.
    pub case: bool,
}

/// What [`walk`] finds, in order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    /// A folded character.
    Char(char, Span),
    /// A separation, with no character of its own.
    Gap(Span),
    /// An emoji sequence, as it stands in the text.
    Emoji(&'a str, Span),
}

/// A folded character with the bytes of the original that it came of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub c: char,
    pub span: Span,
}

/// Text that is normalized together, not yet folded.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    raw: String,
    span: Span,
}

impl Chunk {
    fn add(&mut self, c: char, span: Span) {
        self.span = if self.raw.is_empty() { span } else { self.span.to(span) };
        self.raw.push(c);
    }

    fn finish(&mut self, case: bool, on: &mut impl FnMut(Found<'_>)) {
        let mut alone = self.raw.chars();
        if let (Some(c), None) = (alone.next(), alone.next())
            && folds_to_itself(c)
        {
            on(Found::Char(c, self.span));
            self.raw.clear();
            return;
        }
        let mut chars = self.raw.chars();
        // Compatibility jamo stay as they are.
        if let Some(jamo @ '\u{3131}'..='\u{318e}') = self.raw.chars().next() {
            on(Found::Char(jamo, self.span));
            chars.next();
        }
        let normal = chars.as_str().nfkc();
        let span = self.span;
        let on = |c| on(Found::Char(c, span));
        if case {
            let dotless = |c| if c == 'İ' { 'i' } else { c };
            normal.map(dotless).default_case_fold().nfkc().for_each(on);
        } else {
            normal.for_each(on);
        }
        self.raw.clear();
    }
}

/// Takes `steps` on `text[start..end]`. `continues` says that a character other than a control stands before
/// it, so that a skin tone there starts nothing.
pub(super) fn walk(
    text: &str,
    (start, end): (usize, usize),
    continues: bool,
    steps: Steps,
    chunk: &mut Chunk,
    on: &mut impl FnMut(Found<'_>),
) {
    chunk.raw.clear();
    let bytes = &text.as_bytes()[..end];
    let is_ascii = |at: usize| bytes.get(at).is_none_or(u8::is_ascii);
    let mut at = start;
    while at < end {
        // ASCII before ASCII folds by itself; no cluster ends between that would not end there anyway.
        while at < end && is_ascii(at) && is_ascii(at + 1) {
            let c = char::from(if steps.case { bytes[at].to_ascii_lowercase() } else { bytes[at] });
            on(Found::Char(c, Span::from(at..at + 1)));
            at += 1;
        }
        let rest = at;
        while at < end && !(is_ascii(at) && is_ascii(at + 1)) {
            at += 1;
        }
        let continues = if rest > start { !bytes[rest - 1].is_ascii_control() } else { continues };
        walk_clusters(text, (rest, at), continues, steps, chunk, on);
    }
}

/// The same by grapheme clusters, whatever stands there.
fn walk_clusters(
    text: &str,
    (start, end): (usize, usize),
    continues: bool,
    steps: Steps,
    chunk: &mut Chunk,
    on: &mut impl FnMut(Found<'_>),
) {
    for (at, cluster) in text[start..end].grapheme_indices(true) {
        let at = start + at;
        let span = Span::from(at..at + cluster.len());
        let attached = at == start && continues && cluster.starts_with(is_skin_tone);
        if steps.emoji && !attached && is_emoji(cluster) {
            chunk.finish(steps.case, on);
            on(Found::Emoji(cluster, span));
            continue;
        }
        for (offset, c) in cluster.char_indices() {
            let flags = entry(c);
            let span = Span::from(at + offset..at + offset + c.len_utf8());
            if flags & IGNORABLE != 0 {
                continue;
            }
            if steps.apart && flags & APART != 0 {
                chunk.finish(steps.case, on);
                on(Found::Gap(span));
                if std::iter::once(c).nfkc().next() != Some(' ') {
                    chunk.add(c, span);
                    chunk.finish(steps.case, on);
                }
                on(Found::Gap(span));
                continue;
            }
            if flags & BOUNDARY != 0 {
                chunk.finish(steps.case, on);
            }
            chunk.add(c, span);
        }
    }
    chunk.finish(steps.case, on);
}

/// Whether the table knows a letter or number, alone, to be what it folds to.
pub(super) fn folds_to_itself(c: char) -> bool {
    let entry = entry(c);
    let letter = matches!(class(entry), CLASS_WORD | CLASS_CHARACTER | CLASS_CLUSTER);
    letter && mapping(entry).is_none()
}

/// Whether a grapheme cluster is an emoji sequence.
pub(super) fn is_emoji(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    match chars.next() {
        Some('0'..='9' | '#' | '*') => is_keycap(chars.as_str()),
        Some(c) => entry(c) & EMOJI != 0,
        None => false,
    }
}

/// Whether what stands behind a digit, `#` or `*` makes a keycap of it.
pub(crate) fn is_keycap(rest: &str) -> bool {
    rest.strip_prefix('\u{fe0f}').unwrap_or(rest).starts_with('\u{20e3}')
}

/// Whether a character is one of the five skin tones.
pub(super) fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Appends an emoji sequence without variation selectors, in NFC.
pub(super) fn push_emoji(cluster: &str, out: &mut String) {
    out.extend(cluster.nfc().filter(|c| !matches!(c, '\u{fe0e}' | '\u{fe0f}')));
}

/// Appends an emoji sequence that [`push_emoji`] made, without skin tones, unless nothing were left.
pub(super) fn push_toneless(emoji: &str, out: &mut String) {
    let before = out.len();
    out.extend(emoji.chars().filter(|&c| !is_skin_tone(c)));
    if out.len() == before {
        out.push_str(emoji);
    }
}
