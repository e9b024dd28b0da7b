//! Canonical composition, for the one place that reads a text neither folded nor cut into tokens.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::Span;

/// The NFC of a text: what regexes read.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) { text.into() } else { text.nfc().collect::<String>().into() }
}

/// What a stretch of the NFC of a text stands for in the text itself, to the borders of what is composed together.
pub(crate) fn span_before_nfc(text: &str, composed: &str, found: Range<usize>) -> Span {
    if text == composed {
        return Span::from(found);
    }
    // No character is composed with an ASCII one behind it: what lies between two of them is composed by itself.
    let (mut own, mut there) = (0, 0);
    let mut span = None;
    while own < text.len() {
        let next = text[own..].char_indices().skip(1).find(|(_, c)| c.is_ascii());
        let end = next.map_or(text.len(), |(at, _)| own + at);
        let piece = &text[own..end];
        let length = nfc(piece).len();
        let exact = length == piece.len() && composed[there..there + length] == *piece;
        let within = |at: usize, outer: usize| if exact { own + (at - there) } else { outer };
        if span.is_none() && found.start < there + length {
            span = Some((within(found.start, own), end));
        }
        if let Some((start, _)) = span
            && found.end <= there + length
        {
            return Span::from(start..within(found.end, end).max(start));
        }
        (own, there) = (end, there + length);
    }
    let (start, end) = span.unwrap_or((text.len(), text.len()));
    Span::from(start..end)
}

/// The quick check of UAX #15, which may say no of a text that is composed.
fn is_nfc(text: &str) -> bool {
    let mut last = 0;
    text.chars().all(|c| {
        if is_inert(c) {
            last = 0;
            return true;
        }
        let class = canonical_combining_class(c);
        let ordered = class == 0 || last <= class;
        last = class;
        ordered && is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes
    })
}

/// Characters that NFC leaves alone whatever stands beside them: the common blocks of which that is so.
const INERT: [(char, char); 16] = [
    ('\0', '\u{2ff}'),
    ('\u{400}', '\u{482}'),
    ('\u{620}', '\u{64a}'),
    ('\u{904}', '\u{93b}'),
    ('\u{93e}', '\u{94c}'),
    ('\u{e01}', '\u{e37}'),
    ('\u{e3f}', '\u{e47}'),
    ('\u{2010}', '\u{205f}'),
    ('\u{3000}', '\u{3029}'),
    ('\u{3041}', '\u{3096}'),
    ('\u{30a0}', '\u{3130}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{fe0e}', '\u{fe0f}'),
    ('\u{ff00}', '\u{ffef}'),
    ('\u{1f300}', '\u{1faff}'),
];

/// A bit for each code point below, so that no script costs more than another.
static INERT_BITS: [u64; 0x1_fb00 / 64] = {
    let mut bits = [0; 0x1_fb00 / 64];
    let mut range = 0;
    while range < INERT.len() {
        let (mut code, last) = (INERT[range].0 as usize, INERT[range].1 as usize);
        while code <= last {
            bits[code / 64] |= 1 << (code % 64);
            code += 1;
        }
        range += 1;
    }
    bits
};

#[inline]
fn is_inert(c: char) -> bool {
    let code = c as usize;
    INERT_BITS.get(code / 64).is_some_and(|bits| bits >> (code % 64) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_quick_check_is_that_of_the_annex(text in "[a-zé\u{300}\u{301}\u{323}\u{338}가-각\u{11a8}가\u{94d}\u{93c}क\u{e38}\u{e48}ก]{0,8}") {
            prop_assert_eq!(is_nfc(&text), is_nfc_quick(text.chars()) == IsNormalized::Yes);
        }
    }

    #[test]
    fn the_bits_are_those_of_the_ranges() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_inert(c), INERT.iter().any(|(first, last)| (*first..=*last).contains(&c)), "{c:?}");
        }
    }

    #[test]
    fn inert_characters_are_starters_that_compose_with_nothing_before_them() {
        for c in ('\0'..=char::MAX).filter(|c| is_inert(*c)) {
            let inert =
                is_nfc_quick([c].into_iter()) == IsNormalized::Yes && canonical_combining_class(c) == 0;
            assert!(inert, "{c:?}");
        }
    }
}
