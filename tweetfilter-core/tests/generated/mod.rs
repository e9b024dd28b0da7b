//! Filters and posts out of a run of bytes, for property tests and fuzz targets: few words in many scripts, so
//! that filters and posts meet, every operator, both dialects, quotes and retweets carried or not, missing data.

#![allow(dead_code, unused_imports, reason = "fuzz targets make only whole filters and posts")]

mod filters;
mod posts;
mod values;

pub use filters::{DOMAINS, REGEXES, SETS, filter};
pub use posts::{post, text, with_text_for_each};
pub use values::value;

/// Decisions read off bytes; when they run out, always the first choice.
pub struct Choices<'b> {
    bytes: std::slice::Iter<'b, u8>,
}

impl<'b> Choices<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes: bytes.iter() }
    }

    fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    /// A number below `n`, which is at most 256.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// True once in `n` times, never when the bytes have run out.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    pub fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }
}

/// Words of filters and posts alike; many fold to the same tokens, or nearly.
pub const WORDS: &[&str] = &[
    "a",
    "b",
    "ab",
    "abc",
    "Cat",
    "cafe",
    "CAFÉ",
    "cafe\u{301}",
    "café",
    "snow",
    "SNOW",
    "snowfall",
    "Алёна",
    "АЛЕНА",
    "мой",
    "мои",
    "İstanbul",
    "istanbul",
    "ıstanbul",
    "Αθήνα",
    "ΑΘΗΝΑ",
    "ς",
    "محمد",
    "محـــمد",
    "كِتَاب",
    "کتاب",
    "שָׁלוֹם",
    "שלום",
    "東京",
    "東",
    "大阪",
    "です",
    "デス",
    "ﾃﾞｽ",
    "が",
    "か",
    "ㅋㅋ",
    "하",
    "ㅎㅏ",
    "한국",
    "กิน",
    "ก",
    "ข้าว",
    "कि",
    "क",
    "straße",
    "STRASSE",
    "ﬁsh",
    "fish",
    "naïve",
    "Søren",
    "soren",
    "æther",
    "1",
    "10",
    "101",
    "½",
    "№",
    "viagra",
    "V1AGRA",
    "vіagra",
    "viaaagra",
    "book",
    "boook",
    "bok",
    "free",
    "fr33",
    "x",
    "ǅ",
    "ᾳ",
    "ŉ",
];

/// Words of every other place in a text, so that what asks for several of them is true now and then.
pub const COMMON: &[&str] = &["a", "snow", "東京", "café"];

pub const EMOJI: &[&str] =
    &["👍", "👍🏿", "👍🏽", "👩", "👩‍🚀", "👩🏽‍🚀", "❤️", "❤", "😀", "🇳🇴", "🇸🇪", "1️⃣", "#️⃣", "*️⃣", "™", "©", "㊗"];

pub const NAMES: &[&str] =
    &["bob", "Al", "eve", "12", "345", "bob@a.example", "did:plc:x", "eve.bsky.social"];

pub const IDS: &[&str] = &["1", "2", "10", "99", "12345678901234567890123", "at://x/y", "100"];

pub const URLS: &[&str] = &[
    "https://www.example.org/snow",
    "http://example.org",
    "https://xn--bcher-kva.example/caf%C3%A9",
    "https://bücher.example/",
    "https://bob@a.b.example:80/x?snow=b#c",
    "http://a.b/%FF%zz",
    "https://t.co/abc",
    "https://b.example.org./東京",
    // Without a scheme of their own.
    "example.org/x?u=http://b.example/",
    "bücher.example?u=https://t.co/",
    "b.example:80/snow",
    // To no site.
    "mailto:ann@example.org",
];
