//! Links in a text: where they stand, words end and nothing is found.

use memchr::memchr_iter;

use super::Origin;
use crate::Span;

/// Puts the links of `text` into `out`, in order and apart from each other. Spans that do not lie in the text on
/// character boundaries are no links.
pub(super) fn find(text: &str, origin: Origin<'_>, out: &mut Vec<Span>) {
    out.clear();
    let Origin::Post(known) = origin else { return };
    out.extend(known.iter().filter(|s| s.start < s.end && text.get(s.range()).is_some()));
    if !out.is_sorted() {
        out.sort_unstable();
    }
    let given = out.len();
    let bytes = text.as_bytes();
    let (mut next, mut done) = (0, 0);
    for colon in memchr_iter(b':', bytes) {
        while next < given && out[next].range().end <= colon {
            next += 1;
        }
        let known = out[..given].get(next).is_some_and(|s| s.range().contains(&colon));
        if known || colon < done || !bytes[colon..].starts_with(b"://") {
            continue;
        }
        let Some(start) = scheme(&bytes[..colon]) else { continue };
        done = colon + bytes[colon..].iter().take_while(|b| b.is_ascii_graphic()).count();
        out.push(Span::from(start..done));
    }
    if out.len() > given && given > 0 {
        out.sort_unstable();
    }
    out.dedup_by(|span, last| {
        let overlap = span.start < last.end;
        if overlap {
            *last = last.to(*span);
        }
        overlap
    });
}

/// Where the `http` or `https` starts that ends `bytes`.
fn scheme(bytes: &[u8]) -> Option<usize> {
    ["https", "http"].into_iter().find_map(|name| {
        let start = bytes.len().checked_sub(name.len())?;
        bytes[start..].eq_ignore_ascii_case(name.as_bytes()).then_some(start)
    })
}

/// The stretches of `text` between `links`, links removed.
pub(super) fn between(text: &str, links: &[Span]) -> impl Iterator<Item = (usize, usize)> {
    let starts = std::iter::once(0).chain(links.iter().map(|s| s.range().end));
    let ends = links.iter().map(|s| s.range().start).chain([text.len()]);
    starts.zip(ends)
}

#[cfg(test)]
mod tests {
    use super::{Origin, Span, find};

    fn links<'t>(text: &'t str, known: &[Span]) -> Vec<&'t str> {
        let mut out = Vec::new();
        find(text, Origin::Post(known), &mut out);
        out.iter().map(|s| &text[s.range()]).collect()
    }

    #[test]
    fn a_run_of_visible_ascii_is_a_link() {
        assert_eq!(
            links("a https://t.co/abcです HTTP://X.y/(z) b", &[]),
            ["https://t.co/abc", "HTTP://X.y/(z)"]
        );
        assert_eq!(links("seehttp://a?u=https://b ftp://c ://", &[]), ["http://a?u=https://b"]);
    }

    #[test]
    fn given_spans_are_links_and_win() {
        let text = "pic.twitter.com/a, https://t.co/b) é";
        assert_eq!(
            links(text, &[Span::new(19, 33), Span::new(0, 17)]),
            ["pic.twitter.com/a", "https://t.co/b"]
        );
        assert_eq!(links("é", &[Span::new(1, 2), Span::new(5, 9), Span::new(2, 1)]), [""; 0]);
        let long = "http://abc.de/f g";
        assert_eq!(links(long, &[Span::new(10, 17)]), ["http://abc.de/f g"]);
    }
}
