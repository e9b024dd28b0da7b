//! What is counted in a post's own text, and the places of links there.

use unicode_segmentation::UnicodeSegmentation;

use crate::Span;
use crate::text::{self, Origin, TokenKind, Tokens};

/// Which bytes stand in links: the known ones, and every other `http://` or `https://` run of visible ASCII.
fn linked(text: &str, known: &[Span]) -> Vec<bool> {
    let mut inside = vec![false; text.len()];
    let known: Vec<_> =
        known.iter().map(|span| span.range()).filter(|r| text.get(r.clone()).is_some()).collect();
    let mut done = 0;
    for (at, _) in text.match_indices("://") {
        let before = &text.as_bytes()[..at];
        let ends_in = |scheme: &[u8]| {
            before.len() >= scheme.len() && before[before.len() - scheme.len()..].eq_ignore_ascii_case(scheme)
        };
        let scheme = if ends_in(b"https") { 5 } else { 4 };
        if at < done || known.iter().any(|r| r.contains(&at)) || !(ends_in(b"http") || scheme == 5) {
            continue;
        }
        done = at + text[at..].bytes().take_while(u8::is_ascii_graphic).count();
        inside[at - scheme..done].fill(true);
    }
    for range in known {
        inside[range].fill(true);
    }
    inside
}

/// What stands before, between and behind the links of a text.
fn parts<'t>(text: &'t str, known: &[Span]) -> Vec<&'t str> {
    let inside = linked(text, known);
    let mut parts = Vec::new();
    let mut start = 0;
    for at in 0..text.len() {
        let before = at > 0 && inside[at - 1];
        match (before, inside[at]) {
            (false, true) => parts.push(&text[start..at]),
            (true, false) => start = at,
            _ => {}
        }
    }
    parts.push(if inside.last() == Some(&true) { "" } else { &text[start..] });
    parts
}

/// A text with a space for every link.
pub(super) fn without_links(text: &str, known: &[Span]) -> String {
    parts(text, known).join(" ")
}

/// Grapheme clusters, white space as one, trimmed.
pub(super) fn length(text: &str, known: &[Span]) -> f64 {
    let parts = parts(text, known);
    // A mark behind a link does not belong to the space that stands for it.
    let clusters = parts.iter().enumerate().flat_map(|(n, part)| {
        let link = (n > 0).then_some(" ");
        link.into_iter().chain(part.graphemes(true))
    });
    let mut count = 0;
    let mut gap = false;
    for cluster in clusters {
        let is_gap = cluster.chars().all(char::is_whitespace);
        // A gap counts when something follows it, and something stood before.
        count += usize::from(!is_gap) + usize::from(!is_gap && gap && count > 0);
        gap = is_gap;
    }
    count as f64
}

/// Emoji with repeats.
pub(super) fn emoji(text: &str, known: &[Span]) -> f64 {
    let mut tokens = Tokens::default();
    text::tokenize(text, Origin::Post(known), &mut tokens);
    tokens.iter().filter(|token| token.kind == TokenKind::Emoji).count() as f64
}

/// Capitals, in per cent of the letters outside links and mentions.
pub(super) fn caps(text: &str, known: &[Span], mentions: &[Span]) -> f64 {
    use super::folds::{is_capital, is_small};
    let mut inside = linked(text, known);
    for range in mentions.iter().map(|span| span.range()).filter(|r| text.get(r.clone()).is_some()) {
        inside[range].fill(true);
    }
    let letters: Vec<char> = text.char_indices().filter(|(at, _)| !inside[*at]).map(|(_, c)| c).collect();
    let capitals = letters.iter().filter(|c| is_capital(**c)).count();
    let all = capitals + letters.iter().filter(|c| is_small(**c)).count();
    if all == 0 { 0.0 } else { 100.0 * capitals as f64 / all as f64 }
}
