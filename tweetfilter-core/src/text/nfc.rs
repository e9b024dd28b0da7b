//! Canonical composition, for the one place that reads a text neither folded nor cut into tokens.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation;

use crate::Span;

/// The NFC of a text: what regexes read.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) { text.into() } else { text.nfc().collect::<String>().into() }
}

/// What a stretch of the NFC of a text stands for in the text itself: whole grapheme clusters, as for words.
pub(crate) fn span_before_nfc(text: &str, found: Range<usize>) -> Span {
    // Nothing is composed over the border of two clusters, so each is by itself.
    let (mut start, mut there) = (None, 0);
    for (own, cluster) in text.grapheme_indices(true) {
        there += nfc(cluster).len();
        if start.is_none() && found.start < there {
            start = Some(own);
        }
        if let Some(start) = start
            && found.end <= there
        {
            let end = if found.is_empty() { start } else { own + cluster.len() };
            return Span::from(start..end);
        }
    }
    Span::from(start.unwrap_or(text.len())..text.len())
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
    fn nothing_is_composed_over_the_border_of_two_clusters() {
        let composes = |c: &char| {
            canonical_combining_class(*c) != 0
                || is_nfc_quick(std::iter::once(*c)) != IsNormalized::Yes
                || std::iter::once(*c).nfd().ne(std::iter::once(*c))
        };
        for c in ('\0'..=char::MAX).filter(composes) {
            for head in ["", "a", "a\u{323}", "\n", "\u{1100}", "가", "\u{9c7}", "か"] {
                let apart: String = std::iter::once(c).nfd().collect();
                for text in [format!("{head}{c}a"), format!("{head}{apart}{c}")] {
                    let pieces: String = text.graphemes(true).map(nfc).collect();
                    assert_eq!(pieces, nfc(&text), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn places_are_whole_clusters_of_the_text_and_no_more() {
        for (text, sought, expected) in [
            ("雪か\u{3099}降る。", "が", 3..9),
            ("雪か\u{3099}降る。", "降る", 9..15),
            ("snow\u{212b}b", "Å", 4..7),
            ("snow\u{212b}b", "b", 7..8),
            ("a\u{1112}\u{1161}\u{11ab}b", "한", 1..10),
            ("x 👩\u{200d}🔬 y", "🔬", 2..13),
            ("x e\u{336} y", "e", 2..5),
            ("é e\u{301} y", "é y", 3..8),
        ] {
            let composed = nfc(text);
            let found = composed.find(sought).map(|at| at..at + sought.len()).expect("it stands there");
            assert_eq!(span_before_nfc(text, found), Span::from(expected), "{text:?} {sought:?}");
        }
        let (text, end) = ("e\u{301}a", nfc("e\u{301}a").len());
        assert_eq!(span_before_nfc(text, 0..0), Span::new(0, 0));
        assert_eq!(span_before_nfc(text, 2..2), Span::new(3, 3));
        assert_eq!(span_before_nfc(text, end..end), Span::new(4, 4));
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
