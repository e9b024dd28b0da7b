//! Places in a text, counted as JavaScript does too.

use serde::Serialize;
use tweetfilter_core::Span;
use utoipa::ToSchema;

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Place {
    /// First byte of the UTF-8 text.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// The same, counted in UTF-16 code units, as JavaScript does.
    pub utf16: (u32, u32),
}

/// Bytes between two places of which it is known how many code units stand before them.
const BLOCK: usize = 256;

/// The places of a text, which is read once: an answer may name thousands of them.
pub(super) struct Places<'t> {
    text: &'t str,
    /// Code units before each block, and before the end.
    before: Vec<u32>,
}

impl<'t> Places<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let (mut sum, mut before) = (0, vec![0]);
        for block in text.as_bytes().chunks(BLOCK) {
            sum += units(block);
            before.push(sum);
        }
        Self { text, before }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// Where a span of the text is.
    pub(super) fn at(&self, span: Span) -> Place {
        Place { start: span.start, end: span.end, utf16: (self.utf16(span.start), self.utf16(span.end)) }
    }

    /// Code units before a byte; what is no place of the text counts as its end.
    fn utf16(&self, at: u32) -> u32 {
        let at = at as usize;
        let at = if self.text.is_char_boundary(at) { at } else { self.text.len() };
        let block = at / BLOCK;
        let begun = self.text.as_bytes().get(block * BLOCK..at).unwrap_or_default();
        self.before.get(block).copied().unwrap_or_default() + units(begun)
    }
}

/// Code units of characters by their first bytes: four bytes are a pair of surrogates.
fn units(bytes: &[u8]) -> u32 {
    let of_byte = |byte: &u8| -> u32 {
        match *byte {
            0x80..=0xbf => 0,
            0xf0.. => 2,
            _ => 1,
        }
    };
    bytes.iter().map(of_byte).sum()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn places_are_counted_as_javascript_does() {
        for text in
            ["", "snow", "é 東京 \u{1f600} snow", &"é\u{1f600}a東".repeat(200), &"a".repeat(2 * BLOCK)]
        {
            let places = Places::of(text);
            for at in 0..text.len() + 2 {
                let before = text.get(..at).unwrap_or(text).encode_utf16().count();
                let at = u32::try_from(at).unwrap();
                assert_eq!(places.at(Span::new(at, at)).utf16, (before as u32, before as u32), "{at}");
            }
        }
    }

    #[test]
    fn many_places_of_a_long_text_take_no_time() {
        let text = "w1234 OR ".repeat(7_000);
        let takes = |_| {
            let begun = Instant::now();
            let places = Places::of(&text);
            let last = (0..60_000).map(|at| places.at(Span::new(at, at + 1)).utf16.1).max();
            assert_eq!(last, Some(60_000));
            begun.elapsed()
        };
        // A busy machine may hold up one of them.
        assert!((0..3).map(takes).any(|took| took < Duration::from_secs(2)));
    }
}
