//! A post's text in one line of a terminal, the parts that matched marked.

use std::ops::Range;

use tweetfilter_core::explain::{Explanation, Field};
use tweetfilter_core::post::Account;
use tweetfilter_core::{FilterSet, Post};
use unicode_width::UnicodeWidthChar;

use super::terminal::{Color, Style, columns, fit, one_line};

/// The text that filters read of a post, cut to so many columns around the first part that matched.
pub(crate) fn line(set: &FilterSet, filter: usize, post: &Post, width: usize, style: Style) -> String {
    let text = &post.content().text;
    let spans = set.explain(filter, post).map(|found| spans(&found, text)).unwrap_or_default();
    of_post(post, &spans, width, style)
}

/// The same with these places in it marked; of a retweet it is told whose words they are.
pub(crate) fn of_post(post: &Post, spans: &[Range<usize>], width: usize, style: Style) -> String {
    let head = fit(&retweeted(post), width / 2);
    let text = marked(&post.content().text, spans, width.saturating_sub(columns(&head)), style);
    format!("{head}{text}")
}

/// What stands before the text of a retweet, as X writes it: `RT @name: `. Nothing before any other text.
pub(crate) fn retweeted(post: &Post) -> String {
    let Some(original) = &post.retweet_of else { return String::new() };
    let Account { id, handle } = original.account();
    let name = one_line(if handle.is_empty() { id } else { handle });
    if name.is_empty() { "RT: ".to_owned() } else { format!("RT @{name}: ") }
}

/// The places of an explanation in the content's text, in order and without overlaps.
pub(crate) fn spans(explanation: &Explanation, text: &str) -> Vec<Range<usize>> {
    let places = explanation.parts.iter().flat_map(|part| &part.places);
    let spans = places
        .filter(|place| place.field == Field::Text && place.scopes.is_empty())
        .filter_map(|place| place.span.map(|span| span.range()))
        .filter(|range| text.get(range.clone()).is_some());
    merged(spans.collect())
}

/// Ranges in order and without overlaps.
pub(crate) fn merged(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// The text in one line with marks; white space is one space, and `…` stands where something is cut off.
pub(crate) fn marked(text: &str, spans: &[Range<usize>], width: usize, style: Style) -> String {
    let shown = window(&flat(text, spans), width);
    let mut line = String::new();
    for run in shown.chunk_by(|a, b| a.1 == b.1) {
        let part: String = run.iter().map(|(c, _)| c).collect();
        line.push_str(&if run[0].1 { style.paint(Color::Hit, &part) } else { part });
    }
    line
}

/// Each character, and whether it is marked.
fn flat(text: &str, spans: &[Range<usize>]) -> Vec<(char, bool)> {
    let mut spans = spans.iter().peekable();
    let mut all: Vec<(char, bool)> = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        while spans.next_if(|span| span.end <= at).is_some() {}
        let mark = spans.peek().is_some_and(|span| span.contains(&at));
        if c.is_whitespace() || c.is_control() {
            if all.last().is_some_and(|last| last.0 != ' ') {
                all.push((' ', mark));
            }
        } else {
            all.push((c, mark));
        }
    }
    while all.last().is_some_and(|last| last.0 == ' ') {
        all.pop();
    }
    all
}

/// As much as fits, with the first mark in it.
fn window(all: &[(char, bool)], width: usize) -> Vec<(char, bool)> {
    let columns = |part: &[(char, bool)]| -> usize { part.iter().map(|(c, _)| c.width().unwrap_or(0)).sum() };
    if columns(all) <= width {
        return all.to_vec();
    }
    let first = all.iter().position(|(_, mark)| *mark).unwrap_or(0);
    let mut start = first;
    // A third of the room is for what stands before the mark.
    while start > 0 && columns(&all[start - 1..first]) < width / 3 {
        start -= 1;
    }
    let mut shown = Vec::new();
    if start > 0 {
        shown.push(('…', false));
    }
    let room = width.saturating_sub(shown.len() + 1);
    let mut used = 0;
    for &(c, mark) in &all[start..] {
        used += c.width().unwrap_or(0);
        if used > room {
            shown.push(('…', false));
            break;
        }
        shown.push((c, mark));
    }
    shown
}

#[cfg(test)]
mod tests {
    use tweetfilter_core::post::Reference;

    use super::*;

    fn shown(text: &str, spans: &[Range<usize>], width: usize) -> String {
        window(&flat(text, spans), width)
            .into_iter()
            .map(|(c, m)| if m { c.to_ascii_uppercase() } else { c })
            .collect()
    }

    #[test]
    fn a_retweet_tells_whose_words_it_has() {
        let original = |handle: &str, id: &str| {
            let account = Account { id: id.into(), handle: handle.into() };
            let post = Some(Post::from_text("snow\nin Oslo"));
            let reference = Reference { account, post, ..Reference::default() };
            Post { retweet_of: Some(Box::new(reference)), ..Post::default() }
        };
        let line = |post: &Post, width| of_post(post, &[], width, Style::plain());
        assert_eq!(line(&original("bob", "7"), 80), "RT @bob: snow in Oslo");
        assert_eq!(line(&original("bob", "7"), 15), "RT @bo…snow in…");
        assert_eq!(line(&original("", "7"), 80), "RT @7: snow in Oslo");
        assert_eq!(line(&original("", ""), 80), "RT: snow in Oslo");
        assert_eq!(line(&Post::from_text("RT snow"), 80), "RT snow");
        // What is only announced has its text itself.
        let mut announced = original("bob", "7");
        announced.text = "rain".into();
        announced.retweet_of.iter_mut().for_each(|reference| reference.post = None);
        assert_eq!(line(&announced, 80), "RT @bob: rain");
    }

    #[test]
    fn the_first_mark_is_in_view() {
        let text = "a long beginning\n\nand then snow, and then a long end of it";
        let at = text.find("snow").unwrap();
        let span = at..at + 4;
        assert_eq!(shown(text, std::slice::from_ref(&span), 24), "…d then SNOW, and then …");
        assert_eq!(shown(text, &[span], 100), text.replace("\n\n", " ").replace("snow", "SNOW"));
        assert_eq!(shown("東京に雪が降る", &[], 7), "東京に…");
    }
}
