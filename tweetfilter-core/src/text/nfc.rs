//! Canonical composition, for the one place that reads a text neither folded nor cut into tokens.

use std::borrow::Cow;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The NFC of a text: what regexes read.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) { text.into() } else { text.nfc().collect::<String>().into() }
}

/// The quick check of UAX #15, which may say no of a text that is composed.
fn is_nfc(text: &str) -> bool {
    let mut last = 0;
    text.chars().all(|c| {
        let class = if is_inert(c) { 0 } else { canonical_combining_class(c) };
        let ordered = class == 0 || last <= class;
        last = class;
        ordered && (is_inert(c) || is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes)
    })
}

/// Whether NFC leaves a character alone whatever stands beside it: the common blocks of which that is so.
#[inline]
fn is_inert(c: char) -> bool {
    matches!(c,
        '\0'..='\u{2ff}'
        | '\u{400}'..='\u{482}'
        | '\u{620}'..='\u{64a}'
        | '\u{904}'..='\u{93b}'
        | '\u{93e}'..='\u{94c}'
        | '\u{e01}'..='\u{e37}'
        | '\u{e3f}'..='\u{e47}'
        | '\u{2010}'..='\u{205f}'
        | '\u{3000}'..='\u{3029}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a0}'..='\u{3130}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{fe0e}'..='\u{fe0f}'
        | '\u{ff00}'..='\u{ffef}'
        | '\u{1f300}'..='\u{1faff}')
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
    fn inert_characters_are_starters_that_compose_with_nothing_before_them() {
        for c in ('\0'..=char::MAX).filter(|c| is_inert(*c)) {
            let inert =
                is_nfc_quick([c].into_iter()) == IsNormalized::Yes && canonical_combining_class(c) == 0;
            assert!(inert, "{c:?}");
        }
    }
}
