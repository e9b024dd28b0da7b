//! The one place where Unicode's data comes in, all of one version.
//!
//! The build script makes a two-stage table with one entry a code point (see [`super::flags`]) from
//! `regex-syntax` (properties), `unicode-normalization`, `caseless` and `unicode-security`. Text that needs
//! composition or grapheme clusters goes through those crates at run time, of the same version.

use super::flags::{CLASS_MASK, CLASS_SHIFT, MAPPING_SHIFT};

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The Unicode version of everything in [`crate::text`]: that of the `regex` that runs beside it.
pub const UNICODE_VERSION: (u64, u64, u64) = REGEX_VERSION;

/// Properties, class and mapping of a code point.
#[inline]
pub(super) fn entry(c: char) -> u32 {
    #[cfg(test)]
    LOOKUPS.set(LOOKUPS.get() + 1);
    let c = c as usize;
    let block = STAGE1.get(c >> 6).copied().unwrap_or_default() as usize;
    STAGE2.get(block << 6 | c & 63).copied().unwrap_or_default()
}

/// The class in an entry.
#[inline]
pub(super) const fn class(entry: u32) -> u32 {
    entry >> CLASS_SHIFT & CLASS_MASK
}

/// What a character folds to, with and without one-sided accents; `None` if to itself.
#[inline]
pub(super) fn mapping(entry: u32) -> Option<(&'static str, &'static str)> {
    match (entry >> MAPPING_SHIFT) as usize {
        0 => None,
        n => MAPPINGS.get(n).copied(),
    }
}

/// The letter that a letter is mistaken for (UTS 39), or itself.
pub(super) fn confusable(c: char) -> char {
    CONFUSABLES.binary_search_by_key(&c, |&(from, _)| from).map_or(c, |i| CONFUSABLES[i].1)
}

#[cfg(test)]
thread_local! {
    /// How often a character was looked at: what tests count instead of time.
    pub(super) static LOOKUPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::UNICODE_VERSION;

    #[test]
    fn all_crates_carry_one_unicode_version() {
        let small = |(a, b, c): (u8, u8, u8)| (u64::from(a), u64::from(b), u64::from(c));
        assert_eq!(small(unicode_normalization::UNICODE_VERSION), UNICODE_VERSION);
        assert_eq!(unicode_segmentation::UNICODE_VERSION, UNICODE_VERSION);
        assert_eq!(unicode_security::UNICODE_VERSION, UNICODE_VERSION);
        assert_eq!(unicode_script::UNICODE_VERSION, UNICODE_VERSION);
        assert_eq!(caseless::UNICODE_VERSION, UNICODE_VERSION);
    }
}
