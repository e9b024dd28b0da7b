//! Counts over a text: `length:`, `emoji:`, `caps:`.

use unicode_segmentation::UnicodeSegmentation;

use super::flags::{LOWER, SPACE, UPPER};
use super::fold::is_emoji;
use super::tables::entry;
use super::{Origin, links};
use crate::Span;

/// Grapheme clusters of a text without its links, white space in a row as one, trimmed.
#[must_use]
pub fn length(text: &str, known_links: &[Span]) -> usize {
    let mut count = 0;
    let mut space = true;
    let mut found = Vec::new();
    links::find(text, Origin::Post(known_links), &mut found);
    for (start, end) in links::between(text, &found) {
        if start > 0 && !space {
            count += 1;
            space = true;
        }
        for cluster in text[start..end].graphemes(true) {
            let is_space = cluster.chars().all(|c| entry(c) & SPACE != 0);
            count += usize::from(!(is_space && space));
            space = is_space;
        }
    }
    count - usize::from(space && count > 0)
}

/// Emoji sequences of a text, repeats included, links left out.
#[must_use]
pub fn emoji(text: &str, known_links: &[Span]) -> usize {
    let mut found = Vec::new();
    links::find(text, Origin::Post(known_links), &mut found);
    links::between(text, &found)
        .map(|(start, end)| {
            let attached = start > 0 && text[start..end].starts_with(super::fold::is_skin_tone);
            let count = text[start..end].graphemes(true).filter(|cluster| is_emoji(cluster)).count();
            count - usize::from(attached)
        })
        .sum()
}

/// How many letters of a text are capitals (Lu, Lt), in per cent, links and mentions left out; 0 without letters.
#[must_use]
pub fn caps(text: &str, known_links: &[Span], mentions: &[Span]) -> f64 {
    let mut gone = Vec::new();
    links::find(text, Origin::Post(known_links), &mut gone);
    gone.extend_from_slice(mentions);
    gone.sort_unstable();
    let mut gone = gone.into_iter().peekable();
    let (mut upper, mut letters) = (0_u32, 0_u32);
    for (at, c) in text.char_indices() {
        while gone.next_if(|span| span.range().end <= at).is_some() {}
        if gone.peek().is_some_and(|span| span.range().contains(&at)) {
            continue;
        }
        let flags = entry(c);
        upper += u32::from(flags & UPPER != 0);
        letters += u32::from(flags & (UPPER | LOWER) != 0);
    }
    if letters == 0 { 0.0 } else { 100.0 * f64::from(upper) / f64::from(letters) }
}
