//! The text of HTML, as Mastodon writes it, and the links in it.

use tweetfilter_core::Span;

use super::html::reference;

/// An `<a>` and where its text stands.
pub(super) struct Anchor {
    pub(super) href: String,
    class: String,
    pub(super) span: Span,
}

impl Anchor {
    pub(super) fn is_tag(&self) -> bool {
        self.has_class("hashtag")
    }

    pub(super) fn is_mention(&self) -> bool {
        self.has_class("mention") && !self.is_tag()
    }

    pub(super) fn is_link(&self) -> bool {
        !self.has_class("mention") && !self.is_tag()
    }

    fn has_class(&self, class: &str) -> bool {
        self.class.split_ascii_whitespace().any(|c| c == class)
    }
}

/// The text of HTML: paragraphs apart by a blank line, `<br>` and list items by a line break, references decoded,
/// and addresses whole, also the parts that pages hide.
pub(super) fn read(html: &str) -> (String, Vec<Anchor>) {
    let mut text = String::with_capacity(html.len());
    let (mut anchors, mut open) = (Vec::new(), None);
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        if c == '<'
            && let Some(end) = tag_end(rest)
        {
            let tag = &rest[1..end];
            rest = &rest[end + 1..];
            match name(tag).to_ascii_lowercase().as_str() {
                "br" => text.push('\n'),
                "p" | "blockquote" | "pre" | "ul" | "ol" if !text.is_empty() => break_line(&mut text, 2),
                "/li" => break_line(&mut text, 1),
                "/p" | "/blockquote" | "/pre" | "/ul" | "/ol" => break_line(&mut text, 2),
                "a" => open = Some((attribute(tag, "href"), attribute(tag, "class"), text.len())),
                "/a" => {
                    if let Some((href, class, start)) = open.take()
                        && start < text.len()
                    {
                        anchors.push(Anchor { href, class, span: Span::from(start..text.len()) });
                    }
                }
                _ => {}
            }
            continue;
        }
        let (c, length) = reference(rest).filter(|_| c == '&').unwrap_or((c, c.len_utf8()));
        text.push(c);
        rest = &rest[length..];
    }
    text.truncate(text.trim_end().len());
    anchors.retain(|anchor| anchor.span.end as usize <= text.len());
    (text, anchors)
}

/// Makes the text end in so many line breaks.
fn break_line(text: &mut String, breaks: usize) {
    let there = text.len() - text.trim_end_matches('\n').len();
    if there < text.len() {
        text.extend(std::iter::repeat_n('\n', breaks.saturating_sub(there)));
    }
}

/// The place of the `>` that ends a tag; one in quotes does not.
fn tag_end(html: &str) -> Option<usize> {
    let mut quote = None;
    for (at, b) in html.bytes().enumerate().skip(1) {
        match (quote, b) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(b),
            (Some(open), b) if open == b => quote = None,
            // A sign that is no tag.
            (None, b'<') => return None,
            _ => {}
        }
    }
    None
}

fn name(tag: &str) -> &str {
    let end = tag
        .char_indices()
        .skip(1)
        .find(|(_, c)| c.is_whitespace() || *c == '/')
        .map_or(tag.len(), |(at, _)| at);
    &tag[..end]
}

/// The value of an attribute, references decoded.
fn attribute(tag: &str, name: &str) -> String {
    let mut rest = tag;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        rest = after;
        let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else { continue };
        if !before.ends_with(|c: char| c.is_whitespace()) {
            continue;
        }
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = match quote {
            Some(quote) => value[1..].split(quote).next(),
            None => value.split(|c: char| c.is_whitespace()).next(),
        };
        return super::html::unescape(value.unwrap_or_default().into()).into_owned();
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn reads_paragraphs_breaks_and_links() {
        let (text, anchors) = read(
            r#"<p>Hi <span class="h-card"><a href="https://a.example/@al" class="u-url mention">@<span>al</span></a></span>,<br />1 &lt; 2</p><p><a href='https://b.example/x?a=1&amp;b=2' rel="nofollow"><span class="invisible">https://</span><span class="ellipsis">b.example/x</span><span class="invisible">?a=1&amp;b=2</span></a></p>"#,
        );
        assert_eq!(text, "Hi @al,\n1 < 2\n\nhttps://b.example/x?a=1&b=2");
        assert!(anchors[0].is_mention() && anchors[1].is_link());
        assert_eq!(anchors[1].href, "https://b.example/x?a=1&b=2");
        assert_eq!(&text[anchors[1].span.range()], "https://b.example/x?a=1&b=2");
    }

    #[test]
    fn what_is_no_markup_is_text() {
        for (html, expected) in [
            ("I <3 you", "I <3 you"),
            ("a < b > c", "a  c"),
            ("<", "<"),
            ("<a", "<a"),
            ("<ul><li>a</li><li>b</li></ul>x", "a\nb\n\nx"),
            ("<a href='x'></a>", ""),
            ("&amp;lt; &#128512; &#x41; &#0; &bogus; &", "&lt; 😀 A &#0; &bogus; &"),
            ("<é>x</é>", "x"),
        ] {
            assert_eq!(read(html).0, expected, "{html}");
        }
    }
}
