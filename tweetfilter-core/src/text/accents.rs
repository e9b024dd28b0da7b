//! Accents, token by token: which are equal both ways, which only one way.
//!
//! * [`level`] takes away what is equal both ways: ё=е; ı=i, and the dot that İ leaves; Greek tonos; Arabic
//!   harakat, tatweel, alef forms, ى/ی=ي, ک=ك; Hebrew points. Its result is a token's *folded* text.
//! * [`strip`] takes away what is one-sided: marks on Latin, the other Greek marks, ø ł đ æ œ. Its result is the
//!   *plain* text.
//! * All other marks (Indic vowel signs, Japanese voicing, й) are letters' own and stay.
//!
//! The build script shares this file; `flags` gives the properties of a code point.

use unicode_normalization::UnicodeNormalization;

/// Appends `text` (NFKC, case-folded) to `out` without what is equal both ways, in NFC.
pub fn level(text: &str, flags: impl Fn(char) -> u32, out: &mut String) {
    let mut base = '\0';
    out.extend(
        text.nfd()
            .filter_map(|c| {
                let f = flags(c);
                if f & POINT != 0 {
                    return None;
                }
                if f & MARK != 0 {
                    let equal = match c {
                        '\u{301}' => flags(base) & GREEK != 0,
                        '\u{307}' => base == 'i',
                        '\u{308}' => base == 'е',
                        '\u{653}'..='\u{655}' => base == ALEF,
                        _ => false,
                    };
                    return (!equal).then_some(c);
                }
                base = match c {
                    'ı' => 'i',
                    '\u{671}'..='\u{673}' => ALEF,
                    '\u{649}' | '\u{6cc}' => '\u{64a}',
                    '\u{6a9}' => '\u{643}',
                    c => c,
                };
                Some(base)
            })
            .nfc(),
    );
}

/// Appends `text`, as [`level`] leaves it, to `out` without one-sided accents, in NFC.
pub fn strip(text: &str, flags: impl Fn(char) -> u32, out: &mut String) {
    let mut accents_go = false;
    out.extend(
        text.nfd()
            .flat_map(|c| {
                let f = flags(c);
                if f & MARK != 0 {
                    let gone = accents_go && f & ACCENT != 0;
                    return [(!gone).then_some(c), None];
                }
                accents_go = f & (LATIN | GREEK) != 0;
                match c {
                    'ø' => [Some('o'), None],
                    'ł' => [Some('l'), None],
                    'đ' => [Some('d'), None],
                    'æ' => [Some('a'), Some('e')],
                    'œ' => [Some('o'), Some('e')],
                    c => [Some(c), None],
                }
            })
            .flatten()
            .nfc(),
    );
}

const ALEF: char = '\u{627}';

use super::flags::{ACCENT, GREEK, LATIN, MARK, POINT};
