//! Operands with a shape of their own, and what is wrong with operands before they mean anything.

use super::raw::{self, boundary, gap, run};
use super::{Lexeme, Lexer, Raw, keyword};
use crate::Span;
use crate::syntax::chars::{is_boundary, is_quote, syntax};
use crate::syntax::{Diagnostic, advice, operators, print, suggest};

impl<'a> Lexer<'a, '_> {
    /// The word, phrase or value at the present place; `None`, with nothing reported, where there is none.
    pub(super) fn value(&mut self) -> Option<Raw<'a>> {
        let (after, raw) = raw::raw(self.rest).ok()?;
        self.rest = after;
        Some(raw)
    }

    /// Passes an operand on, and reports what is glued to its end.
    pub(super) fn finish(&mut self, lexeme: Lexeme<'a>, start: &'a str) {
        if boundary(self.rest) {
            return self.push(lexeme, start);
        }
        let is_word = matches!(&lexeme, Lexeme::Text(raw) if matches!(raw.kind, raw::RawKind::Run(_)));
        match self.peek() {
            Some('[' | ']' | '{' | '}') if is_word => self.symbols(start),
            Some('[' | ']' | '{' | '}') => {
                self.push(lexeme, start);
                self.symbols(self.rest);
            }
            Some(c) if is_quote(c) && raw::quoted(self.rest).is_err() => self.push(lexeme, start),
            _ => {
                let here = self.span(&self.rest[..0]);
                let diagnostic = Diagnostic::error(
                    "missing_space",
                    self.since(start),
                    "There must be a space between this and what follows",
                );
                self.error(diagnostic.fix(here, " ", "insert a space"));
                self.push(lexeme, start);
            }
        }
    }

    /// Something that is no operand: an open quote, or a stray bracket.
    pub(super) fn no_operand(&mut self, start: &'a str) {
        let mut here = self.rest;
        if let Some(sign @ ('=' | '~')) = self.peek() {
            here = &here[sign.len_utf8()..];
        }
        if !here.starts_with(is_quote) {
            return self.symbols(start);
        }
        self.rest = here;
        if let Some(c) = self.peek() {
            self.advance(c);
        }
        let quote = self.span(&here[..here.len() - self.rest.len()]);
        self.rest = &self.rest[self.rest.len()..];
        let end = self.span(self.rest);
        let closing = if here.ends_with('\\') { "\\\"" } else { "\"" };
        let message = "This quotation mark is never closed";
        self.error(Diagnostic::error("unclosed_quote", quote, message).fix(
            end,
            closing,
            "close it at the end",
        ));
        self.push(Lexeme::Bad, start);
    }

    /// From `start` to the end of the run, brackets included, is not a word.
    fn symbols(&mut self, start: &'a str) {
        let end = self.rest.find(|c: char| is_boundary(c) || is_quote(c)).unwrap_or(self.rest.len());
        self.rest = &self.rest[end..];
        let span = self.since(start);
        let text = &self.text[span.range()];
        self.error(symbol_in_word(text, span));
        self.push(Lexeme::Bad, start);
    }

    /// Whether a parenthesis follows that closes or opens nothing, as in `:)`.
    pub(super) fn is_mouth(&self) -> bool {
        match self.peek().map(syntax) {
            Some(')') => self.is_outermost(),
            Some('(') => boundary(&self.rest[self.peek().map_or(0, char::len_utf8)..]),
            _ => false,
        }
    }

    /// `:)` and the like.
    pub(super) fn emoticon(&mut self, start: &'a str) {
        if let Some(c) = self.peek() {
            self.advance(c);
        }
        let span = self.since(start);
        let text = &self.text[span.range()];
        self.error(symbol_in_word(text, span));
        self.push(Lexeme::Bad, start);
    }

    pub(super) fn regex(&mut self) {
        let start = self.rest;
        let closed = raw::regex(start);
        if let Ok((after, (pattern, flags))) = &closed {
            let known = flags.chars().all(|c| "ismx".contains(c));
            self.rest = after;
            if known && boundary(after) {
                return self.push(Lexeme::Regex { pattern, flags }, start);
            }
        }
        // Behind a closed one the rest of the run; else the run that began with the slash.
        let from = if closed.is_ok() { self.rest } else { &start[1..] };
        let end = from.find(|c: char| is_boundary(c) || is_quote(c)).unwrap_or(from.len());
        self.rest = &from[end..];
        let span = self.since(start);
        let text = &self.text[span.range()];
        let mut diagnostic = Diagnostic::error(
            "regex_end",
            span,
            "A slash begins a regex, which must end in a slash and perhaps the flags i, s, m, x, and then a space",
        );
        if let Ok((after, (pattern, flags))) = closed
            && boundary(after)
            && flags.len() <= 2
        {
            let kept: String = flags.chars().filter(|c| "ismx".contains(*c)).collect();
            diagnostic = diagnostic.fix(span, format!("/{pattern}/{kept}"), "drop the unknown flags");
        }
        let bare = text.trim_matches('/');
        if !bare.is_empty() {
            diagnostic = diagnostic.fix(span, print::quoted(bare), "search for the words");
        }
        self.error(diagnostic.fix(
            span,
            format!("contains:{}", print::quoted(text)),
            "search for the characters",
        ));
        self.push(Lexeme::Bad, start);
    }

    pub(super) fn set(&mut self) {
        let start = self.rest;
        match raw::braced(start) {
            Ok((after, name)) => {
                self.rest = after;
                self.finish(Lexeme::Set(name), start);
            }
            Err(_) => self.symbols(start),
        }
    }

    pub(super) fn entity(&mut self, sigil: char) {
        let start = self.rest;
        if let Some(c) = self.peek() {
            self.advance(c);
        }
        let name = run(self.rest).map_or(&self.rest[..0], |(after, name)| {
            self.rest = after;
            name
        });
        self.finish(Lexeme::Entity(sigil, name), start);
    }

    /// `https://…` as it stands.
    pub(super) fn bare_url(&mut self) {
        let start = self.rest;
        let end = start.find(|c: char| c.is_whitespace() || is_quote(c) || matches!(syntax(c), '(' | ')'));
        self.rest = &start[end.unwrap_or(start.len())..];
        let span = self.since(start);
        let url = &self.text[span.range()];
        let mut diagnostic = Diagnostic::error(
            "bare_url",
            span,
            "A link is searched for with url: or domain:",
        )
        .fix(span, format!("url:{}", print::quoted(url)), "search for this link");
        let host = url.split("//").nth(1).unwrap_or("");
        let host = host.split(['/', '?', '#']).next().unwrap_or("").rsplit('@').next().unwrap_or("");
        let host = host.split(':').next().unwrap_or("").trim_matches('.');
        if !host.is_empty() && !host.contains(['{', '}', '[', ']', ',']) {
            diagnostic = diagnostic.fix(span, format!("domain:{host}"), "search for links to this site");
        }
        self.error(diagnostic);
        self.push(Lexeme::Bad, start);
    }

    /// Whether what stands behind a colon cannot be a value.
    pub(super) fn no_value_follows(&self) -> bool {
        boundary(self.rest)
    }

    /// An operator without value: a space or a group behind the colon, or nothing.
    pub(super) fn value_missing(&mut self, name: &'a str, start: &'a str) {
        let head = self.since(start);
        let known = operators::find(name).is_some();
        if self.peek().is_some_and(|c| syntax(c) == '(') && known {
            let group = self.rest;
            self.rest = behind_group(group);
            let span = self.since(start);
            let inner = &group[..group.len() - self.rest.len()];
            let message = format!("{name}: takes values, not a group in parentheses");
            let diagnostic = Diagnostic::error("group_as_value", span, message);
            let diagnostic = match suggest::distribute(name, inner) {
                Some(text) => diagnostic.fix(span, text, "give it to each of them"),
                None => diagnostic,
            };
            self.error(diagnostic);
            return self.push(Lexeme::Bad, start);
        }
        let after = gap(self.rest).map_or(self.rest, |r| r.0);
        let space = self.span(&self.rest[..self.rest.len() - after.len()]);
        let follows = after.len() < self.rest.len() && !boundary(after) && keyword(after).is_none();
        if follows && known {
            self.rest = after;
            let _ = self.value();
            let message = format!("There must be no space between {name}: and its value");
            self.error(Diagnostic::error("space_after_colon", head.to(space), message).fix(
                space,
                "",
                "remove the space",
            ));
        } else if known {
            let mut diagnostic = Diagnostic::error("missing_value", head, format!("{name}: needs a value"));
            if self.another_value() {
                diagnostic = diagnostic.fix(self.span(&self.rest[..1]), "", "remove the comma");
            }
            // What is listed behind the missing one belongs to it.
            while self.another_value() {
                self.advance(',');
                if self.value().is_none() {
                    break;
                }
            }
            self.error(diagnostic);
        } else if let Some(advice) = advice::of(name) {
            let message = format!("{name}: is not supported. {advice}");
            self.error(Diagnostic::error("unsupported_operator", head, message));
        } else {
            let colon = Span::new(head.end - 1, head.end);
            let message = format!("There is no operator {name}:");
            self.error(
                Diagnostic::error("unknown_operator", head, message)
                    .fix(head, print::quoted(name), "search for the word")
                    .fix(colon, "", "remove the colon"),
            );
        }
        self.push(Lexeme::Bad, start);
    }
}

/// The error for a run that holds characters which no word can hold.
pub(in crate::syntax) fn symbol_in_word(text: &str, span: Span) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        "symbol_in_word",
        span,
        "A word can't hold these characters; put them in quotes, or search for them with contains:",
    );
    if let Some(inner) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''))
        && inner.chars().any(char::is_alphanumeric)
    {
        diagnostic = diagnostic.fix(span, print::quoted(inner), "use double quotes");
    }
    diagnostic.fix(span, format!("contains:{}", print::quoted(text)), "search for the characters")
}

/// What stands behind the group that a text begins with, or its end.
fn behind_group(text: &str) -> &str {
    let mut depth = 0usize;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match syntax(c) {
            '(' => depth += 1,
            ')' => depth -= 1,
            '"' => match raw::quoted(rest) {
                Ok((after, _)) => {
                    rest = after;
                    continue;
                }
                Err(_) => return &rest[rest.len()..],
            },
            _ => {}
        }
        rest = &rest[c.len_utf8()..];
        if depth == 0 {
            break;
        }
    }
    rest
}
