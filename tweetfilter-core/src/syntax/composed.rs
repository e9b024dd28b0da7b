//! Regexes in composed characters, as the texts are in which they are searched for.

use std::convert::Infallible;
use std::ops::Range;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{self, Ast, ClassSetItem, Literal, LiteralKind};
use unicode_segmentation::UnicodeSegmentation;

use super::regexes::NESTED;
use crate::text;

/// The NFC of the characters that stand for themselves in a regex. Escapes, names and ranges stay as they were typed, and
/// so does all of what is no regex.
pub(super) fn composed(pattern: String, verbose: bool) -> String {
    if text::nfc(&pattern) == pattern {
        return pattern;
    }
    let parsed = ParserBuilder::new().nest_limit(NESTED).ignore_whitespace(verbose).build().parse(&pattern);
    let Ok(parsed) = parsed else { return pattern };
    let runs = ast::visit(&parsed, Runs::default()).unwrap_or_default();
    let (mut out, mut done) = (String::with_capacity(pattern.len()), 0);
    for Run { place, in_class } in runs {
        out.push_str(&pattern[done..place.start]);
        for cluster in pattern[place.clone()].graphemes(true) {
            let composed = text::nfc(cluster);
            // A class is of single characters.
            match in_class && composed.chars().count() > 1 {
                true => out.push_str(cluster),
                false => out.push_str(&composed),
            }
        }
        done = place.end;
    }
    out.push_str(&pattern[done..]);
    out
}

/// Characters side by side that stand for themselves.
struct Run {
    place: Range<usize>,
    in_class: bool,
}

#[derive(Default)]
struct Runs(Vec<Run>);

impl Runs {
    fn put(&mut self, literal: &Literal, in_class: bool) {
        if literal.kind != LiteralKind::Verbatim {
            return;
        }
        let place = literal.span.start.offset..literal.span.end.offset;
        match self.0.last_mut() {
            Some(run) if run.place.end == place.start => run.place.end = place.end,
            _ => self.0.push(Run { place, in_class }),
        }
    }
}

impl ast::Visitor for Runs {
    type Output = Vec<Run>;
    type Err = Infallible;

    fn finish(self) -> Result<Vec<Run>, Infallible> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, part: &Ast) -> Result<(), Infallible> {
        if let Ast::Literal(literal) = part {
            self.put(literal, false);
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Infallible> {
        if let ClassSetItem::Literal(literal) = item {
            self.put(literal, true);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::composed;

    #[test]
    fn characters_are_composed() {
        for (typed, expected) in [
            ("cafe\u{301}", "café"),
            ("か\u{3099}", "が"),
            ("(\u{1112}\u{1161}\u{11ab}|\u{2126})\u{212a}", "(한|Ω)K"),
            ("^e\u{301}+a?\u{301}", "^é+a?\u{301}"),
            ("[e\u{301}xo\u{308}]", "[éxö]"),
            ("[^\u{212a}]", "[^K]"),
        ] {
            assert_eq!(composed(typed.to_owned(), false), expected, "{typed:?}");
            assert_eq!(composed(expected.to_owned(), false), expected, "{typed:?}");
        }
        assert_eq!(composed("e \u{301} e\u{301} # e\u{301}".into(), true), "e \u{301} é # e\u{301}");
    }

    #[test]
    fn what_is_no_character_of_the_text_stays() {
        for typed in [
            "\\w\u{301}",
            "\\pL\u{301}",
            "\\x{65}\u{301}",
            "\\u00ea\u{301}",
            "\\.\u{301}",
            "[a\u{300}-\u{36f}]",
            "[a-e\u{301}]",
            "[\u{958}]",
            "(?<n>\u{338}a)",
            "e\u{301}(",
        ] {
            assert_eq!(composed(typed.to_owned(), false), typed);
        }
    }
}
