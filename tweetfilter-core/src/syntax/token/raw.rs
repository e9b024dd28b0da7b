//! The small nom parsers: gaps, runs, quotes, brackets.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while_m_n, take_while1};
use nom::character::complete::{anychar, char, one_of, satisfy};
use nom::combinator::{consumed, map, opt, recognize, value};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::syntax::chars::{is_boundary, is_delimiter, is_quote};

/// A word, phrase or operator value as typed.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::syntax) struct Raw<'a> {
    /// All of it.
    pub(in crate::syntax) all: &'a str,
    /// `=` or `~` before it.
    pub(in crate::syntax) sign: Option<char>,
    pub(in crate::syntax) kind: RawKind<'a>,
    /// What stands behind the `~` of a quoted one.
    pub(in crate::syntax) near: Option<&'a str>,
}

/// The content of a [`Raw`], without its quotes or brackets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::syntax) enum RawKind<'a> {
    /// Up to white space, a quote, a bracket or a comma.
    Run(&'a str),
    /// `"…"`, escapes not resolved.
    Quoted(&'a str),
    /// `[…]`
    Bracket(&'a str),
    /// `{…}`
    Set(&'a str),
}

/// White space.
pub(super) fn gap(input: &str) -> IResult<&str, &str> {
    take_while(char::is_whitespace).parse(input)
}

/// The same, at least one.
pub(super) fn gap1(input: &str) -> IResult<&str, &str> {
    take_while1(char::is_whitespace).parse(input)
}

/// Characters up to white space or a delimiter.
pub(super) fn run(input: &str) -> IResult<&str, &str> {
    take_while1(|c: char| !c.is_whitespace() && !is_delimiter(c)).parse(input)
}

/// Whether an operand may end here.
pub(super) fn boundary(input: &str) -> bool {
    input.chars().next().is_none_or(is_boundary)
}

/// `name:` or `attr.NAME:`, without the colon.
pub(super) fn operator_name(input: &str) -> IResult<&str, &str> {
    let letter = |c: char| c.is_ascii_alphabetic();
    let plain = recognize((take_while_m_n(1, 1, letter), take_while(move |c| letter(c) || c == '_')));
    let attribute = recognize((
        nom::bytes::complete::tag_no_case("attr."),
        take_while1(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')),
    ));
    terminated(alt((attribute, plain)), char(':')).parse(input)
}

/// `"…"` with any quotation marks; what stands in between.
pub(super) fn quoted(input: &str) -> IResult<&str, &str> {
    let plain = value((), take_while1(|c| c != '\\' && !is_quote(c)));
    let escape = value((), preceded(char('\\'), anychar));
    let inner = recognize(many0_count(alt((plain, escape))));
    delimited(satisfy(is_quote), inner, satisfy(is_quote)).parse(input)
}

/// `/…/flags`
pub(super) fn regex(input: &str) -> IResult<&str, (&str, &str)> {
    let plain = value((), take_while1(|c| c != '\\' && c != '/'));
    let escape = value((), preceded(char('\\'), anychar));
    let inner = recognize(many0_count(alt((plain, escape))));
    (delimited(char('/'), inner, char('/')), take_while(|c: char| c.is_ascii_alphabetic())).parse(input)
}

/// `{…}`
pub(super) fn braced(input: &str) -> IResult<&str, &str> {
    delimited(char('{'), take_while(|c: char| !c.is_whitespace() && !is_delimiter(c)), char('}')).parse(input)
}

/// A word, phrase or value.
pub(super) fn raw(input: &str) -> IResult<&str, Raw<'_>> {
    let near = opt(preceded(char('~'), take_while(|c: char| !c.is_whitespace() && !is_delimiter(c))));
    let phrase =
        map((opt(one_of("=~")), quoted, near), |(sign, text, near)| (sign, RawKind::Quoted(text), near));
    let bracket = delimited(char('['), take_while(|c| !matches!(c, '[' | ']' | '(' | ')' | '"')), tag("]"));
    let signed = map((one_of("=~"), run), |(sign, text)| (Some(sign), RawKind::Run(text), None));
    let any = alt((
        phrase,
        map(bracket, |text| (None, RawKind::Bracket(text), None)),
        map(braced, |text| (None, RawKind::Set(text), None)),
        signed,
        map(run, |text| (None, RawKind::Run(text), None)),
    ));
    map(consumed(any), |(all, (sign, kind, near))| Raw { all, sign, kind, near }).parse(input)
}
