//! The escapes of links, `%XX` and `xn--`, and hosts as browsers read them.

use unicode_normalization::UnicodeNormalization;

/// A link with its `%XX` and `xn--` escapes resolved, where they are valid.
pub(crate) fn decode_link(link: &str) -> String {
    labels(if link.contains('%') { unescape(link) } else { link.to_owned() })
}

/// The same of a host, its letters and points those that browsers take them for: `ｘ。de` is `x.de`.
pub(crate) fn decode_host(host: &str) -> String {
    let host = decode_link(host);
    if host.is_ascii() {
        return host;
    }
    let plain = host.nfkc().filter(|c| !is_ignored(*c));
    labels(plain.map(|c| if c == '。' { '.' } else { c }).collect())
}

/// Whether a character of a host counts for nothing (UTS #46).
fn is_ignored(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{200b}' | '\u{2060}' | '\u{2064}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}'
    )
}

/// A text with its `xn--` labels as what they stand for.
fn labels(decoded: String) -> String {
    if !decoded.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"xn--")) {
        return decoded;
    }
    let mut out = String::with_capacity(decoded.len());
    for part in decoded.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
        let label = part.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        match label.get(..4).filter(|p| p.eq_ignore_ascii_case("xn--")).and_then(|_| punycode(&label[4..])) {
            Some(unicode) => out.push_str(&unicode),
            None => out.push_str(label),
        }
        out.push_str(&part[label.len()..]);
    }
    out
}

fn unescape(link: &str) -> String {
    let bytes = link.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let digit = |at: usize| bytes.get(at).and_then(|b| (*b as char).to_digit(16));
    while at < bytes.len() {
        if bytes[at] == b'%'
            && let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2))
        {
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| link.to_owned())
}

/// What follows `xn--` in the longest label that a host may have.
const LONGEST: usize = 59;

/// RFC 3492.
fn punycode(label: &str) -> Option<String> {
    if label.is_empty() || label.len() > LONGEST {
        return None;
    }
    let (basic, digits) = label.rsplit_once('-').unwrap_or(("", label));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (128u32, 0u32, 72u32);
    let mut digits = digits.bytes().peekable();
    while digits.peek().is_some() {
        let before = i;
        let mut weight = 1u32;
        for k in (36..).step_by(36) {
            let digit = match digits.next()? {
                b @ b'a'..=b'z' => b - b'a',
                b @ b'A'..=b'Z' => b - b'A',
                b @ b'0'..=b'9' => b - b'0' + 26,
                _ => return None,
            };
            i = i.checked_add(u32::from(digit).checked_mul(weight)?)?;
            let threshold = if k <= bias { 1 } else { (k - bias).min(26) };
            if u32::from(digit) < threshold {
                break;
            }
            weight = weight.checked_mul(36 - threshold)?;
        }
        let length = out.len() as u32 + 1;
        bias = adapt(i - before, length, before == 0);
        n = n.checked_add(i / length)?;
        i %= length;
        out.insert(i as usize, char::from_u32(n)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}

fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::{decode_host, decode_link};

    #[test]
    fn escapes_are_resolved_where_they_are_valid() {
        assert_eq!(decode_link("https://xn--mnchen-3ya.de/a%20b%zz"), "https://münchen.de/a b%zz");
        assert_eq!(decode_link("xn--wgv71a119e.jp"), "日本語.jp");
        assert_eq!(decode_link("xn--"), "xn--");
        assert_eq!(decode_link("%ff"), "%ff");
        let label = |n| format!("xn--{}-3ya", "a".repeat(n));
        assert!(!decode_link(&label(55)).starts_with("xn--"));
        assert_eq!(decode_link(&label(56)), label(56));
    }

    #[test]
    fn hosts_are_read_as_browsers_do() {
        for host in ["ｘ.de", "x。de", "x｡de", "x．de", "x\u{ad}.de", "%EF%BD%98.de", "x.de"] {
            assert_eq!(decode_host(host), "x.de", "{host}");
        }
        assert_eq!(decode_host("ｘn--bcher-kva.example"), "bücher.example");
        assert_eq!(decode_host("straße.de"), "straße.de");
    }
}
