//! The parser: precedence climbing over lexemes.
//!
//! Everything recurses only with parentheses, whose depth is bounded. What is wrong is reported, stands in no
//! tree, and parsing goes on behind it: at the next operand, operator or parenthesis.

use super::atoms::Atoms;
use super::chars::is_quote;
use super::cost::CostClass;
use super::report::Report;
use super::token::{Lexeme, Placed, lexemes};
use super::visible::Visible;
use super::{Diagnostic, Dialect, Node, NodeKind, Quota, QuotaCount, lint, print};
use crate::{Limits, Span};

/// Parentheses are never nested deeper, whatever the limits say: the stack is finite.
pub(super) const DEEPEST: usize = 128;

/// What came of a text.
pub(super) struct Outcome {
    /// `None` if there are errors.
    pub(super) root: Option<Node>,
    /// What it costs by its form.
    pub(super) class: CostClass,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Lexemes looked at, each as often as it was.
    #[allow(dead_code, reason = "tests count the work")]
    pub(super) steps: usize,
}

/// Parses a text and adds the warnings that the tree gives rise to.
pub(super) fn parse(text: &str, dialect: Dialect, limits: &Limits) -> Outcome {
    let mut report = Report::new(limits);
    if text.len() > limits.expression_bytes {
        let (have, most) = (text.len(), limits.expression_bytes);
        let message = format!("The expression has {have} bytes; the limit expression_bytes is {most}");
        report.push(Diagnostic::error("limit_expression_bytes", Span::from(0..text.len()), message));
        return Outcome { root: None, class: CostClass::Scanned, diagnostics: report.finish(), steps: 0 };
    }
    let Some(visible) = Visible::of(text) else { return parse_visible(text, dialect, limits, report) };
    visible.notes().for_each(|note| report.push(note));
    let notes = std::mem::replace(&mut report, Report::new(limits)).finish();
    let mut outcome = parse_visible(&visible.text, dialect, limits, report);
    outcome.root.iter_mut().for_each(|root| visible.restore_tree(root));
    outcome.diagnostics.iter_mut().for_each(|found| visible.restore(found));
    let mut report = Report::new(limits);
    outcome.diagnostics.into_iter().chain(notes).for_each(|found| report.push(found));
    Outcome { diagnostics: report.finish(), ..outcome }
}

fn parse_visible(text: &str, dialect: Dialect, limits: &Limits, mut report: Report) -> Outcome {
    let lexemes = lexemes(text, &mut report);
    let atoms = Atoms::new(text, dialect, limits, &mut report);
    let mut parser = Parser {
        lexemes,
        at: 0,
        atoms,
        count: 0,
        open: Vec::new(),
        commas: false,
        blamed: None,
        skipped: false,
        steps: 0,
    };
    let root = parser.whole();
    let (steps, checked) = (parser.steps, parser.atoms.tokens);
    let root = root.filter(|_| !report.has_errors());
    let class = root.as_ref().map(|root| lint::tree(root, text, &checked, &mut report));
    let class = class.unwrap_or(CostClass::Scanned);
    Outcome { root, class, diagnostics: report.finish(), steps }
}

/// The operators between operands, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Infix {
    Or,
    And,
}

struct Parser<'a, 'r> {
    lexemes: Vec<Placed<'a>>,
    at: usize,
    atoms: Atoms<'a, 'r>,
    /// Atoms so far.
    count: usize,
    /// Where the open parentheses stand.
    open: Vec<Span>,
    /// Whether a comma at this level separates elements of a quota.
    commas: bool,
    /// The lexeme whose missing operand was reported last.
    blamed: Option<usize>,
    /// Whether something too deep was skipped.
    skipped: bool,
    steps: usize,
}

impl<'a> Parser<'a, '_> {
    fn whole(&mut self) -> Option<Node> {
        if self.lexemes.is_empty() {
            let span = Span::from(0..self.atoms.text.len());
            self.report(Diagnostic::error("missing_operand", span, "The expression is empty"));
            return None;
        }
        let mut unclosed = Vec::new();
        let root = self.expression(Infix::Or, &mut unclosed);
        if let Some(&innermost) = unclosed.first()
            && !self.skipped
        {
            let diagnostic = match unclosed.len() {
                1 => Diagnostic::error("missing_parenthesis", innermost, "This parenthesis is never closed"),
                n => Diagnostic::error(
                    "missing_parenthesis",
                    innermost,
                    format!("This parenthesis and {} around it are never closed", n - 1),
                ),
            };
            let diagnostic = self.closing(diagnostic, unclosed.len());
            self.report(diagnostic);
        }
        root
    }

    /// Adds how to close so many parentheses, if that can be.
    fn closing(&self, diagnostic: Diagnostic, open: usize) -> Diagnostic {
        let text = self.atoms.text.len();
        // What stands behind an open quotation mark is quoted.
        if let Some(quote) = self.atoms.report.closing_quote() {
            let closed = quote.to_owned() + &")".repeat(open);
            return diagnostic.fix(
                Span::from(text..text),
                closed,
                "close it and the quotation mark at the end",
            );
        }
        // What reaches to the end and has a quotation mark in it would take the parenthesis in.
        let takes_in = |(lexeme, span): &(Lexeme<'_>, Span)| {
            let range = span.range();
            *lexeme == Lexeme::Bad && range.end == text && self.atoms.text[range].contains(is_quote)
        };
        if self.lexemes.last().is_some_and(takes_in) {
            return diagnostic;
        }
        // What lacks something at the end would lack it within closed parentheses too.
        let lacks = |lexeme: &Lexeme<'_>| {
            let opens = matches!(lexeme, Lexeme::Open | Lexeme::Quota(_) | Lexeme::Scope(_));
            let joins =
                matches!(lexeme, Lexeme::Comma | Lexeme::Minus | Lexeme::And | Lexeme::Or | Lexeme::Not);
            (opens || joins).then_some(usize::from(opens))
        };
        let begun: Vec<usize> = self.lexemes.iter().rev().map_while(|l| lacks(&l.0)).collect();
        let Some(last) = self.lexemes.len().checked_sub(begun.len() + 1) else { return diagnostic };
        let left = open.saturating_sub(begun.iter().sum());
        let (from, label) = match (begun.is_empty(), left) {
            (true, _) => (text, "close it at the end"),
            (false, 0) => (self.span_at(last).range().end, "remove what is only begun"),
            (false, _) => (self.span_at(last).range().end, "remove what is only begun, and close the rest"),
        };
        diagnostic.fix(Span::from(from..text), ")".repeat(left), label)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.atoms.report.push(diagnostic);
    }

    fn peek(&mut self) -> Option<&Lexeme<'a>> {
        self.steps += 1;
        self.lexemes.get(self.at).map(|l| &l.0)
    }

    /// The place of a lexeme; behind the last, the end of the text.
    fn span_at(&self, index: usize) -> Span {
        let end = self.atoms.text.len();
        self.lexemes.get(index).map_or(Span::from(end..end), |l| l.1)
    }

    /// Operands joined by operators of at least `min`; those of equal power make one flat node.
    fn expression(&mut self, min: Infix, unclosed: &mut Vec<Span>) -> Option<Node> {
        let mut left = self.unary(unclosed);
        while let Some(infix) = self.infix().filter(|i| *i >= min) {
            let mut items = Items::new(left);
            while self.infix() == Some(infix) {
                self.step_over(infix);
                items.push(match infix {
                    Infix::Or => self.expression(Infix::And, unclosed),
                    Infix::And => self.unary(unclosed),
                });
            }
            left = items.join(infix);
        }
        left
    }

    /// The operator that comes next, written or implied by another operand.
    fn infix(&mut self) -> Option<Infix> {
        while self.open.is_empty() && self.peek() == Some(&Lexeme::Close) {
            self.surplus();
        }
        let commas = self.commas;
        match self.peek()? {
            Lexeme::Close => None,
            Lexeme::Comma if commas => None,
            Lexeme::Or | Lexeme::Comma => Some(Infix::Or),
            _ => Some(Infix::And),
        }
    }

    /// Steps over an operator if it is written.
    fn step_over(&mut self, infix: Infix) {
        match (infix, self.peek()) {
            (Infix::Or, Some(Lexeme::Comma)) => {
                let span = self.span_at(self.at);
                self.at += 1;
                let message =
                    "A comma lists values of one operator, without spaces; between operands write OR";
                let text = self.atoms.text;
                let pad = |c: Option<char>| if c.is_none_or(char::is_whitespace) { "" } else { " " };
                let before = pad(text[..span.start as usize].chars().next_back());
                let after = pad(text[span.end as usize..].chars().next());
                let diagnostic = Diagnostic::error("comma_or", span, message);
                if self.lexemes.get(self.at).is_none_or(|l| matches!(l.0, Lexeme::Close | Lexeme::Comma)) {
                    self.blamed = Some(self.at - 1);
                    self.report(diagnostic.fix(span, "", "remove the comma"));
                } else {
                    let before = if before.is_empty() && span.start > 0 { "" } else { " " };
                    self.report(diagnostic.fix(span, format!("{before}OR{after}"), "any of them"));
                }
            }
            (Infix::Or, Some(Lexeme::Or)) | (Infix::And, Some(Lexeme::And)) => self.at += 1,
            _ => {}
        }
    }

    fn surplus(&mut self) {
        let span = self.span_at(self.at);
        self.at += 1;
        let message = "This parenthesis was never opened";
        self.report(Diagnostic::error("surplus_parenthesis", span, message).fix(span, "", "remove it"));
    }

    /// An operand and the negations before it, of which pairs cancel.
    fn unary(&mut self, unclosed: &mut Vec<Span>) -> Option<Node> {
        let start = self.at;
        let (mut not, mut surplus) = (false, false);
        loop {
            let outermost = self.open.is_empty();
            match self.peek() {
                Some(Lexeme::Minus | Lexeme::Not) => {
                    self.at += 1;
                    not = !not;
                }
                Some(Lexeme::Close) if outermost => {
                    self.surplus();
                    surplus = true;
                }
                None if surplus => return None,
                _ => break,
            }
        }
        let span = self.span_at(start);
        let node = self.primary(unclosed)?;
        Some(match (not, node.kind) {
            (true, NodeKind::Not(inner)) => *inner,
            (true, kind) => {
                let inner = Box::new(Node { span: node.span, kind });
                Node { span: span.to(node.span), kind: NodeKind::Not(inner) }
            }
            (false, kind) => Node { span: node.span, kind },
        })
    }

    fn primary(&mut self, unclosed: &mut Vec<Span>) -> Option<Node> {
        let span = self.span_at(self.at);
        match self.peek() {
            None | Some(Lexeme::Close | Lexeme::Comma | Lexeme::Or | Lexeme::And) => {
                self.missing();
                None
            }
            Some(Lexeme::Open | Lexeme::Quota(_) | Lexeme::Scope(_)) => {
                let deepest = self.atoms.limits.nesting.min(DEEPEST);
                if self.open.len() >= deepest {
                    self.too_deep(deepest);
                    return None;
                }
                self.group(unclosed)
            }
            Some(Lexeme::Bad) => {
                self.at += 1;
                None
            }
            Some(_) => self.operand(span),
        }
    }

    fn operand(&mut self, span: Span) -> Option<Node> {
        self.count += 1;
        let most = self.atoms.limits.atoms;
        if self.count == most.saturating_add(1) {
            let message = format!("The expression has more atoms than allowed; the limit atoms is {most}");
            self.report(Diagnostic::error("limit_atoms", span, message));
        }
        self.at += 1;
        if self.count > most {
            return None;
        }
        self.atoms.node(&self.lexemes[self.at - 1].0, span)
    }

    /// `(…)`, `N of (…)` or `in:quote(…)`.
    fn group(&mut self, unclosed: &mut Vec<Span>) -> Option<Node> {
        let (opener, open) = self.lexemes[self.at].clone();
        self.at += 1;
        self.open.push(open);
        let outer_commas = std::mem::replace(&mut self.commas, matches!(opener, Lexeme::Quota(_)));
        let mut items = vec![self.expression(Infix::Or, unclosed)];
        while self.commas && self.peek() == Some(&Lexeme::Comma) {
            self.at += 1;
            items.push(self.expression(Infix::Or, unclosed));
        }
        self.commas = outer_commas;
        self.open.pop();
        let close = self.span_at(self.at);
        match self.peek() {
            Some(Lexeme::Close) => self.at += 1,
            _ => unclosed.push(open),
        }
        let span = open.to(close);
        match opener {
            Lexeme::Quota(count) => self.quota(count, items, span),
            Lexeme::Scope(scope) => {
                let inner = items.pop()??;
                Some(Node { span, kind: NodeKind::Scope(scope, Box::new(inner)) })
            }
            _ => items.pop()?,
        }
    }

    fn quota(&mut self, count: QuotaCount, items: Vec<Option<Node>>, span: Span) -> Option<Node> {
        let have = items.len();
        let mut diagnostic = None;
        if let QuotaCount::AtLeast(n) = count
            && (n < 1 || n as usize > have)
        {
            let text = &self.atoms.text[span.range()];
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let number = Span::from(span.range().start..span.range().start + digits);
            let message = match n {
                0 => "At least one element must be asked for".to_owned(),
                _ => format!("{} elements are asked for, but there are only {have}", &text[..digits]),
            };
            let to = if n == 0 { 1 } else { have };
            let mut found = Diagnostic::error("quota_count", number, message).and_at(span, "these elements");
            if let [Some(Node { kind: NodeKind::And(all), .. })] = &items[..]
                && (1..=all.len()).contains(&(n as usize))
                && all.iter().all(|item| matches!(item.kind, NodeKind::Atom(_)))
            {
                let list: Vec<String> = all.iter().map(ToString::to_string).collect();
                let fixed = format!("{n} of ({})", list.join(", "));
                found = found.fix(span, fixed, "separate the elements by commas");
            }
            diagnostic = Some(found.fix(number, to.to_string(), format!("ask for {to}")));
        }
        let items: Option<Vec<Node>> = items.into_iter().collect();
        if let Some(diagnostic) = diagnostic {
            self.report(diagnostic);
            return None;
        }
        Some(Node { span, kind: NodeKind::Quota(Quota { count, items: items? }) })
    }

    /// Skips a group that is nested too deep.
    fn too_deep(&mut self, most: usize) {
        let span = self.span_at(self.at);
        if !self.skipped {
            let message = format!("Parentheses are nested too deep here; the limit nesting is {most}");
            self.report(Diagnostic::error("limit_nesting", span, message));
        }
        self.skipped = true;
        let mut depth = 0usize;
        while let Some(lexeme) = self.peek() {
            match lexeme {
                Lexeme::Open | Lexeme::Quota(_) | Lexeme::Scope(_) => depth += 1,
                Lexeme::Close => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Reports that an operand is missing, once for each operator that lacks one.
    fn missing(&mut self) {
        let here = matches!(self.lexemes.get(self.at), Some((Lexeme::Or | Lexeme::And, _)));
        let blame = if here { self.at } else { self.at.saturating_sub(1) };
        if self.blamed == Some(blame) {
            return;
        }
        self.blamed = Some(blame);
        let span = self.span_at(blame);
        let (before, next) = (blame.checked_sub(1).map(|b| self.span_at(b)), self.span_at(self.at));
        let word = &self.atoms.text[span.range()];
        let diagnostic = match self.lexemes.get(blame).map(|l| &l.0) {
            Some(Lexeme::Or | Lexeme::And | Lexeme::Not | Lexeme::Minus) => {
                let removed = match before {
                    Some(before) => Span::new(before.end, span.end),
                    None => Span::new(span.start, self.span_at(blame + 1).start),
                };
                let message = format!("Something to search for is missing beside {word}");
                let mut diagnostic = Diagnostic::error("missing_operand", span, message);
                if self.lexemes.len() > 1 {
                    diagnostic = diagnostic.fix(removed, "", format!("remove {word}"));
                }
                diagnostic.fix(span, print::quoted(word), "search for the word")
            }
            Some(Lexeme::Comma) => Diagnostic::error(
                "missing_operand",
                span,
                "An element is missing beside this comma",
            )
            .fix(span, "", "remove the comma"),
            _ if next.is_empty() => {
                Diagnostic::error("missing_operand", span, "Something to search for is missing here")
            }
            _ => {
                let span = span.to(next);
                let diagnostic = Diagnostic::error("missing_operand", span, "These parentheses are empty");
                if self.lexemes.len() > 2 { diagnostic.fix(span, "", "remove them") } else { diagnostic }
            }
        };
        self.report(diagnostic);
    }
}

/// Operands of one operator; those that were reported are left out.
struct Items(Vec<Node>);

impl Items {
    fn new(first: Option<Node>) -> Self {
        Self(first.into_iter().collect())
    }

    fn push(&mut self, item: Option<Node>) {
        self.0.extend(item);
    }

    fn join(mut self, infix: Infix) -> Option<Node> {
        if self.0.len() < 2 {
            return self.0.pop();
        }
        let span = self.0[0].span.to(self.0[self.0.len() - 1].span);
        let kind = match infix {
            Infix::Or => NodeKind::Or,
            Infix::And => NodeKind::And,
        };
        Some(Node { span, kind: kind(self.0) })
    }
}
