//! Links in a text: with a protocol, or a bare domain whose last label is a top-level domain.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::class::{
    ends_path, ends_query, is_domain_character, is_latin_accent, is_path_character, is_query_character,
};
use crate::Span;

/// Letters of the longest code in a `t.co` link.
const SHORT_CODE: usize = 40;

/// Characters of a label in ASCII form, by the rules of the domain name system.
const LABEL: usize = 63;

/// The places of all links, in order.
pub(super) fn find(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = next_start(text, at) {
        let before = text[..start].chars().next_back();
        let protocol = protocol(&text[start..]);
        let end = if before
            .is_some_and(|c| c.is_ascii_alphanumeric() || "@＠$#＃\u{fffe}\u{feff}\u{ffff}".contains(c))
        {
            None
        } else if protocol > 0 {
            with_protocol(text, start, start + protocol)
        } else if before.is_some_and(|c| "-_./".contains(c)) {
            None
        } else {
            bare(text, start)
        };
        at = match end {
            Some(end) => {
                found.push(Span::from(start..end));
                end
            }
            // A bare domain may follow a protocol that none follows at once.
            None if protocol > 0 => start + protocol,
            None => start + pass(&text[start..]),
        };
    }
    found
}

/// The next place where a link could begin: the first character of a run that could be a bare domain.
fn next_start(text: &str, at: usize) -> Option<usize> {
    text[at..].find(|c: char| c.is_ascii_alphanumeric() || is_latin_accent(c)).map(|n| at + n)
}

/// Bytes of the protocol at the start of a text.
fn protocol(text: &str) -> usize {
    let starts = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    ["https://", "http://"].iter().find(|protocol| starts(protocol)).map_or(0, |protocol| protocol.len())
}

/// Bytes of a run that could be a bare domain.
fn bare_run(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.' || is_latin_accent(c)))
        .unwrap_or(text.len())
}

/// Bytes to pass over where no link begins: a bare run, but not a protocol at its end.
fn pass(text: &str) -> usize {
    let run = bare_run(text).max(1);
    let before = text.get(..run).unwrap_or_default();
    if !text.get(run..).is_some_and(|rest| rest.starts_with("://")) {
        return run;
    }
    ["https", "http"]
        .iter()
        .filter_map(|name| run.checked_sub(name.len()))
        .find(|&at| at > 0 && before.get(at..).is_some_and(|end| protocol(&text[at..]) == end.len() + 3))
        .unwrap_or(run)
}

fn with_protocol(text: &str, start: usize, host: usize) -> Option<usize> {
    let run = text[host..]
        .find(|c: char| !(is_domain_character(c) || matches!(c, '.' | '-' | '_')))
        .map_or(text.len(), |n| host + n);
    let end = domain(text, host, run, &|label, last| {
        let inner = |c: char| c == '-' || (c == '_' && !last);
        let fits = |c: char| is_domain_character(c) || inner(c);
        !label.is_empty() && label.chars().all(fits) && !label.starts_with(inner) && !label.ends_with(inner)
    })?;
    if text[host..end].split('.').any(|label| ascii_length(label).is_none_or(|length| length > LABEL)) {
        return None;
    }
    // Nothing but a code (and a query) belongs to X's own short links.
    if text[host..end].eq_ignore_ascii_case("t.co") {
        let code = text[end..].strip_prefix('/').map_or(0, |path| {
            path.bytes().take(SHORT_CODE + 1).take_while(u8::is_ascii_alphanumeric).count()
        });
        if code > SHORT_CODE {
            return None;
        }
        if code > 0 {
            return Some(query(text, end + 1 + code)).filter(|end| *end > start);
        }
    }
    Some(rest(text, end))
}

fn bare(text: &str, start: usize) -> Option<usize> {
    let run = start + bare_run(&text[start..]);
    let end = domain(text, start, run, &|label, _| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    })?;
    Some(rest(text, end))
}

/// The end of the longest domain from `start`, its labels within `run`: labels that are valid, and a top-level
/// domain with none of `0-9 A-Z a-z @ + -` after it.
fn domain(text: &str, start: usize, run: usize, valid: &dyn Fn(&str, bool) -> bool) -> Option<usize> {
    let (mut found, mut label) = (None, start);
    while let Some(dot) = text[label..run].find('.').map(|n| label + n) {
        if !valid(&text[label..dot], false) {
            break;
        }
        if valid(&text[label..dot], true)
            && let Some(length) = top_level(&text[dot + 1..])
        {
            found = Some(dot + 1 + length);
        }
        label = dot + 1;
    }
    found
}

/// Bytes of the top-level domain at the start of a text.
fn top_level(text: &str) -> Option<usize> {
    /// The names that IANA has given out, without those in punycode.
    static NAMES: LazyLock<(HashSet<&str>, usize)> = LazyLock::new(|| {
        let names: HashSet<_> = include_str!("tlds.txt").split_ascii_whitespace().collect();
        let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        (names, longest)
    });
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "@+-".contains(c));
    if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--")) {
        let length = 4 + text[4..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
        return (length > 4 && ends(&text[length..])).then_some(length);
    }
    let (names, longest) = &*NAMES;
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]).skip(1).take(*longest);
    let mut found = None;
    // The longest wins: `co` and `com` are both names.
    for end in places.by_ref() {
        if names.contains(text[..end].to_lowercase().as_str()) && ends(&text[end..]) {
            found = Some(end);
        }
    }
    found
}

/// The end of the port, path and query after a domain.
fn rest(text: &str, mut at: usize) -> usize {
    if let Some(port) = text[at..].strip_prefix(':') {
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        at += if digits > 0 { 1 + digits } else { 0 };
    }
    if text[at..].starts_with('/') {
        at = path(text, at + 1);
    }
    query(text, at)
}

/// The end of a path: the last place where it may end, parentheses in balance to a depth of two.
fn path(text: &str, start: usize) -> usize {
    let mut end = start;
    let mut at = start;
    while let Some(c) = text[at..].chars().next() {
        #[cfg(test)]
        tests::LOOKS.set(tests::LOOKS.get() + 1);
        if c == '(' {
            match parentheses(text, at) {
                Some(after) => (at, end) = (after, after),
                None => break,
            }
        } else if is_path_character(c) {
            at += c.len_utf8();
            if ends_path(c) {
                end = at;
            }
        } else {
            break;
        }
    }
    end
}

/// The place after a pair of parentheses with something in it, and perhaps one more pair.
fn parentheses(text: &str, start: usize) -> Option<usize> {
    let (mut depth, mut filled) = (0, false);
    for (n, c) in text[start..].char_indices() {
        match c {
            '(' if depth < 2 => {
                depth += 1;
                filled = false;
            }
            ')' if filled && depth == 2 => depth = 1,
            ')' if filled => return Some(start + n + 1),
            c if is_path_character(c) => filled = true,
            _ => return None,
        }
    }
    None
}

/// The end of a query, if one is here.
fn query(text: &str, start: usize) -> usize {
    let mut end = start;
    if text[start..].starts_with('?') {
        for (n, c) in text[start + 1..].char_indices() {
            if !is_query_character(c) {
                break;
            }
            if ends_query(c) {
                end = start + 1 + n + 1;
            }
        }
    }
    end
}

/// Characters of a label in ASCII form (RFC 3492); `None` where a label in that form has other characters.
fn ascii_length(label: &str) -> Option<usize> {
    if label.is_ascii() {
        return Some(label.len());
    }
    if label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--")) {
        return None;
    }
    // More characters than a label has can't be written shorter.
    let characters: Vec<u32> = label.chars().map(u32::from).take(LABEL + 1).collect();
    if characters.len() > LABEL {
        return Some(characters.len());
    }
    let basic = characters.iter().filter(|c| **c < 0x80).count();
    let (mut n, mut delta, mut bias, mut done) = (0x80_u64, 0_u64, 72_u64, basic as u64);
    let mut length = 4 + basic + usize::from(basic > 0);
    while done < characters.len() as u64 {
        let next = characters.iter().map(|c| u64::from(*c)).filter(|c| *c >= n).min()?;
        delta += (next - n) * (done + 1);
        n = next;
        for c in characters.iter().map(|c| u64::from(*c)) {
            if c < n {
                delta += 1;
            }
            if c == n {
                let (mut q, mut k) = (delta, 36);
                loop {
                    let threshold = if k <= bias { 1 } else { (k - bias).min(26) };
                    length += 1;
                    if q < threshold {
                        break;
                    }
                    q = (q - threshold) / (36 - threshold);
                    k += 36;
                }
                bias = adapt(delta, done + 1, done == basic as u64);
                delta = 0;
                done += 1;
            }
        }
        delta += 1;
        n += 1;
    }
    Some(length)
}

fn adapt(delta: u64, characters: u64, first: bool) -> u64 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / characters;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::{SHORT_CODE, ascii_length, find};

    thread_local! {
        /// How often a character of a path was looked at: what is counted instead of time.
        pub(super) static LOOKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[test]
    fn ten_times_the_short_links_that_are_none_cost_ten_times_the_looks() {
        let looks = |count: usize| {
            let text = format!("http://t.co/{}/", "A".repeat(SHORT_CODE + 1)).repeat(count);
            LOOKS.set(0);
            assert_eq!(find(&text).len(), 0);
            LOOKS.get()
        };
        let (small, large) = (looks(100), looks(1_000));
        assert!(large <= 11 * small, "{small} looks, then {large}");
    }

    fn links(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|span| &text[span.range()]).collect()
    }

    #[test]
    fn links_begin_and_end_where_people_mean() {
        for (text, expected) in [
            ("see example.com.", &["example.com"][..]),
            ("(https://example.com/a_(b)_c).", &["https://example.com/a_(b)_c"]),
            ("HTTP://EXAMPLE.COM:8080/?q=1!", &["HTTP://EXAMPLE.COM:8080/?q=1"]),
            ("a@example.com, x.example.community", &["x.example.community"]),
            ("日本example.com日本", &["example.com"]),
            ("http://日本.jp/x http://.com http:// com.", &["http://日本.jp/x"]),
            ("file.rs3 v1.2.3 e.g. i.e.", &[]),
            ("https://t.co/abcd_x https://t.co/?", &["https://t.co/abcd", "https://t.co/"]),
            ("a.com/x((y)z", &["a.com/x"]),
            ("...a..b.com", &[]),
        ] {
            let expected: Vec<_> = expected.to_vec();
            assert_eq!(links(text), expected, "{text}");
        }
    }

    #[test]
    fn labels_in_ascii() {
        assert_eq!(ascii_length("bücher"), Some("xn--bcher-kva".len()));
        assert_eq!(ascii_length("日本語"), Some("xn--wgv71a119e".len()));
        assert_eq!(ascii_length("xn--ü"), None);
    }
}
