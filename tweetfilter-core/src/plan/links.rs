//! Links and language tags as both sides of a comparison see them.

use std::borrow::Cow;

use crate::text::decode_host;

/// The host of a link, decoded, in lower case, without user, port and outer dots; `None` if it has none. It ends where the
/// link itself says so: an escape of what would end it (`%2F`) leaves none, as for browsers.
pub(crate) fn host(link: &str) -> Option<String> {
    let link = without_dropped(link);
    let authority = after_scheme(&link)?.split(ENDS).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    Some(domain(host)).filter(|host| !host.is_empty() && !host.contains(is_forbidden))
}

/// Browsers read a backslash as a slash.
const SLASHES: [char; 2] = ['/', '\\'];

/// What ends a host, with its user and port.
const ENDS: [char; 4] = ['/', '\\', '?', '#'];

/// Schemes behind which any number of slashes stands for two (the URL Standard's special schemes that have a host).
const SPECIAL: [&str; 5] = ["http", "https", "ws", "wss", "ftp"];

/// A link without what browsers drop of it: outer spaces and control characters, and tabs and line ends anywhere.
fn without_dropped(link: &str) -> Cow<'_, str> {
    const DROPPED: [char; 3] = ['\t', '\n', '\r'];
    let link = link.trim_matches(|c: char| c <= ' ');
    if link.contains(DROPPED) { link.replace(DROPPED, "").into() } else { link.into() }
}

/// What follows the scheme of a link and the slashes before its host; `None` if it has no host. Only the link's own scheme
/// counts: an address may stand in its query.
fn after_scheme(link: &str) -> Option<&str> {
    match link.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
        Some((scheme, rest)) if SPECIAL.iter().any(|special| scheme.eq_ignore_ascii_case(special)) => {
            Some(rest.trim_start_matches(SLASHES))
        }
        // Behind other schemes two slashes stand before a host, and `mailto:` and `tel:` have none.
        Some((name, rest)) => rest.strip_prefix("//").or_else(|| has_port(name, rest).then_some(link)),
        None if link.chars().take(2).filter(|c| SLASHES.contains(c)).count() == 2 => {
            Some(link.trim_start_matches(SLASHES))
        }
        None => Some(link),
    }
}

/// Whether it is no scheme that stands before a colon, but a host with its port: `example.com:80`.
fn has_port(name: &str, behind: &str) -> bool {
    let port = behind.split(ENDS).next().unwrap_or_default();
    name.contains('.') && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// Whether this is a scheme by RFC 3986.
fn is_scheme(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
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
        assert_eq!(host("https:///"), None);
        assert_eq!(host("/x"), None);
        assert_eq!(host(r"http://evil.example\@example.com/").as_deref(), Some("evil.example"));
        assert_eq!(host("https://al%2Fben@x%2Ede/%FF").as_deref(), Some("x.de"));
        for link in
            ["https://example.com%2Fevil.example/", "https://a%40b.de", "https://a.b%3A80/", "http://a℀b.de"]
        {
            assert_eq!(host(link), None, "{link}");
        }
    }

    #[test]
    fn only_a_links_own_scheme_is_one() {
        for link in [
            "example.com/?u=https://other.example/x",
            "example.com?u=https://other.example/x",
            "example.com/#https://other.example/",
            "example.com:80/https://other.example/",
            "https://example.com/https://other.example/",
        ] {
            assert_eq!(host(link).as_deref(), Some("example.com"), "{link}");
        }
        assert_eq!(host("at+x.1-y://example.com/a").as_deref(), Some("example.com"));
    }

    #[test]
    fn what_has_no_slashes_behind_its_scheme_has_no_host() {
        for link in [
            "mailto:ann@example.com",
            "MAILTO:ann@example.com?subject=https://example.com/",
            "mailto:",
            "tel:112",
            "urn:isbn:1@example.com",
            "ann:secret@example.com",
            "blob:https://example.com/1",
            "at.x:80a@example.com",
        ] {
            assert_eq!(host(link), None, "{link}");
        }
        for link in ["example.com:80", "example.com:80?q", "mailto://ann@example.com/", "ann@example.com"] {
            assert_eq!(host(link).as_deref(), Some("example.com"), "{link}");
        }
    }

    #[test]
    fn slashes_and_spaces_are_those_of_browsers() {
        for link in [
            " https://example.com ",
            "https://example.com\t/",
            "https://example.com\n",
            "ht\ntps://exam\rple.com/x",
            "\u{1}https://example.com\u{1f}",
            "https:/example.com",
            "https:example.com",
            "HTTPS:\\\\\\example.com",
            "//example.com/x",
            "\\/example.com/x",
        ] {
            assert_eq!(host(link).as_deref(), Some("example.com"), "{link:?}");
        }
        assert_eq!(host("https://exam ple.com"), None);
    }
}
