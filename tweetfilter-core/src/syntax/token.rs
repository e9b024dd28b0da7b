//! The lexer: from text to lexemes, in one pass.
//!
//! Lexemes are slices of the text as typed; what they mean is decided later. A lexeme that is not well formed
//! is reported here and passed on as [`Lexeme::Bad`], so that the parser goes on behind it.

mod operand;
mod raw;

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{digit1, satisfy};
use nom::combinator::{map, value};

pub(super) use operand::symbol_in_word;
pub(super) use raw::{Raw, RawKind};
use raw::{boundary, gap, gap1, operator_name, run};

use super::chars::{is_boundary, is_dash, is_dropped, is_quote, syntax};
use super::report::Report;
use super::{Diagnostic, QuotaCount, Scope, operators};
use crate::Span;
use crate::text::is_keycap;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme<'a> {
    Open,
    Close,
    Comma,
    /// `-`; it stood directly before its operand, or that was reported.
    Minus,
    And,
    Or,
    Not,
    /// `2 of (`, parenthesis included.
    Quota(QuotaCount),
    /// `in:quote(`, parenthesis included.
    Scope(Scope),
    /// A word, or a phrase with or without distance.
    Text(Raw<'a>),
    /// `/pattern/flags`
    Regex {
        pattern: &'a str,
        flags: &'a str,
    },
    /// `{name}`
    Set(&'a str),
    /// `#`, `@` or `$` and the run behind it.
    Entity(char, &'a str),
    /// `name:value,value`
    Operator {
        name: &'a str,
        values: Vec<Raw<'a>>,
    },
    /// An operand that was reported.
    Bad,
}

/// A lexeme and its place.
pub(super) type Placed<'a> = (Lexeme<'a>, Span);

pub(super) struct Lexer<'a, 'r> {
    pub(super) text: &'a str,
    pub(super) rest: &'a str,
    pub(super) report: &'r mut Report,
    /// For each open parenthesis whether it is a quota's.
    open: Vec<bool>,
    out: Vec<Placed<'a>>,
}

/// Cuts a text into lexemes.
pub(super) fn lexemes<'a>(text: &'a str, report: &mut Report) -> Vec<Placed<'a>> {
    let mut lexer = Lexer { text, rest: text, report, open: Vec::new(), out: Vec::new() };
    loop {
        lexer.skip_gap();
        if lexer.rest.is_empty() {
            return lexer.out;
        }
        lexer.step();
    }
}

impl<'a> Lexer<'a, '_> {
    fn step(&mut self) {
        let start = self.rest;
        let Some(first) = self.peek() else { return };
        match syntax(first) {
            '(' => self.delimiter(Lexeme::Open),
            ')' => self.delimiter(Lexeme::Close),
            ',' => self.delimiter(Lexeme::Comma),
            '-' => self.minus(),
            _ if is_dash(first) => self.dash(),
            '"' => self.text_operand(),
            '/' => self.regex(),
            '{' => self.set(),
            '#' if is_keycap(&start[first.len_utf8()..]) => self.text_operand(),
            sigil @ ('#' | '@' | '$') => self.entity(sigil),
            _ => self.word_like(),
        }
        debug_assert!(self.rest.len() < start.len(), "every step consumes something");
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Where a slice of the text stands in it.
    pub(super) fn span(&self, part: &str) -> Span {
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        Span::from(start..start + part.len())
    }

    /// From the start of a slice up to the present place.
    pub(super) fn since(&self, start: &'a str) -> Span {
        self.span(&start[..start.len() - self.rest.len()])
    }

    pub(super) fn push(&mut self, lexeme: Lexeme<'a>, start: &'a str) {
        let span = self.since(start);
        self.out.push((lexeme, span));
    }

    pub(super) fn error(&mut self, diagnostic: Diagnostic) {
        self.report.push(diagnostic);
    }

    pub(super) fn advance(&mut self, c: char) {
        self.rest = &self.rest[c.len_utf8()..];
    }

    fn skip_gap(&mut self) {
        self.rest = self.rest.trim_start();
    }

    pub(super) fn is_outermost(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn in_quota(&self) -> bool {
        self.open.last() == Some(&true)
    }

    fn delimiter(&mut self, lexeme: Lexeme<'a>) {
        let start = self.rest;
        match lexeme {
            Lexeme::Open => self.open.push(false),
            Lexeme::Close => drop(self.open.pop()),
            _ => {}
        }
        if let Some(c) = self.peek() {
            self.advance(c);
        }
        self.push(lexeme, start);
    }

    /// Whether an operand can begin at the present place.
    fn before_operand(&self) -> bool {
        self.peek().is_some_and(|c| !c.is_whitespace() && !matches!(syntax(c), ')' | ','))
    }

    fn minus(&mut self) {
        let start = self.rest;
        if let Some(c) = self.peek() {
            self.advance(c);
        }
        if self.before_operand() {
            return self.push(Lexeme::Minus, start);
        }
        let span = self.since(start);
        let after = gap(self.rest).map_or(self.rest, |r| r.0);
        let ends =
            after.chars().next().is_none_or(|c| matches!(syntax(c), ')' | ',')) || keyword(after).is_some();
        let diagnostic =
            Diagnostic::error("dangling_minus", span, "A minus must stand directly before what it negates");
        if ends {
            self.error(diagnostic.fix(span, "", "remove the minus"));
            self.push(Lexeme::Bad, start);
        } else {
            let space = self.span(&self.rest[..self.rest.len() - after.len()]);
            self.error(diagnostic.fix(space, "", "remove the space"));
            self.push(Lexeme::Minus, start);
        }
    }

    fn dash(&mut self) {
        let start = self.rest;
        if let Some(c) = self.peek() {
            self.advance(c);
        }
        let span = self.since(start);
        let diagnostic =
            Diagnostic::error("dash_not_minus", span, "This is a dash, not the minus sign that negates");
        if self.before_operand() {
            self.error(diagnostic.fix(span, "-", "use a minus sign"));
            self.push(Lexeme::Minus, start);
        } else {
            self.error(diagnostic.fix(span, "", "remove the dash"));
            if self.out.is_empty() && self.rest.trim().is_empty() {
                self.push(Lexeme::Bad, start);
            }
        }
    }

    /// A run that begins with none of the special characters: a keyword, quota, scope, operator or word.
    fn word_like(&mut self) {
        let start = self.rest;
        if let Some((after, word)) = keyword(start) {
            self.rest = after;
            return self.push(word, start);
        }
        if let Ok((after, count)) = quota(start) {
            self.rest = after;
            self.open.push(true);
            return self.push(Lexeme::Quota(count), start);
        }
        if let Ok((after, name)) = operator_name(start) {
            return self.operator(name, after);
        }
        self.text_operand();
    }

    fn operator(&mut self, name: &'a str, after: &'a str) {
        let start = self.rest;
        if name.eq_ignore_ascii_case("in")
            && let Ok((after, scope)) = scope(after)
        {
            self.rest = after;
            self.open.push(false);
            return self.push(Lexeme::Scope(scope), start);
        }
        if after.starts_with("//") && operators::find(name).is_none() {
            return self.bare_url();
        }
        self.rest = after;
        if self.no_value_follows() {
            return self.value_missing(name, start);
        }
        let mut values = Vec::new();
        loop {
            match self.value() {
                Some(value) => values.push(value),
                None => return self.no_operand(start),
            }
            if !self.another_value() {
                break;
            }
            self.advance(',');
        }
        self.finish(Lexeme::Operator { name, values }, start);
    }

    /// Whether a comma and a value follow.
    fn another_value(&self) -> bool {
        let next = self.rest.strip_prefix(',').and_then(|after| after.chars().next());
        !self.in_quota()
            && next.is_some_and(|c| {
                c == '{' || c == '[' || is_quote(c) || !(is_boundary(c) || matches!(c, ']' | '}'))
            })
    }

    /// A word or phrase.
    fn text_operand(&mut self) {
        let start = self.rest;
        match self.value() {
            Some(Raw { kind: RawKind::Run(":" | ";" | ":-" | ";-" | ":'"), .. }) if self.is_mouth() => {
                self.emoticon(start);
            }
            Some(raw) => self.finish(Lexeme::Text(raw), start),
            None => self.no_operand(start),
        }
    }
}

/// `AND`, `OR`, `NOT` as whole words; what stands before is the caller's business.
pub(super) fn keyword(input: &str) -> Option<(&str, Lexeme<'_>)> {
    let mut word =
        alt((value(Lexeme::And, tag("AND")), value(Lexeme::Or, tag("OR")), value(Lexeme::Not, tag("NOT"))));
    let result: nom::IResult<&str, Lexeme<'_>> = word.parse(input);
    let (after, lexeme) = result.ok()?;
    boundary(after).then_some((after, lexeme))
}

fn quota(input: &str) -> nom::IResult<&str, QuotaCount> {
    let count = alt((
        map(digit1, |n: &str| QuotaCount::AtLeast(n.parse().unwrap_or(u32::MAX))),
        value(QuotaCount::Any, tag("any")),
        value(QuotaCount::All, tag("all")),
        value(QuotaCount::None, tag("none")),
    ));
    let open = satisfy(|c| syntax(c) == '(');
    map((count, gap1, tag("of"), gap, open), |parts| parts.0).parse(input)
}

fn scope(input: &str) -> nom::IResult<&str, Scope> {
    let open = satisfy(|c| syntax(c) == '(');
    let name = run.map_opt(|name: &str| match name.to_ascii_lowercase().as_str() {
        "quote" => Some(Scope::Quote),
        "retweet" => Some(Scope::Retweet),
        _ => None,
    });
    map((name, open), |parts| parts.0).parse(input)
}

/// Whether a text is one word, phrase or value and nothing else.
pub(super) fn is_one_value(text: &str) -> bool {
    let whole = raw::raw(text).is_ok_and(|(after, raw)| {
        after.is_empty() && matches!(raw.kind, RawKind::Run(_) | RawKind::Quoted(_))
    });
    whole && !text.contains(is_dropped)
}
