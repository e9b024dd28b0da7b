//! Diagnostics as people read them: the expression, carets under the places, ways out.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use tweetfilter_core::Span;
use tweetfilter_core::syntax::{Diagnostic, Fix, Severity};
use tweetfilter_http::import::UNREADABLE;

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

    /// The place of a span in the expression.
    fn at(&self, text: &str, span: Span) -> annotate_snippets::Origin<'_> {
        let before = &text[..text.floor_char_boundary((span.start as usize).min(text.len()))];
        let line = self.first_line() + before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        annotate_snippets::Origin::path(self.path()).line(line).char_column(column)
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
    let title = level.primary_title(found.message.as_str()).id(found.code);
    if found.code == UNREADABLE {
        // It stands nowhere in the expression, if there is one.
        let place = annotate_snippets::Origin::path(origin.path());
        return renderer(style).render(&[title.element(place)]);
    }
    let part = Excerpt::around(text, found);
    let mut snippet = Snippet::source(part.text)
        .line_start(origin.first_line() + part.lines_before)
        .annotation(AnnotationKind::Primary.span(part.range(found.span)));
    if let Some((span, label)) = &found.second {
        snippet = snippet.annotation(AnnotationKind::Context.span(part.range(*span)).label(label.as_str()));
    }
    let told = match part.start {
        0 => title.element(snippet.path(origin.path())),
        // The place is one of the whole expression, not of what is shown.
        _ => title.element(origin.at(text, found.span)).element(snippet),
    };
    let mut report = vec![told];
    for fix in &found.fixes {
        report.push(way_out(fix, &part, origin));
    }
    renderer(style).render(&report)
}

fn way_out<'a>(fix: &'a Fix, part: &Excerpt<'a>, origin: &Origin) -> Group<'a> {
    let title = Level::HELP.secondary_title(fix.label.as_str());
    let patch = Patch::new(part.range(fix.span), fix.replacement.as_str());
    let line = origin.first_line() + part.lines_before;
    title.element(Snippet::source(part.text).line_start(line).patch(patch))
}

fn renderer(style: Style) -> Renderer {
    let renderer = if style.colors() { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(style.width())
}

/// The part of an expression that is shown; all of it unless it is very long.
struct Excerpt<'a> {
    text: &'a str,
    start: usize,
    lines_before: usize,
}

impl<'a> Excerpt<'a> {
    fn around(text: &'a str, found: &Diagnostic) -> Self {
        if text.len() <= SHOWN {
            return Self { text, start: 0, lines_before: 0 };
        }
        let place = (found.span.start as usize).min(text.len());
        let start = text.floor_char_boundary(place.saturating_sub(SHOWN / 2));
        let end = text.floor_char_boundary((start + SHOWN).min(text.len()));
        Self { text: &text[start..end], start, lines_before: text[..start].matches('\n').count() }
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
            let shown = diagnostics(&found, &long, &origin, plain());
            assert!(shown.len() < 6_000);
            assert!(shown.contains(&format!(" --> f:1:{}\n", at / 2 + 1)), "{shown}");
        }
        let lines = format!("{}<3", "é\n".repeat(3_000));
        let span = Span::new(9_000, 9_002);
        let found = [Diagnostic::error("code", span, "message").fix(span, "x", "label")];
        let shown = diagnostics(&found, &lines, &origin, plain());
        assert!(shown.contains(" --> f:3001:1\n") && shown.contains("\n3001 | <3\n"), "{shown}");
    }
}
