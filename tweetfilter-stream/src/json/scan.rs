//! Finding the ends of strings and values, many bytes at a time.

use wide::u8x16;

/// The first quote or backslash at or after a place.
#[inline]
pub(super) fn quote_or_backslash(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some((chunk, _)) = bytes.get(at..)?.split_first_chunk::<16>() {
        let chunk = u8x16::from(*chunk);
        let found = (chunk.simd_eq(u8x16::splat(b'"')) | chunk.simd_eq(u8x16::splat(b'\\'))).to_bitmask();
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize);
        }
        at += 16;
    }
    bytes[at..].iter().position(|&b| b == b'"' || b == b'\\').map(|n| at + n)
}

/// The end of a string: the place of its closing quote, and whether it has escapes. `at` is past the opening
/// quote.
#[inline]
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let end = quote_or_backslash(bytes, at)?;
    if bytes[end] == b'"' {
        Some((end, false))
    } else {
        escaped_string_end(bytes, end).map(|end| (end, true))
    }
}

/// The first backslash at or after a place.
#[inline]
pub(super) fn backslash(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some((chunk, _)) = bytes.get(at..)?.split_first_chunk::<16>() {
        let found = u8x16::from(*chunk).simd_eq(u8x16::splat(b'\\')).to_bitmask();
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize);
        }
        at += 16;
    }
    bytes[at..].iter().position(|&b| b == b'\\').map(|n| at + n)
}

/// The closing quote of a string with escapes, at or after a place outside of them.
fn escaped_string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    // In other scripts each character is an escape, so they are not looked at one by one.
    let mut escaped = 0;
    while let Some((block, _)) = bytes.get(at..)?.split_first_chunk::<64>() {
        let (quotes, backslashes) = quotes_and_backslashes(block);
        let ends = quotes & !escapes(backslashes, &mut escaped);
        if ends != 0 {
            return Some(at + ends.trailing_zeros() as usize);
        }
        at += 64;
    }
    at += escaped as usize;
    loop {
        at = quote_or_backslash(bytes, at)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        // A backslash takes the next character with it.
        at += 2;
    }
}

/// Where in 64 bytes quotes and backslashes stand.
#[inline]
fn quotes_and_backslashes(block: &[u8; 64]) -> (u64, u64) {
    let (mut quotes, mut backslashes) = (0, 0);
    let (quarters, _) = block.as_chunks::<16>();
    for (n, quarter) in quarters.iter().enumerate() {
        let bytes = u8x16::from(*quarter);
        let mask = |byte: u8| u64::from(bytes.simd_eq(u8x16::splat(byte)).to_bitmask()) << (16 * n);
        quotes |= mask(b'"');
        backslashes |= mask(b'\\');
    }
    (quotes, backslashes)
}

/// The place past the bracket that closes an array or object. `at` is past its opening bracket.
///
/// Each bracket must be closed by one of its own kind; `None` if one is not, or if the text ends before.
pub(super) fn container_end(bytes: &[u8], opening: u8, mut at: usize) -> Option<usize> {
    let mut open = Open::new(opening);
    // Whether the block before ended in a string, and whether in it with an unfinished escape; as masks.
    let (mut in_string, mut escaped) = (0_u64, 0_u64);
    let mut last = [b' '; 64];
    loop {
        let rest = bytes.get(at..)?;
        let block = match rest.first_chunk::<64>() {
            Some(block) => block,
            None if rest.is_empty() => return None,
            None => {
                last[..rest.len()].copy_from_slice(rest);
                &last
            }
        };
        let masks = Masks::of(block);
        let quotes = masks.quotes & !escapes(masks.backslashes, &mut escaped);
        // Each bit tells whether an odd number of quotes stands up to and at its place.
        let strings = prefix_xor(quotes) ^ in_string;
        in_string = ((strings as i64) >> 63) as u64;
        let mut brackets = (masks.opens | masks.closes) & !strings;
        while brackets != 0 {
            let place = brackets.trailing_zeros() as usize;
            if masks.opens >> place & 1 == 1 {
                open.push(block[place]);
            } else {
                open.pop(block[place])?;
                if open.depth == 0 {
                    return Some(at + place + 1);
                }
            }
            brackets &= brackets - 1;
        }
        at += 64;
    }
}

/// The brackets that are open: their kinds, of the innermost 64.
struct Open {
    depth: usize,
    /// A bit for each, the innermost last: it is curly.
    kinds: u64,
    /// So many of the outermost have lost their bit.
    lost: usize,
}

impl Open {
    fn new(opening: u8) -> Self {
        Self { depth: 1, kinds: Self::kind(opening), lost: 0 }
    }

    /// `{` and `}` have the bit that `[` and `]` lack.
    #[inline]
    fn kind(bracket: u8) -> u64 {
        u64::from(bracket >> 5 & 1)
    }

    #[inline]
    fn push(&mut self, bracket: u8) {
        self.depth += 1;
        self.kinds = self.kinds << 1 | Self::kind(bracket);
        self.lost = self.lost.max(self.depth.saturating_sub(64));
    }

    /// `None` if the innermost bracket is of the other kind.
    #[inline]
    fn pop(&mut self, bracket: u8) -> Option<()> {
        if self.kinds & 1 != Self::kind(bracket) && self.depth > self.lost {
            return None;
        }
        self.depth -= 1;
        self.kinds >>= 1;
        self.lost = self.lost.min(self.depth);
        Some(())
    }
}

/// Which of 64 bytes are what.
struct Masks {
    quotes: u64,
    backslashes: u64,
    opens: u64,
    closes: u64,
}

impl Masks {
    #[inline]
    fn of(block: &[u8; 64]) -> Self {
        let mut masks = Self { quotes: 0, backslashes: 0, opens: 0, closes: 0 };
        let (quarters, _) = block.as_chunks::<16>();
        for (n, quarter) in quarters.iter().enumerate() {
            let bytes = u8x16::from(*quarter);
            // `[` and `{`, `]` and `}` differ in this bit alone, and no other character has these with it.
            let folded = bytes | u8x16::splat(0x20);
            let mask =
                |of: u8x16, byte: u8| u64::from(of.simd_eq(u8x16::splat(byte)).to_bitmask()) << (16 * n);
            masks.quotes |= mask(bytes, b'"');
            masks.backslashes |= mask(bytes, b'\\');
            masks.opens |= mask(folded, b'{');
            masks.closes |= mask(folded, b'}');
        }
        masks
    }
}

/// The places that a backslash before them escapes. `carry` tells of one at the end of the block before.
#[inline]
fn escapes(backslashes: u64, carry: &mut u64) -> u64 {
    /// Every second place.
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    if backslashes == 0 {
        return std::mem::take(carry);
    }
    let open = backslashes & !*carry;
    // In a row of backslashes every second one escapes, counted from where the row begins. To take a row from a number whose
    // bits alternate flips all bits of it that are counted so, wherever it begins.
    let escaping = ((open << 1) | ODD).wrapping_sub(open) ^ ODD;
    let escaped = escaping ^ (backslashes | *carry);
    *carry = (escaping & backslashes) >> 63;
    escaped
}

/// Bit n of the result is the parity of the bits up to and including n.
#[inline]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Whether a byte ends a number or literal.
#[inline]
pub(super) fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::{container_end, string_end};

    /// One byte at a time.
    fn slow_container_end(bytes: &[u8], opening: u8, mut at: usize) -> Option<usize> {
        let (mut open, mut in_string) = (vec![opening], false);
        while let Some(&b) = bytes.get(at) {
            match b {
                b'\\' if in_string => at += 1,
                b'"' => in_string = !in_string,
                b'[' | b'{' if !in_string => open.push(b),
                // Each closing bracket is two behind its opening one.
                b']' | b'}' if !in_string && open.pop() != Some(b - 2) => return None,
                _ => {}
            }
            at += 1;
            if open.is_empty() {
                return Some(at);
            }
        }
        None
    }

    proptest::proptest! {
        #[test]
        fn ends_are_where_the_slow_way_finds_them(
            text in proptest::collection::vec(proptest::sample::select(&b"{}[]\"\"\\\\ab,:1 "[..]), 0..300),
        ) {
            // Outside of strings a backslash is no JSON; both ways may differ there.
            let text = outside_cleared(text);
            for opening in *b"[{" {
                proptest::prop_assert_eq!(
                    container_end(&text, opening, 0),
                    slow_container_end(&text, opening, 0)
                );
            }
        }
    }

    #[test]
    fn brackets_are_closed_by_their_own_kind() {
        for (text, end) in
            [("1]", Some(2)), ("1}", None), ("{]}]", None), ("{}]", Some(3)), ("[{}]]", Some(5))]
        {
            assert_eq!(container_end(text.as_bytes(), b'[', 0), end, "{text}");
        }
        for depth in [3, 63, 64, 65, 200] {
            let inner = "{".repeat(depth) + &"}".repeat(depth);
            assert_eq!(container_end(format!("{inner}]").as_bytes(), b'[', 0), Some(2 * depth + 1));
            let wrong = "{".repeat(depth) + "]";
            assert_eq!(container_end(wrong.as_bytes(), b'[', 0), None, "{depth}");
        }
    }

    fn outside_cleared(mut text: Vec<u8>) -> Vec<u8> {
        let (mut in_string, mut at) = (false, 0);
        while at < text.len() {
            match text[at] {
                b'\\' if in_string => at += 1,
                b'\\' => text[at] = b' ',
                b'"' => in_string = !in_string,
                _ => {}
            }
            at += 1;
        }
        text
    }

    #[test]
    fn strings_end() {
        assert_eq!(string_end(br#"a"x"#, 0), Some((1, false)));
        assert_eq!(string_end(br#"a\"b\\"x"#, 0), Some((6, true)));
        assert_eq!(string_end(br#"a\"#, 0), None);
        assert_eq!(string_end(br#"a"#, 0), None);
        assert_eq!(string_end(b"", 0), None);
        for length in 0..200 {
            let plain = "a".repeat(length);
            for (escapes, end) in [("", 0), ("\\\"", 2), ("\\\\", 2), ("\\\\\\\"\\n", 6), ("\\\\\\\\", 4)] {
                let text = format!("{plain}{escapes}{plain}\" \"");
                let found = string_end(text.as_bytes(), 0);
                assert_eq!(found, Some((2 * length + end, end > 0)), "{text}");
            }
        }
        assert_eq!(string_end(br#"0123456789abcdef0123\u0041" "#, 0), Some((26, true)));
    }
}
