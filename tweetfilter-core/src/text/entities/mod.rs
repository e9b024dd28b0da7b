//! Tags, mentions, cashtags and links in a text, by the rules that twitter-text follows.
//!
//! For posts that come without entities. One pass each, linear in the text.

mod class;
mod urls;

use class::{is_directional, is_latin_accent, is_tag_character, is_tag_letter, is_text_space};

use crate::Span;
use crate::post::{Account, Entities, Link, Mention, Tag};

/// Letters of the longest account name.
const HANDLE: usize = 20;

/// Tags, mentions, cashtags and links of a text by twitter-text's rules.
///
/// ```
/// use tweetfilter_core::text::entities;
/// let found = entities("#Oslo by @al, $TSLA (see example.com/a_(b))");
/// assert_eq!(found.links[0].url, "example.com/a_(b)");
/// assert_eq!(found.cashtags[0].text, "TSLA");
/// ```
#[must_use]
pub fn entities(text: &str) -> Entities {
    let links = if text.contains('.') { urls::find(text) } else { Vec::new() };
    let (mut hashtags, mut cashtags, mut mentions) = (Vec::new(), Vec::new(), Vec::new());
    // A sign within a link is part of it; both go forward through the text.
    let mut open = links.as_slice();
    for (at, sign) in text.char_indices().filter(|(_, c)| matches!(c, '#' | '＃' | '@' | '＠' | '$')) {
        while open.first().is_some_and(|link| link.end as usize <= at) {
            open = &open[1..];
        }
        if open.first().is_some_and(|link| link.start as usize <= at) {
            continue;
        }
        let (before, after) = (&text[..at], &text[at + sign.len_utf8()..]);
        let (found, name) = match sign {
            '#' | '＃' => (&mut hashtags, hashtag(before, after)),
            '$' => (&mut cashtags, cashtag(before, after)),
            _ => (&mut mentions, mention(before, after)),
        };
        if let Some(name) = name {
            found.push(Span::from(at..at + sign.len_utf8() + name.len()));
        }
    }
    // Of places, which are small, each list is made at once: as it grows it would take up to three times its room, of a
    // text that is full of names sixty bytes for each of its own.
    let whole = |span: Span| text.get(span.range()).unwrap_or_default();
    let name = |span: Span| whole(span).trim_start_matches(['#', '＃', '@', '＠', '$']).to_owned();
    let tag = |&span: &Span| Tag { text: name(span), span: Some(span) };
    let account = |span: Span| Account { id: String::new(), handle: name(span) };
    let link = |&span: &Span| Link { url: whole(span).to_owned(), span: Some(span), ..Link::default() };
    Entities {
        hashtags: hashtags.iter().map(tag).collect(),
        cashtags: cashtags.iter().map(tag).collect(),
        mentions: mentions.iter().map(|&span| Mention { account: account(span), span: Some(span) }).collect(),
        links: links.iter().map(link).collect(),
        ..Entities::default()
    }
}

/// The tag whose sign stands between the two texts.
fn hashtag<'t>(before: &str, after: &'t str) -> Option<&'t str> {
    let bounded = match before.chars().next_back() {
        None | Some('\u{fe0e}' | '\u{fe0f}') => true,
        Some(c) => c != '&' && !is_tag_character(c),
    };
    // A keycap is an emoji.
    if !bounded || after.starts_with(['\u{fe0f}', '\u{20e3}']) {
        return None;
    }
    let end = after.find(|c| !is_tag_character(c)).unwrap_or(after.len());
    let (tag, rest) = after.split_at(end);
    let ends_well = !rest.starts_with(['#', '＃']) && !rest.starts_with("://");
    (ends_well && tag.chars().any(is_tag_letter)).then_some(tag)
}

/// The symbol whose `$` stands between the two texts: one to six letters, and perhaps `.` or `_` with one or two.
fn cashtag<'t>(before: &str, after: &'t str) -> Option<&'t str> {
    if before.chars().next_back().is_some_and(|c| !is_text_space(c) && !is_directional(c)) {
        return None;
    }
    let letters = |text: &str| text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let ends = |rest: &str| rest.chars().next().is_none_or(|c| is_text_space(c) || c.is_ascii_punctuation());
    let base = letters(after);
    if !(1..=6).contains(&base) {
        return None;
    }
    if after[base..].starts_with(['.', '_']) {
        let more = letters(&after[base + 1..]);
        if (1..=2).contains(&more) && ends(&after[base + 1 + more..]) {
            return Some(&after[..base + 1 + more]);
        }
    }
    ends(&after[base..]).then(|| &after[..base])
}

/// The account whose `@` stands between the two texts.
fn mention<'t>(before: &str, after: &'t str) -> Option<&'t str> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bounded = match before.chars().next_back() {
        None => true,
        Some(c) if !c.is_ascii_alphanumeric() && !"_!#$%&*@＠".contains(c) => true,
        Some(_) => follows_rt(before),
    };
    let length = after.bytes().take(HANDLE).take_while(|&b| is_name(b)).count();
    if !bounded || length == 0 {
        return None;
    }
    let (handle, rest) = after.split_at(length);
    // The name of a list may follow; what comes after the whole decides.
    let rest = rest
        .strip_prefix('/')
        .filter(|list| list.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map_or(rest, |list| {
            let name = list.bytes().take(25).take_while(|&b| is_name(b) || b == b'-').count();
            &list[name..]
        });
    let spoiled =
        rest.starts_with(['@', '＠']) || rest.starts_with(is_latin_accent) || rest.starts_with("://");
    (!spoiled).then_some(handle)
}

/// Whether a text ends in `RT` or `RT:`, as a word of its own.
fn follows_rt(before: &str) -> bool {
    let before = before.strip_suffix(':').unwrap_or(before);
    let Some(at) = before.len().checked_sub(2) else { return false };
    let is_rt = before.get(at..).is_some_and(|rt| rt.eq_ignore_ascii_case("rt"));
    is_rt && !before[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || "_+~.-".contains(c))
}
