//! Hostile texts cost no more a character than kind ones, counted in looks at characters.

use super::tables::LOOKUPS;
use super::{Needle, Origin, Searchable, Tokens, exact, fold_for_search, fold_value, pattern, tokenize};

/// What is repeated, each of which has been quadratic in somebody's text library.
const HOSTILE: [&str; 16] = [
    "\u{301}",
    "a\u{301}",
    "\u{323}\u{301}",
    "👩\u{200d}",
    "🏿",
    "🇩",
    "#\u{fe0f}",
    "น้ำ",
    "\u{e49}\u{e38}",
    "क्",
    "\u{600}",
    "ـ",
    "\u{fdfa}",
    "http://",
    "字\u{200d}",
    "½",
];

fn looks(text: &str) -> usize {
    LOOKUPS.set(0);
    let mut tokens = Tokens::default();
    tokenize(text, Origin::Post(&[]), &mut tokens);
    if let Some(token) = tokens.get(0) {
        let _ = exact(&text[token.span.range()], token);
    }
    let mut folded = Searchable::default();
    fold_for_search(text, Origin::Post(&[]), &mut folded);
    let _ = folded.find(&Needle::new("a\u{301}b"));
    let _ = (fold_value(text), pattern(text, true));
    LOOKUPS.get()
}

#[test]
fn ten_times_the_text_costs_ten_times_the_looks() {
    for part in HOSTILE {
        for head in ["", "a", "👩"] {
            let text = |count: usize| head.to_owned() + &part.repeat(count);
            let (small, large) = (looks(&text(1_000)), looks(&text(10_000)));
            assert!(large <= 11 * small, "{head:?} and {part:?}: {small} looks, then {large}");
            // One ligature makes four words of eighteen letters.
            assert!(large <= 1_000 * 10_000, "{part:?}: {large} looks");
        }
    }
}
