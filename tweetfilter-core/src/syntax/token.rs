//! The lexer.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::combinator::value;
use nom::{IResult, Parser};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme<'a> {
    Open,
    Close,
    Minus,
    Run(&'a str),
}

pub(super) fn lexeme(input: &str) -> IResult<&str, Lexeme<'_>> {
    alt((
        value(Lexeme::Open, tag("(")),
        value(Lexeme::Close, tag(")")),
        value(Lexeme::Minus, tag("-")),
        take_while1(|c: char| !c.is_whitespace() && !"()".contains(c)).map(Lexeme::Run),
    ))
    .parse(input)
}
