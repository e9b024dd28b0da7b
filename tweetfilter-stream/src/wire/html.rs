//! Character references in the text of tweets, and the way back to places in the escaped text.

use std::borrow::Cow;
use std::cell::Cell;

use tweetfilter_core::Span;

/// Replaces character references, once (`&amp;lt;` becomes `&lt;`); what is none stays.
pub(super) fn unescape(text: Cow<'_, str>) -> Cow<'_, str> {
    match memchr::memchr(b'&', text.as_bytes()) {
        None => text,
        Some(first) => {
            let mut out = String::with_capacity(text.len());
            out.push_str(&text[..first]);
            let mut rest = &text[first..];
            while !rest.is_empty() {
                let (c, length) = next(rest);
                out.push(c);
                rest = &rest[length..];
            }
            Cow::Owned(out)
        }
    }
}

/// The next character of an escaped text and the bytes that it takes there.
fn next(rest: &str) -> (char, usize) {
    if rest.starts_with('&')
        && let Some(found) = reference(rest)
    {
        return found;
    }
    rest.chars().next().map_or((char::REPLACEMENT_CHARACTER, rest.len()), |c| (c, c.len_utf8()))
}

/// The character reference at the start of a text.
pub(super) fn reference(rest: &str) -> Option<(char, usize)> {
    // The longest name or number that is read.
    let end = rest.bytes().take(12).position(|b| b == b';')?;
    let name = rest.get(1..end)?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    u32::from_str_radix(digits, 16).ok()?
                }
                None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse().ok()?,
                _ => return None,
            };
            char::from_u32(code).filter(|&c| c != '\0')?
        }
    };
    Some((c, end + 1))
}

/// Entities of one text that are sought in it, since they don't stand where they are said to, and bytes that are walked
/// over for that: those of real posts are few.
const SOUGHT: u32 = 100;
const WALKED: usize = 4 << 20;

/// Where the code points of a payload's text stand in the decoded one.
#[derive(Debug)]
pub(super) struct Offsets {
    places: Places,
    sought: Cell<u32>,
    walked: Cell<usize>,
}

#[derive(Debug)]
enum Places {
    /// ASCII without references: a code point is a byte.
    Same(u32),
    /// The byte of each code point, and the end.
    Table(Vec<u32>),
}

impl Offsets {
    fn new(places: Places) -> Self {
        Self { places, sought: Cell::new(0), walked: Cell::new(0) }
    }

    /// Whether one more entity may be sought in the text.
    pub(super) fn may_seek(&self, text: &str) -> bool {
        self.sought.set(self.sought.get().saturating_add(1));
        self.walked.set(self.walked.get().saturating_add(text.len()));
        self.sought.get() <= SOUGHT && self.walked.get() <= WALKED
    }

    /// Of an escaped text and what it decodes to.
    pub(super) fn of_escaped(escaped: &str) -> Self {
        if memchr::memchr(b'&', escaped.as_bytes()).is_none() {
            return Self::of_plain(escaped);
        }
        let mut table = Vec::with_capacity(escaped.len() + 1);
        let (mut rest, mut byte) = (escaped, 0);
        while !rest.is_empty() {
            let (c, length) = next(rest);
            // Every code point of a reference stands where its character does.
            table.extend(std::iter::repeat_n(byte, rest[..length].chars().count()));
            byte += c.len_utf8() as u32;
            rest = &rest[length..];
        }
        table.push(byte);
        Self::new(Places::Table(table))
    }

    /// Of a text that is not escaped.
    pub(super) fn of_plain(text: &str) -> Self {
        if text.is_ascii() {
            return Self::new(Places::Same(u32::try_from(text.len()).unwrap_or(u32::MAX)));
        }
        let mut table = Vec::with_capacity(text.len() + 1);
        // Every byte that does not continue a character begins one.
        table.extend((0_u32..).zip(text.bytes()).filter(|(_, b)| b & 0xC0 != 0x80).map(|(at, _)| at));
        table.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        Self::new(Places::Table(table))
    }

    /// The span between two code points, if it lies in the text and is not empty.
    pub(super) fn span(&self, start: u64, end: u64) -> Option<Span> {
        if start >= end {
            return None;
        }
        match &self.places {
            Places::Same(length) => (end <= u64::from(*length)).then(|| Span::new(start as u32, end as u32)),
            Places::Table(table) => {
                let at = |place: u64| table.get(usize::try_from(place).ok()?).copied();
                let span = Span::new(at(start)?, at(end)?);
                (span.start < span.end).then_some(span)
            }
        }
    }
}

/// The text of a snippet of mark-up, for names of clients (`<a href="…">Twitter Web Client</a>`).
pub(super) fn without_tags(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some(open) = memchr::memchr(b'<', rest.as_bytes()) {
        out.push_str(&rest[..open]);
        rest = memchr::memchr(b'>', &rest.as_bytes()[open..]).map_or("", |close| &rest[open + close + 1..]);
    }
    out.push_str(rest);
    unescape(Cow::Borrowed(out.trim())).into_owned()
}
