//! The parser: tokens first, then precedence climbing.

use super::token::{Lexeme, lexeme};
use super::{
    AccountField, AccountName, Atom, Diagnostic, Dialect, Form, Node, NodeKind, Shape, TextPattern, Value,
};
use crate::{Limits, Span};

pub(super) fn parse(
    text: &str,
    _: Dialect,
    limits: &Limits,
) -> Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut lexemes = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        let Ok((after, lexeme)) = lexeme(rest) else {
            return Err(vec![Diagnostic::error(
                "unexpected",
                Span::from(start..text.len()),
                "Unexpected text",
            )]);
        };
        lexemes.push((lexeme, Span::from(start..text.len() - after.len())));
        rest = after.trim_start();
    }
    let end = Span::from(text.len()..text.len());
    let mut parser = Parser { lexemes, at: 0, depth: 0, nesting: limits.nesting, end };
    let root = parser.or().map_err(|d| vec![d])?;
    match parser.peek() {
        None => Ok((root, Vec::new())),
        Some(_) => Err(vec![Diagnostic::error(
            "surplus_parenthesis",
            parser.span(),
            "This parenthesis was never opened",
        )]),
    }
}

struct Parser<'a> {
    lexemes: Vec<(Lexeme<'a>, Span)>,
    at: usize,
    depth: usize,
    nesting: usize,
    end: Span,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Lexeme<'a>> {
        self.lexemes.get(self.at).map(|l| &l.0)
    }

    fn span(&self) -> Span {
        self.lexemes.get(self.at).map_or(self.end, |l| l.1)
    }

    fn or(&mut self) -> Result<Node, Diagnostic> {
        let mut items = vec![self.and()?];
        while self.peek() == Some(&Lexeme::Run("OR")) {
            self.at += 1;
            items.push(self.and()?);
        }
        Ok(group(items, NodeKind::Or))
    }

    fn and(&mut self) -> Result<Node, Diagnostic> {
        let mut items = vec![self.unary()?];
        loop {
            match self.peek() {
                None | Some(Lexeme::Close | Lexeme::Run("OR")) => return Ok(group(items, NodeKind::And)),
                Some(Lexeme::Run("AND")) => self.at += 1,
                _ => {}
            }
            items.push(self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Node, Diagnostic> {
        let start = self.span();
        let mut not = false;
        while matches!(self.peek(), Some(Lexeme::Minus | Lexeme::Run("NOT"))) {
            self.at += 1;
            not = !not;
        }
        let node = self.primary()?;
        let span = start.to(node.span);
        Ok(if not { Node { span, kind: NodeKind::Not(Box::new(node)) } } else { node })
    }

    fn primary(&mut self) -> Result<Node, Diagnostic> {
        let span = self.span();
        match self.peek().cloned() {
            Some(Lexeme::Open) => {
                self.at += 1;
                self.depth += 1;
                if self.depth > self.nesting {
                    return Err(Diagnostic::error(
                        "limit_nesting",
                        span,
                        format!("Nested deeper than {}", self.nesting),
                    ));
                }
                let node = self.or()?;
                self.depth -= 1;
                if self.peek() != Some(&Lexeme::Close) {
                    return Err(Diagnostic::error(
                        "missing_parenthesis",
                        span,
                        "This parenthesis is never closed",
                    ));
                }
                self.at += 1;
                Ok(node)
            }
            Some(Lexeme::Run(run)) if run != "OR" && run != "AND" => {
                self.at += 1;
                let atom = match run.strip_prefix("from:") {
                    Some(name) => {
                        Atom::Account(AccountField::From, vec![Value::One(AccountName::Name(name.into()))])
                    }
                    None => {
                        Atom::Text(TextPattern { text: run.into(), form: Form::Folded, shape: Shape::Word })
                    }
                };
                Ok(Node { span, kind: NodeKind::Atom(atom) })
            }
            _ => Err(Diagnostic::error("missing_operand", span, "Something to search for is missing here")),
        }
    }
}

fn group(mut items: Vec<Node>, kind: fn(Vec<Node>) -> NodeKind) -> Node {
    if items.len() == 1 {
        return items.remove(0);
    }
    let span = items[0].span.to(items[items.len() - 1].span);
    Node { span, kind: kind(items) }
}
