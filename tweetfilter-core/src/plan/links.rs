//! Links and language tags as both sides of a comparison see them.

use std::borrow::Cow;

use crate::text::decode_host;

/// The host of a link, decoded, in lower case, without user, port and outer dots; `None` if it has none. It ends where the
/// link itself says so: an escape of what would end it (`%2F`) leaves none, as for browsers.
pub(crate) fn host(link: &str) -> Option<String> {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    // Browsers read a backslash as a slash.
    let authority = rest.split(['/', '\\', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    Some(domain(host)).filter(|host| !host.is_empty() && !host.contains(is_forbidden))
}

/// Whether no host has a character (the URL Standard's forbidden domain code points).
fn is_forbidden(c: char) -> bool {
    let signs = [' ', '#', '%', '/', ':', '<', '>', '?', '@', '[', '\\', ']', '^', '|'];
    c.is_ascii_control() || signs.contains(&c)
}

/// A domain as a filter names it.
pub(crate) fn domain(name: &str) -> String {
    decode_host(name).trim_matches('.').to_lowercase()
}

/// A language tag in lower case with `-`, old codes as their new ones, nothing as `und`.
pub(crate) fn language(tag: &str) -> Cow<'_, str> {
    // Most tags are two small letters, and few of those are old codes.
    if let [a, b] = tag.as_bytes()
        && a.is_ascii_lowercase()
        && b.is_ascii_lowercase()
        && !matches!(tag, "iw" | "in" | "ji" | "tl" | "no")
    {
        return tag.into();
    }
    let tag: Cow<'_, str> = if tag.bytes().any(|b| b.is_ascii_uppercase() || b == b'_') {
        tag.to_ascii_lowercase().replace('_', "-").into()
    } else {
        tag.into()
    };
    let first = tag.split('-').next().unwrap_or_default();
    let new = match first {
        "" => "und",
        "iw" => "he",
        "in" => "id",
        "ji" => "yi",
        "tl" => "fil",
        "no" => "nb",
        _ => return tag,
    };
    format!("{new}{}", &tag[first.len()..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_no_user_and_port() {
        assert_eq!(host("https://al@WWW.Example.com:80/x").as_deref(), Some("www.example.com"));
        assert_eq!(host("example.com./?q"), Some("example.com".into()));
        assert_eq!(host("https:///x"), None);
        assert_eq!(host(r"http://evil.example\@example.com/").as_deref(), Some("evil.example"));
        assert_eq!(host("https://al%2Fben@x%2Ede/%FF").as_deref(), Some("x.de"));
        for link in
            ["https://example.com%2Fevil.example/", "https://a%40b.de", "https://a.b%3A80/", "http://a℀b.de"]
        {
            assert_eq!(host(link), None, "{link}");
        }
    }
}
