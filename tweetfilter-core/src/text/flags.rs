//! What the tables say of a code point: one `u32`, its low half properties, its high half the scanner's class.
//!
//! The build script, which makes the tables, shares this file; it uses nothing of the crate.

/// General category L.
pub const LETTER: u32 = 1;
/// General category M.
pub const MARK: u32 = 1 << 1;
/// General category N.
pub const NUMBER: u32 = 1 << 2;
/// Lu or Lt.
pub const UPPER: u32 = 1 << 3;
/// Ll.
pub const LOWER: u32 = 1 << 4;
/// White_Space.
pub const SPACE: u32 = 1 << 5;
/// Default_Ignorable_Code_Point: dropped outside emoji.
pub const IGNORABLE: u32 = 1 << 6;
/// Category S or No with an NFKC of several characters: stands apart from its neighbors.
pub const APART: u32 = 1 << 7;
/// Emoji=Yes without `0-9#*`; a grapheme cluster that starts with one is a token.
pub const EMOJI: u32 = 1 << 8;
/// Letter or number of Han, Hiragana, Katakana or Hangul: a token of its own.
pub const CHARACTER: u32 = 1 << 9;
/// Letter, mark or number of Thai, Lao, Khmer or Myanmar: its grapheme clusters are tokens.
pub const CLUSTER: u32 = 1 << 10;
/// Latin letter.
pub const LATIN: u32 = 1 << 11;
/// Greek letter.
pub const GREEK: u32 = 1 << 12;
/// A mark that is a one-sided accent on a Latin or Greek letter.
pub const ACCENT: u32 = 1 << 13;
/// Arabic harakat and tatweel, Hebrew points: equal to nothing at all, both ways.
pub const POINT: u32 = 1 << 14;
/// Nothing before this character changes how it and what follows is normalized.
pub const BOUNDARY: u32 = 1 << 15;

/// Letters, marks and numbers make words.
pub const WORD: u32 = LETTER | MARK | NUMBER;

/// Where the scanner's class stands in an entry.
pub const CLASS_SHIFT: u32 = 16;
/// How many bits it has.
pub const CLASS_MASK: u32 = 7;
/// Where the number of the mapping stands (0: folds to itself), or a mark's combining class.
pub const MAPPING_SHIFT: u32 = 19;

/// Only separates.
pub const CLASS_SEPARATOR: u32 = 0;
/// Stands in a word; folds to itself or to its mapping, whatever its neighbors.
pub const CLASS_WORD: u32 = 1;
/// A token of its own, with following marks.
pub const CLASS_CHARACTER: u32 = 2;
/// Starts a grapheme cluster that is a token.
pub const CLASS_CLUSTER: u32 = 3;
/// A mark that neither composes nor is an accent.
pub const CLASS_MARK: u32 = 4;
/// [`POINT`]s: part of the token, not of its text.
pub const CLASS_POINT: u32 = 5;
/// Starts an emoji sequence where a grapheme cluster starts.
pub const CLASS_EMOJI: u32 = 6;
/// Only the general path knows; with a mapping: Thai and Lao AM, a mark for the token before and the letter of
/// the next.
pub const CLASS_GENERAL: u32 = 7;
