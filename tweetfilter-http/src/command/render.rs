//! Diagnostics as people read them: the expression, carets under the places, ways out.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use tweetfilter_core::Span;
use tweetfilter_core::syntax::{Diagnostic, Fix, Severity};

use super::terminal::Style;

/// Where an expression comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// File as the user named it, or `--expr`.
    pub(crate) name: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// What leads to the expression where the line doesn't, to be put behind the file's name; lines and columns
    /// are then those of the expression itself.
    pub(crate) within: Option<String>,
}

impl Origin {
    fn path(&self) -> String {
        format!("{}{}", self.name, self.within.as_deref().unwrap_or_default())
    }

    fn first_line(&self) -> usize {
        if self.within.is_some() { 1 } else { self.line }
    }
}

/// Longer expressions are shown around the place only.
const SHOWN: usize = 2_000;

/// The text of diagnostics about one expression, each ending in a line break.
pub(crate) fn diagnostics(found: &[Diagnostic], text: &str, origin: &Origin, style: Style) -> String {
    let mut shown = String::new();
    for diagnostic in found {
        shown.push_str(&one(diagnostic, text, origin, style));
        shown.push_str("\n\n");
    }
    shown
}

fn one(found: &Diagnostic, text: &str, origin: &Origin, style: Style) -> String {
    let level = match found.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let part = Excerpt::around(text, found);
    let mut snippet = Snippet::source(part.text)
        .path(origin.path())
        .line_start(origin.first_line())
        .annotation(AnnotationKind::Primary.span(part.range(found.span)));
    if let Some((span, label)) = &found.second {
        snippet = snippet.annotation(AnnotationKind::Context.span(part.range(*span)).label(label.as_str()));
    }
    let mut report = vec![level.primary_title(found.message.as_str()).id(found.code).element(snippet)];
    for fix in &found.fixes {
        report.push(way_out(fix, &part, origin));
    }
    renderer(style).render(&report)
}

fn way_out<'a>(fix: &'a Fix, part: &Excerpt<'a>, origin: &Origin) -> Group<'a> {
    let title = Level::HELP.secondary_title(fix.label.as_str());
    let patch = Patch::new(part.range(fix.span), fix.replacement.as_str());
    title.element(Snippet::source(part.text).line_start(origin.first_line()).patch(patch))
}

fn renderer(style: Style) -> Renderer {
    let renderer = if style.colors() { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(style.width())
}

/// The part of an expression that is shown; all of it unless it is very long.
struct Excerpt<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Excerpt<'a> {
    fn around(text: &'a str, found: &Diagnostic) -> Self {
        if text.len() <= SHOWN {
            return Self { text, start: 0 };
        }
        let place = (found.span.start as usize).min(text.len());
        let start = text.floor_char_boundary(place.saturating_sub(SHOWN / 2));
        let end = text.floor_char_boundary((start + SHOWN).min(text.len()));
        Self { text: &text[start..end], start }
    }

    /// The range of a span within the excerpt; clipped to it, on character boundaries.
    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let clip = |at: u32| {
            let at = (at as usize).saturating_sub(self.start).min(self.text.len());
            self.text.floor_char_boundary(at)
        };
        clip(span.start)..clip(span.end).max(clip(span.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Style {
        Style::stdout()
    }

    #[test]
    fn carets_stand_under_wide_characters() {
        let text = "東京 OR <3";
        let span = Span::new(10, 12);
        let found = Diagnostic::error("symbol_in_word", span, "`<` can't stand in a word").fix(
            span,
            "contains:\"<3\"",
            "search for it as it stands",
        );
        let origin = Origin { name: "filters.txt".to_owned(), line: 7, within: None };
        let shown = diagnostics(&[found], text, &origin, plain());
        assert_eq!(
            shown,
            "error[symbol_in_word]: `<` can't stand in a word
 --> filters.txt:7:7
  |
7 | 東京 OR <3
  |         ^^
  |
help: search for it as it stands
  |
7 - 東京 OR <3
7 + 東京 OR contains:\"<3\"
  |

"
        );
    }

    #[test]
    fn any_place_of_any_text_is_shown() {
        let long = "é".repeat(5_000);
        let origin = Origin { name: "f".to_owned(), line: 1, within: None };
        for (text, span) in [("", Span::new(0, 0)), ("a", Span::new(1, 1)), ("é", Span::new(1, 9))] {
            let found = [Diagnostic::error("code", span, "message").fix(span, "x", "label")];
            assert!(diagnostics(&found, text, &origin, plain()).contains("error[code]"));
        }
        for at in [0, 1, 4_999, 9_999, 10_000] {
            let found = [Diagnostic::error("code", Span::new(at, at + 1), "message")];
            assert!(diagnostics(&found, &long, &origin, plain()).len() < 6_000);
        }
    }
}
