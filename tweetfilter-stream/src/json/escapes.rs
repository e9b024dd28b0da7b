//! Escapes in strings.

use super::reader::{Error, Result};
use super::scan::backslash;

/// Replaces the escapes of a string; `raw` is what stands between the quotes.
pub(crate) fn decode(raw: &str) -> Result<String> {
    let bytes = raw.as_bytes();
    let mut out = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(next) = backslash(bytes, at) {
        if at < next {
            out.push_str(&raw[at..next]);
        }
        at = next + 2;
        out.push(match bytes.get(at - 1) {
            Some(b'u') => {
                // Text in other scripts is one escape after the other.
                loop {
                    let Some((c, length)) = bytes.get(at..).and_then(unit) else {
                        return Err(Error::in_string("four hexadecimal digits were expected"));
                    };
                    out.push(c);
                    at += length;
                    match bytes.get(at..at + 2) {
                        Some(b"\\u") => at += 2,
                        _ => break,
                    }
                }
                continue;
            }
            Some(b'n') => '\n',
            Some(b'/') => '/',
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            _ => return Err(Error::in_string("an unknown escape in a string")),
        });
    }
    out.push_str(&raw[at..]);
    Ok(out)
}

/// That each escape of a string is one that [`decode`] knows; `raw` is what stands between the quotes.
pub(super) fn check(raw: &[u8]) -> Result<()> {
    let mut at = 0;
    while let Some(next) = backslash(raw, at) {
        at = next;
        // Text in other scripts is one escape after the other.
        while let Some([b'\\', kind, rest @ ..]) = raw.get(at..) {
            at += match kind {
                b'u' if hex(rest).is_some() => 6,
                b'u' => return Err(Error::in_string("four hexadecimal digits were expected")),
                b'n' | b'/' | b'"' | b'\\' | b'r' | b't' | b'b' | b'f' => 2,
                _ => return Err(Error::in_string("an unknown escape in a string")),
            };
        }
    }
    Ok(())
}

/// The character of `\u`, whose digits begin the bytes, and the bytes that it takes there.
#[inline]
fn unit(bytes: &[u8]) -> Option<(char, usize)> {
    let first = hex(bytes)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, 4));
    }
    if first < 0xDC00
        && let Some(second) = bytes.get(4..).and_then(|b| b.strip_prefix(b"\\u")).and_then(hex)
        && (0xDC00..0xE000).contains(&second)
    {
        let c = char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        return Some((c.unwrap_or(char::REPLACEMENT_CHARACTER), 10));
    }
    Some((char::REPLACEMENT_CHARACTER, 4))
}

/// Four hexadecimal digits.
#[inline]
fn hex(bytes: &[u8]) -> Option<u32> {
    /// The digit of a byte; 0xFF for those that are none.
    static DIGITS: [u8; 256] = {
        let mut table = [0xFF; 256];
        let mut n = 0;
        while n < 10 {
            table[b'0' as usize + n] = n as u8;
            n += 1;
        }
        let mut n = 0;
        while n < 6 {
            table[b'a' as usize + n] = 10 + n as u8;
            table[b'A' as usize + n] = 10 + n as u8;
            n += 1;
        }
        table
    };
    let digit = |byte: u8| u32::from(DIGITS[usize::from(byte)]);
    let &[a, b, c, d] = bytes.first_chunk::<4>()?;
    let [a, b, c, d] = [digit(a), digit(b), digit(c), digit(d)];
    // A byte that is no digit spoils the sum, whatever the others are.
    ((a | b | c | d) < 16).then_some(a << 12 | b << 8 | c << 4 | d)
}
