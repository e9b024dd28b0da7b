//! Links as filters read them: decoded, and their hosts.

use unicode_normalization::UnicodeNormalization;

use crate::Post;

/// Where the post's own links lead, as written: expanded, and unwound; the link itself where the payload expands nothing.
pub(super) fn addresses(post: &Post) -> Vec<&String> {
    let mut addresses = Vec::new();
    for link in &post.entities.links {
        let known: Vec<&String> = link.expanded.iter().chain(&link.unwound).collect();
        addresses.extend(if known.is_empty() { vec![&link.url] } else { known });
    }
    addresses
}

/// The same, decoded.
pub(super) fn targets(post: &Post) -> Vec<String> {
    addresses(post).into_iter().map(|address| decoded(address)).collect()
}

/// Percent and punycode escapes resolved, where they are valid.
pub(super) fn decoded(url: &str) -> String {
    let bytes = unescaped(url.as_bytes());
    let text = String::from_utf8(bytes).unwrap_or_else(|_| url.to_owned());
    unicode_labels(&text)
}

fn unicode_labels(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let label =
            rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-').len();
        let (run, after) = rest.split_at(label);
        out.push_str(&unicode_label(run).unwrap_or_else(|| run.to_owned()));
        let next = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[i], digit(i + 1), digit(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                i += 3;
            }
            (byte, ..) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    out
}

/// A decoded host as browsers read it: by UTS #46 letters and points of all widths are one, and some characters nothing.
fn mapped(host: &str) -> String {
    if host.is_ascii() {
        return host.to_lowercase();
    }
    let nothing = "\u{ad}\u{34f}\u{200b}\u{2060}\u{2064}\u{feff}";
    let counts = |c: &char| !nothing.contains(*c) && !('\u{fe00}'..='\u{fe0f}').contains(c);
    let letters: String = host.nfkc().filter(counts).collect();
    unicode_labels(&letters.replace('。', ".")).to_lowercase()
}

/// The host of a link as written: decoded, lower case, without user, port and outer dots. Nothing if it has signs that
/// divide an address, which then are escapes in it.
pub(super) fn host(url: &str) -> String {
    let plain = |c: &char| !matches!(*c, '\t' | '\n' | '\r');
    let url: String = url.trim_matches(|c: char| ('\0'..=' ').contains(&c)).chars().filter(plain).collect();
    let authority = from_host(&url).split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let host = mapped(&decoded(host));
    let divides = |c: char| c.is_ascii_control() || r" #%/:<>?@[\]^|".contains(c);
    if host.contains(divides) { String::new() } else { host.trim_matches('.').to_owned() }
}

/// An address from its host on; nothing if it has none. A scheme is a letter with letters, digits and `+-.` up to a colon;
/// without one, and behind those of the web, slashes may be too many. Any other has two, or it is a name with a point before
/// the number of a port.
fn from_host(url: &str) -> &str {
    let end = url.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(url.len());
    let (scheme, behind) = url.split_at(end);
    let slashes = |text: &str| text.len() - text.trim_start_matches(['/', '\\']).len();
    match behind.strip_prefix(':') {
        Some(rest) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            match scheme.to_lowercase().as_str() {
                "http" | "https" | "ws" | "wss" | "ftp" => &rest[slashes(rest)..],
                name => match rest.strip_prefix("//") {
                    Some(rest) => rest,
                    None if name.contains('.') && is_number(rest.split(['/', '\\', '?', '#']).next()) => url,
                    None => "",
                },
            }
        }
        _ if slashes(url) >= 2 => &url[slashes(url)..],
        _ => url,
    }
}

fn is_number(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()))
}

/// The host or a parent domain of it.
pub(super) fn under(host: &str, domain: &str) -> bool {
    let domain = mapped(&decoded(domain));
    let domain = domain.trim_matches('.');
    !domain.is_empty()
        && (host == domain || host.strip_suffix(domain).is_some_and(|front| front.ends_with('.')))
}

/// `xn--…` as the Unicode it stands for (RFC 3492); `None` for anything else.
fn unicode_label(label: &str) -> Option<String> {
    let prefix = label.get(..4)?;
    if !prefix.eq_ignore_ascii_case("xn--") {
        return None;
    }
    let label = Some(&label[4..]).filter(|rest| (1..60).contains(&rest.len()))?;
    let (basic, digits) = label.rsplit_once('-').unwrap_or(("", label));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut code, mut index, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut digits = digits.bytes();
    while digits.len() > 0 {
        let before = index;
        let mut weight = 1_u32;
        for step in 1_u32.. {
            let digit = match digits.next()? {
                byte @ b'a'..=b'z' => u32::from(byte - b'a'),
                byte @ b'A'..=b'Z' => u32::from(byte - b'A'),
                byte @ b'0'..=b'9' => u32::from(byte - b'0') + 26,
                _ => return None,
            };
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let threshold = (step * 36).saturating_sub(bias).clamp(1, 26);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(36 - threshold)?;
        }
        let length = u32::try_from(out.len()).ok()? + 1;
        bias = adapted(index - before, length, before == 0);
        code = code.checked_add(index / length)?;
        index %= length;
        out.insert(index as usize, char::from_u32(code)?);
        index += 1;
    }
    Some(out.into_iter().collect())
}

fn adapted(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut bias = 0;
    while delta > 455 {
        delta /= 35;
        bias += 36;
    }
    bias + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_on_both_sides() {
        assert_eq!(decoded("http://xn--bcher-kva.example/caf%C3%A9"), "http://bücher.example/café");
        assert_eq!(decoded("100%zz xn--"), "100%zz xn--");
        assert_eq!(decoded("a%FFb"), "a%FFb", "not UTF-8: as it stands");
        assert_eq!(decoded("XN--BCHER-KVA"), "BüCHER");
        assert_eq!(decoded("xn--wgv71a119e.jp"), "日本語.jp");
    }

    #[test]
    fn hosts() {
        assert_eq!(host("https://bob@Sub.Example.com:8080/x?y#z"), "sub.example.com");
        assert_eq!(host("https://bob%2Fal@b%C3%BCcher%2Eexample/%FF"), "bücher.example");
        assert_eq!(host("https://example.com%2Fexample.org/"), "");
        assert_eq!(host("example.com:80/?u=https://example.org/"), "example.com");
        assert_eq!(host(" https:example.com\n"), "example.com");
        assert_eq!(host("//example.com"), "example.com");
        assert_eq!(host("x://example.com"), "example.com");
        assert_eq!(host("mailto:ann@example.com"), "");
        assert_eq!(host("tel:112"), "");
        assert!(under("sub.example.com", "example.com") && under("example.com", "example.com"));
        assert!(!under("badexample.com", "example.com"));
    }
}
