//! Words and phrases: which characters they may hold, and whether anything of them can match.

use std::borrow::Cow;

use super::chars::{is_dropped, is_inner, is_quote, is_word, syntax};
use super::report::Report;
use super::token::symbol_in_word;
use super::{Diagnostic, Form, Shape, TextPattern, print};
use crate::text::{Pattern, TokenKind, WildcardError, is_keycap, near_items, pattern};
use crate::{Limits, Span};

/// A run, its typographic forms replaced.
pub(super) fn clean(run: &str) -> String {
    run.chars().map(syntax).collect()
}

/// A word with full-width commas and colons as their ASCII kin: `:` between digits, else `-`, which joins as they do.
pub(super) fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let digits = out.ends_with(char::is_numeric) && chars.peek().is_some_and(|c| c.is_numeric());
        out.push(match c {
            '：' if digits => ':',
            '，' | '：' => '-',
            c => c,
        });
    }
    out
}

/// The content of quotes, escapes resolved, and whether a backslash stood before something else.
pub(super) fn unescape(inner: &str) -> (String, bool) {
    let mut out = String::with_capacity(inner.len());
    let mut literal = false;
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(&next) if c == '\\' && (next == '\\' || is_quote(next)) => {
                out.push(next);
                chars.next();
            }
            _ => {
                literal |= c == '\\';
                out.push(c);
            }
        }
    }
    (out, literal)
}

/// Whether a run is a word by its characters; reports it if not.
pub(super) fn is_bare_word(text: &str, span: Span, report: &mut Report) -> bool {
    // A keycap's sign may stand wherever a wildcard may.
    let keycaps = text.char_indices().map(|(i, c)| c == '#' && is_keycap(&text[i + 1..]));
    let chars: Vec<char> =
        text.chars().zip(keycaps).map(|(c, keycap)| if keycap { '*' } else { c }).collect();
    let edge = |c: char| is_word(c) || matches!(c, '*' | '?' | '_');
    let colon = |i: usize| {
        let digit = |c: Option<&char>| c.is_some_and(|c| c.is_numeric());
        i > 0 && digit(chars.get(i - 1)) && digit(chars.get(i + 1))
    };
    let inside = |(i, c): (usize, &char)| edge(*c) || is_inner(*c) || (*c == ':' && colon(i));
    let body =
        if chars.len() > 1 && chars.last() == Some(&'.') { &chars[..chars.len() - 1] } else { &chars[..] };
    let edges = body.first().is_some_and(|c| edge(*c)) && body.last().is_some_and(|c| edge(*c));
    if edges && chars.iter().enumerate().all(inside) {
        return true;
    }
    match text.strip_suffix('，') {
        Some(word) if word.chars().all(edge) && !word.is_empty() => {
            let comma = Span::new(span.end - '，'.len_utf8() as u32, span.end);
            let message = "A comma joins nothing here; write OR for any of them, or a space for all of them";
            report.push(Diagnostic::error("comma_or", comma, message).fix(span, word, "remove the comma"));
        }
        _ => report.push(symbol_in_word(text, span)),
    }
    false
}

/// What a pattern is searched for in, and so what would find characters there that no word is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Searched {
    /// The text: `contains:` would.
    Text,
    /// Links: `url_contains:` would, in place of the operator that stands here, if it has no other value.
    Links(Option<Span>),
    /// Another field: nothing would.
    Field,
}

impl Searched {
    /// Offers to search for the characters themselves, where something does.
    fn offer(self, found: Diagnostic, span: Span, text: &str, label: &str) -> Diagnostic {
        let (place, operator) = match self {
            Self::Text => (span, "contains"),
            Self::Links(Some(whole)) => (whole, "url_contains"),
            Self::Links(None) | Self::Field => return found,
        };
        found.fix(place, format!("{operator}:{}", print::quoted(text)), label)
    }
}

/// The tokens of words and phrases, kept from their check for whoever asks next, by their places.
#[derive(Default)]
pub(super) struct Checked(Vec<(Span, Pattern)>);

impl Checked {
    /// Keeps those of the word or phrase that stands behind all before.
    pub(super) fn keep(&mut self, span: Span, tokens: Pattern) {
        self.0.push((span, tokens));
    }

    /// Those of the word or phrase at a place, of this text, in which nothing is a wildcard.
    pub(super) fn tokens(&self, span: Span, text: &str) -> Cow<'_, Pattern> {
        match self.0.binary_search_by_key(&span, |kept| kept.0) {
            Ok(at) => Cow::Borrowed(&self.0[at].1),
            Err(_) => Cow::Owned(pattern(text, false).unwrap_or_default()),
        }
    }
}

/// Checks what its tokens say of a pattern, and gives them; `None` if it was reported as an error.
pub(super) fn check(
    p: &TextPattern,
    span: Span,
    searched: Searched,
    limits: &Limits,
    report: &mut Report,
) -> Option<Pattern> {
    let tokens = pattern(&p.text, p.shape == Shape::Word);
    let found = match (p.shape, &tokens) {
        _ if p.form == Form::Obfuscated && p.shape != Shape::Word => {
            Some(not_obfuscated(p, span, "~ goes with a single word, not with a phrase"))
        }
        (Shape::Word, tokens) => word(p, tokens, span, searched, report),
        (_, Err(_)) => None,
        (shape, Ok(tokens)) => phrase(p, tokens, span, searched, report).or_else(|| match shape {
            Shape::Near(distance) => near(p, distance, span, limits),
            _ => None,
        }),
    };
    match found {
        Some(diagnostic) => {
            report.push(diagnostic);
            None
        }
        None => Some(tokens.unwrap_or_default()),
    }
}

fn no_token(text: &str, span: Span, searched: Searched) -> Diagnostic {
    let message = "There is no letter, number or emoji in this, so no word can match";
    let found = Diagnostic::error("no_token", span, message);
    searched.offer(found, span, text, "search for the characters")
}

fn word(
    p: &TextPattern,
    tokens: &Result<Pattern, WildcardError>,
    span: Span,
    searched: Searched,
    report: &mut Report,
) -> Option<Diagnostic> {
    let text = &p.text;
    if text.starts_with('?') || text.ends_with('?') {
        return Some(edge_question_mark(text, span, searched));
    }
    let (code, message) = match tokens {
        Ok(tokens) if tokens.is_empty() => return Some(no_token(text, span, searched)),
        Ok(tokens) if p.form == Form::Obfuscated => return obfuscated(p, tokens, span),
        Ok(tokens) => {
            // A word of the text can't hold them, and links are full of them.
            if matches!(searched, Searched::Field) && loses(text, tokens, |c| is_lost(c) && c != '_') {
                let message =
                    "Symbols at the edge of a word are ignored; in this field only words are searched for";
                report.push(Diagnostic::warning("symbols_ignored", span, message));
            }
            return None;
        }
        Err(WildcardError::NotInLastToken(_)) => {
            ("wildcard_place", "In a word of several parts only the last part may hold wildcards")
        }
        Err(WildcardError::TooFewLiterals(_)) => {
            ("wildcard_short", "A wildcard needs at least two letters or digits side by side in its word")
        }
        Err(WildcardError::TooLong(_)) => {
            ("wildcard_long", "A word with wildcards has at most 100 characters besides *")
        }
        Err(WildcardError::NotInWord(_)) => (
            "wildcard_script",
            "Wildcards don't work with emoji and in scripts whose words are found by their characters",
        ),
    };
    let (found, label) = (Diagnostic::error(code, span, message), "search for it without wildcards");
    Some(match text.chars().any(char::is_alphanumeric) {
        true => found.fix(span, print::quoted(text), label),
        false => searched.offer(found, span, text, label),
    })
}

fn edge_question_mark(text: &str, span: Span, searched: Searched) -> Diagnostic {
    let inner = text.trim_matches('?');
    let message = "A question mark stands for one character, and only inside a word";
    let diagnostic = Diagnostic::error("edge_question_mark", span, message);
    if inner.is_empty() || inner.contains(['*', '?']) {
        return searched.offer(diagnostic, span, text, "search for the characters");
    }
    diagnostic.fix(span, inner, "search for the word alone").fix(
        span,
        print::quoted(text),
        "search for it as a phrase",
    )
}

/// Whether there are such characters before the first or behind the last token.
fn loses(text: &str, tokens: &Pattern, lost: impl Fn(char) -> bool) -> bool {
    let (Some(first), Some(last)) = (tokens.terms.first(), tokens.terms.last()) else { return false };
    let mut edges = text[..first.span.start as usize].chars().chain(text[last.span.end as usize..].chars());
    edges.any(lost)
}

fn phrase(
    p: &TextPattern,
    tokens: &Pattern,
    span: Span,
    searched: Searched,
    report: &mut Report,
) -> Option<Diagnostic> {
    let text = &p.text;
    if tokens.is_empty() {
        return Some(no_token(text, span, searched));
    }
    if loses(text, tokens, is_lost) {
        let message = match searched {
            Searched::Text => "Symbols at the edge of a phrase are ignored; contains: searches for them too",
            Searched::Links(_) => {
                "Symbols at the edge of a phrase are ignored; url_contains: searches for them too"
            }
            Searched::Field => {
                "Symbols at the edge of a phrase are ignored; in this field only words are searched for"
            }
        };
        let found = Diagnostic::warning("symbols_ignored", span, message);
        report.push(searched.offer(found, span, text, "search for the characters"));
    }
    let wild = text.char_indices().any(|(i, c)| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let (before, after) = (text[..i].chars().next_back(), text[i + c.len_utf8()..].chars().next());
        (c == '*' && (letter(before) || letter(after))) || (c == '?' && letter(before) && letter(after))
    });
    if wild {
        let message = "In a phrase * and ? are no wildcards but symbols, which are ignored";
        report.push(Diagnostic::warning("wildcard_in_phrase", span, message));
    }
    None
}

/// Whether a symbol at the edge of a phrase is worth a warning when it is ignored.
fn is_lost(c: char) -> bool {
    let quote =
        matches!(c, '"' | '\'' | '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' | '‹' | '›' | '«' | '»' | '`');
    let bracket = matches!(
        c,
        '(' | ')' | '[' | ']' | '{' | '}' | '（' | '）' | '「' | '」' | '『' | '』' | '【' | '】'
    );
    let stop =
        matches!(c, '.' | ',' | '!' | '?' | '…' | ':' | ';' | '¿' | '¡' | '。' | '、' | '，' | '！' | '？');
    !(c.is_whitespace() || is_dropped(c) || is_word(c) || quote || bracket || stop || c == '*')
}

fn near(p: &TextPattern, distance: u32, span: Span, limits: &Limits) -> Option<Diagnostic> {
    if distance > limits.proximity_distance {
        let most = limits.proximity_distance;
        let tilde = print::quoted(&p.text);
        return Some(
            Diagnostic::error(
                "limit_proximity_distance",
                span,
                format!("The distance is {distance}; the limit proximity_distance is {most}"),
            )
            .fix(span, format!("{tilde}~{most}"), "use the largest distance"),
        );
    }
    let items = near_items(&p.text).len();
    let most = limits.items_of_proximity();
    if items > most {
        return Some(Diagnostic::error(
            "limit_proximity_items",
            span,
            format!("This proximity has {items} items; the limit proximity_items is {most}"),
        ));
    }
    (items < 2).then(|| {
        Diagnostic::error(
            "proximity_items",
            span,
            "A proximity needs at least two items, with spaces between them",
        )
        .fix(span, print::quoted(&p.text), "search for the phrase")
    })
}

fn not_obfuscated(p: &TextPattern, span: Span, message: &str) -> Diagnostic {
    let plain = if p.shape == Shape::Word { p.text.clone() } else { print::quoted(&p.text) };
    Diagnostic::error("obfuscated_word", span, message).fix(span, plain, "search for it as it is")
}

fn obfuscated(p: &TextPattern, tokens: &Pattern, span: Span) -> Option<Diagnostic> {
    if p.text.contains(['*', '?']) {
        return Some(not_obfuscated(p, span, "~ and wildcards don't go together"));
    }
    match &tokens.terms[..] {
        [t] if t.kind == TokenKind::Word && t.plain.chars().count() >= 4 => None,
        _ => Some(not_obfuscated(p, span, "~ goes with one word of at least four letters")),
    }
}
