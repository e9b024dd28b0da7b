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
        has_class(&self.class, class)
    }
}

fn has_class(classes: &str, class: &str) -> bool {
    classes.split_ascii_whitespace().any(|c| c == class)
}

/// HTML as text.
#[derive(Default)]
pub(super) struct Html<'c> {
    pub(super) text: String,
    pub(super) anchors: Vec<Anchor>,
    /// Where the links lead that stood in what was left out.
    pub(super) left_out: Vec<String>,
    /// An `<a>` that has begun: its address, its classes, and where its text begins.
    open: Option<(String, String, usize)>,
    /// The class of elements that are left out.
    without: Option<&'c str>,
    /// One of those that has begun.
    leaving: Option<Leaving>,
}

/// An element that is left out once it has ended: one that never does may hold the whole text.
struct Leaving {
    element: String,
    /// Elements of the same name that are open, itself among them.
    open: usize,
    text: usize,
    anchors: usize,
}

/// The text of HTML: paragraphs apart by a blank line, `<br>` and list items by a line break, references decoded,
/// and addresses whole, also the parts that pages hide.
pub(super) fn read(html: &str) -> (String, Vec<Anchor>) {
    let Html { text, anchors, .. } = read_without(html, None);
    (text, anchors)
}

/// The same, without the elements of a class.
pub(super) fn read_without<'c>(html: &str, class: Option<&'c str>) -> Html<'c> {
    let mut read = Html { text: String::with_capacity(html.len()), without: class, ..Html::default() };
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        if c == '<'
            && let Some(end) = tag_end(rest)
        {
            read.tag(&rest[1..end]);
            rest = &rest[end + 1..];
            continue;
        }
        let (c, length) = reference(rest).filter(|_| c == '&').unwrap_or((c, c.len_utf8()));
        read.text.push(c);
        rest = &rest[length..];
    }
    read.text.truncate(read.text.trim_end().len());
    let end = read.text.len();
    read.anchors.retain(|anchor| anchor.span.end as usize <= end);
    read
}

impl Html<'_> {
    fn tag(&mut self, tag: &str) {
        let name = name(tag).to_ascii_lowercase();
        self.leave_out(&name, tag);
        let text = &mut self.text;
        match name.as_str() {
            "br" => text.push('\n'),
            "p" | "blockquote" | "pre" | "ul" | "ol" if !text.is_empty() => break_line(text, 2),
            "/li" => break_line(text, 1),
            "/p" | "/blockquote" | "/pre" | "/ul" | "/ol" => break_line(text, 2),
            "a" => self.open = Some((attribute(tag, "href"), attribute(tag, "class"), text.len())),
            "/a" => {
                if let Some((href, class, start)) = self.open.take()
                    && start < text.len()
                {
                    self.anchors.push(Anchor { href, class, span: Span::from(start..text.len()) });
                }
            }
            _ => {}
        }
    }

    /// Notes where an element begins that is left out, and takes it back where it ends.
    fn leave_out(&mut self, name: &str, tag: &str) {
        let Some(class) = self.without else { return };
        let Some(leaving) = &mut self.leaving else {
            if matches!(name, "p" | "span" | "div") && has_class(&attribute(tag, "class"), class) {
                let (text, anchors) = (self.text.len(), self.anchors.len());
                self.leaving = Some(Leaving { element: name.to_owned(), open: 1, text, anchors });
            }
            return;
        };
        if name == leaving.element {
            leaving.open += 1;
        } else if name.strip_prefix('/') == Some(leaving.element.as_str()) {
            leaving.open -= 1;
        }
        if let Some(left) = self.leaving.take_if(|leaving| leaving.open == 0) {
            self.text.truncate(left.text);
            let links = self.anchors.drain(left.anchors..).filter(Anchor::is_link);
            self.left_out.extend(links.map(|anchor| anchor.href));
            // The text of a link that began in it is gone.
            if self.open.as_ref().is_some_and(|(_, _, start)| *start > left.text) {
                self.open = None;
            }
        }
    }
}

/// Makes the text end in so many line breaks.
fn break_line(text: &mut String, breaks: usize) {
    let there = text.bytes().rev().take(breaks).take_while(|byte| *byte == b'\n').count();
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
    use super::{Anchor, read, read_without};

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

    #[test]
    fn what_has_a_class_is_left_out_where_it_ends() {
        let link = r#"<a href="https://q.example/1"><span>q.example/1</span></a>"#;
        for (html, text, left_out, others) in [
            (format!(r#"<p class="quote-inline">RE: {link}</p><p>Snow</p>"#), "Snow", 1, 0),
            (format!(r#"<p>Snow<span class="a quote-inline"><br><br>RE: {link}</span></p>"#), "Snow", 1, 0),
            (
                format!(r#"<p>a</p><p class="quote-inline">RE: {link}</p><p>b {link}</p>"#),
                "a\n\nb q.example/1",
                1,
                1,
            ),
            (r#"<a href="https://b.example"><span class="quote-inline">é</span>s</a>"#.to_owned(), "s", 0, 1),
            // One that never ends would be all of the text.
            (format!(r#"<p class="quote-inline">RE: {link} Snow"#), "RE: q.example/1 Snow", 0, 1),
            (r#"<span class="quote-inline">é<a href="https://b.example"></span>é</a>"#.to_owned(), "é", 0, 0),
        ] {
            let read = read_without(&html, Some("quote-inline"));
            assert_eq!(
                (read.text.as_str(), read.left_out.len(), read.anchors.len()),
                (text, left_out, others),
                "{html}"
            );
            assert!(read.anchors.iter().all(|anchor: &Anchor| read.text.get(anchor.span.range()).is_some()));
        }
    }
}
