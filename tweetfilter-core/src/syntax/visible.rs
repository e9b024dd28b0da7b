//! Invisible characters outside quotes and regexes are taken out before anything else looks at the text.

use super::chars::{is_dropped, is_quote};
use super::diagnostic::Diagnostic;
use super::{Node, NodeKind};
use crate::Span;

/// A text without its invisible characters, and where those stood.
pub(super) struct Visible {
    pub(super) text: String,
    /// Each character that was dropped: where it would stand in what is left, and its place as typed.
    dropped: Vec<(u32, Span)>,
}

impl Visible {
    /// `None` if nothing is to be dropped.
    pub(super) fn of(typed: &str) -> Option<Self> {
        if !typed.contains(is_dropped) {
            return None;
        }
        let mut text = String::with_capacity(typed.len());
        let mut dropped = Vec::new();
        let mut within = Within::Nothing;
        let mut escaped = false;
        for (at, c) in typed.char_indices() {
            if is_dropped(c) && within == Within::Nothing {
                dropped.push((text.len() as u32, Span::from(at..at + c.len_utf8())));
                continue;
            }
            within = match within {
                _ if escaped => within,
                Within::Nothing if is_quote(c) => Within::Quotes,
                Within::Nothing if c == '/' && starts_operand(&text) => Within::Regex,
                Within::Quotes if is_quote(c) => Within::Nothing,
                Within::Regex if c == '/' => Within::Nothing,
                other => other,
            };
            escaped = c == '\\' && !escaped && within != Within::Nothing;
            text.push(c);
        }
        (!dropped.is_empty()).then_some(Self { text, dropped })
    }

    /// A note for each character that was dropped.
    pub(super) fn notes(&self) -> impl Iterator<Item = Diagnostic> {
        self.dropped.iter().map(|&(_, span)| {
            let message = "An invisible character here is ignored";
            let note = Diagnostic::warning("invisible_dropped", span, message);
            note.fix(span, "", "remove the character")
        })
    }

    /// Moves the places of a tree to the text as typed.
    pub(super) fn restore_tree(&self, node: &mut Node) {
        node.span = self.typed(node.span);
        match &mut node.kind {
            NodeKind::And(nodes) | NodeKind::Or(nodes) => nodes.iter_mut().for_each(|n| self.restore_tree(n)),
            NodeKind::Quota(quota) => quota.items.iter_mut().for_each(|n| self.restore_tree(n)),
            NodeKind::Not(node) | NodeKind::Scope(_, node) => self.restore_tree(node),
            NodeKind::Atom(_) => {}
        }
    }

    /// Moves the places of a diagnostic to the text as typed.
    pub(super) fn restore(&self, diagnostic: &mut Diagnostic) {
        diagnostic.span = self.typed(diagnostic.span);
        if let Some((span, _)) = &mut diagnostic.second {
            *span = self.typed(*span);
        }
        for fix in &mut diagnostic.fixes {
            fix.span = self.typed(fix.span);
        }
    }

    /// The place as typed: from the first to the last character that is left of it.
    fn typed(&self, span: Span) -> Span {
        let before = |n: usize| self.dropped[..n].iter().map(|(_, span)| span.len() as u32).sum::<u32>();
        let start = span.start + before(self.dropped.partition_point(|(at, _)| *at <= span.start));
        let end = span.end + before(self.dropped.partition_point(|(at, _)| *at < span.end));
        Span::new(start, end.max(start))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Within {
    Nothing,
    Quotes,
    Regex,
}

/// Whether what follows a text is the beginning of an operand.
fn starts_operand(before: &str) -> bool {
    let last = before.chars().next_back();
    last.is_none_or(|c| c.is_whitespace() || matches!(super::chars::syntax(c), '(' | ',' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_what_was_typed() {
        let typed = "\u{200b}a\u{200b}b \u{1}\"c\u{200b}\\\"\u{1}\"\u{200b} /d\u{200b}\\//\u{200b}";
        let visible = Visible::of(typed).expect("something is dropped");
        assert_eq!(visible.text, "ab \"c\u{200b}\\\"\u{1}\" /d\u{200b}\\//");
        for (part, expected) in [("ab", "a\u{200b}b"), ("\"c\u{200b}\\\"\u{1}\"", "\"c\u{200b}\\\"\u{1}\"")] {
            let at = visible.text.find(part).expect("it is there");
            let place = visible.typed(Span::from(at..at + part.len()));
            assert_eq!(&typed[place.range()], expected);
        }
        assert_eq!(visible.notes().count(), 5);
        assert!(Visible::of("ab \"\u{200b}\"").is_none());
    }
}
