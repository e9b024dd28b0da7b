//! What is odd among the elements of one AND, OR or quota.

use std::collections::{HashMap, HashSet};

use super::{Lint, range};
use crate::Span;
use crate::syntax::{Atom, Diagnostic, Form, Node, NodeKind, Shape, Value, WordField, print};
use crate::text::is_simple;

/// An element: its number without negation, and whether it is negated.
pub(super) struct Entry<'n> {
    pub(super) id: u32,
    pub(super) negated: bool,
    pub(super) item: &'n Node,
}

pub(super) fn check(lint: &mut Lint<'_>, node: &Node, entries: &[Entry<'_>]) {
    pairs(lint, node, entries);
    match &node.kind {
        NodeKind::Or(_) => negated(lint, entries),
        NodeKind::And(items) => {
            range::check(lint, entries);
            value_ends_here(lint, items);
            lowercase_operators(lint, items);
        }
        _ => {}
    }
    if !matches!(node.kind, NodeKind::Quota(_)) {
        word_in_phrase(lint, node, entries);
    }
}

/// Duplicates, and elements beside their negation.
fn pairs(lint: &mut Lint<'_>, node: &Node, entries: &[Entry<'_>]) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&i| (entries[i].id, i));
    for pair in order.windows(2) {
        let (first, second) = (&entries[pair[0]], &entries[pair[1]]);
        if first.id != second.id {
            continue;
        }
        let (span, other) = (second.item.span, first.item.span);
        if first.negated == second.negated {
            let mut diagnostic = Diagnostic::warning("duplicate", span, "This stands here twice")
                .and_at(other, "the first time");
            let before = entries[pair[1] - 1].item.span;
            let between = lint.text.get(before.end as usize..span.start as usize).unwrap_or("(").trim();
            if matches!(between, "" | "OR" | "AND" | ",") && !matches!(node.kind, NodeKind::Quota(_)) {
                diagnostic = diagnostic.fix(Span::new(before.end, span.end), "", "remove it");
            }
            lint.warn(diagnostic);
        } else {
            let message = match node.kind {
                NodeKind::And(_) => "This and its opposite are both asked for, so nothing can match",
                NodeKind::Or(_) => "Either this or its opposite is always true, so every post matches",
                _ => "Exactly one of this and its opposite is true of every post",
            };
            lint.warn(Diagnostic::warning("opposites", span, message).and_at(other, "its opposite"));
        }
    }
}

fn negated(lint: &mut Lint<'_>, entries: &[Entry<'_>]) {
    // Beside its opposite, it was said already that every post matches, and with AND none would.
    let plain: HashSet<u32> = entries.iter().filter(|e| !e.negated).map(|e| e.id).collect();
    if let Some(entry) = entries.iter().find(|e| e.negated && !plain.contains(&e.id)) {
        let message = "A negated part of an OR matches nearly every post; a space (AND) was probably meant";
        let mut diagnostic = Diagnostic::warning("negated_in_or", entry.item.span, message);
        if let [a, b] = entries
            && let Some(between) = lint.text.get(a.item.span.end as usize..b.item.span.start as usize)
            && between.trim() == "OR"
        {
            let or = Span::new(a.item.span.end, b.item.span.start);
            diagnostic = diagnostic.fix(or, " ", "ask for both");
        }
        lint.warn(diagnostic);
    }
}

/// The text of a plain word.
fn plain_word(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Atom(Atom::Text(p)) if p.shape == Shape::Word && p.form == Form::Folded => Some(&p.text),
        _ => None,
    }
}

/// `or`, `and`, `not` where an operator could stand.
fn lowercase_operators(lint: &mut Lint<'_>, items: &[Node]) {
    for (i, item) in items.iter().enumerate() {
        let operator = match plain_word(item) {
            Some(word) if i + 1 < items.len() => match word.to_ascii_lowercase().as_str() {
                "or" if i > 0 => "OR",
                "and" if i > 0 => "AND",
                "not" => "NOT",
                _ => continue,
            },
            _ => continue,
        };
        let message = format!("This is searched for as a word; the operator is {operator}, in capitals");
        lint.warn(Diagnostic::warning("lowercase_operator", item.span, message).fix(
            item.span,
            operator,
            "write it in capitals",
        ));
    }
}

/// `bio:software engineer`.
fn value_ends_here(lint: &mut Lint<'_>, items: &[Node]) {
    let mut i = 0;
    while i + 1 < items.len() {
        let first = &items[i];
        i += 1;
        if !takes_one_word(first, lint.text) {
            continue;
        }
        let start = first.span.start;
        let mut end = first.span.end;
        while let Some(next) = items.get(i).filter(|n| plain_word(n).is_some()) {
            let gap = lint.text.get(end as usize..next.span.start as usize);
            if !gap.is_some_and(|g| !g.is_empty() && g.chars().all(char::is_whitespace)) {
                break;
            }
            end = next.span.end;
            i += 1;
        }
        let typed = lint.text.get(start as usize..end as usize).unwrap_or("");
        if end > first.span.end
            && let Some((name, value)) = typed.split_once(':')
        {
            let fixed = format!("{name}:{}", print::quoted(value));
            let message =
                format!("The value of {name}: ends at the space; what follows is searched for in the text");
            lint.warn(
                Diagnostic::warning("value_ends_here", first.span, message)
                    .and_at(Span::new(first.span.end, end), "in the text")
                    .fix(Span::new(start, end), fixed, "put it in quotes"),
            );
        }
    }
}

/// Whether it is an operator whose values often are several words, with one bare word as value.
fn takes_one_word(node: &Node, text: &str) -> bool {
    let one = match &node.kind {
        NodeKind::Atom(Atom::Words(field, values)) => {
            *field != WordField::Url
                && matches!(&values[..], [Value::One(p)] if p.shape == Shape::Word && p.form == Form::Folded)
        }
        NodeKind::Atom(Atom::Place(_, values)) => matches!(&values[..], [Value::One(_)]),
        _ => false,
    };
    one && text.get(node.span.range()).is_some_and(|t| !t.contains('"'))
}

/// A word beside a phrase that contains it.
fn word_in_phrase(lint: &mut Lint<'_>, node: &Node, entries: &[Entry<'_>]) {
    let texts = entries.iter().filter(|e| !e.negated).filter_map(|entry| match &entry.item.kind {
        NodeKind::Atom(Atom::Text(p))
            if p.form == Form::Folded
                && !p.text.contains(['*', '?'])
                && !matches!(p.shape, Shape::Near(_)) =>
        {
            Some((entry.item.span, p.text.as_str()))
        }
        _ => None,
    });
    if texts.clone().all(|(_, text)| is_simple(text)) || texts.clone().nth(1).is_none() {
        return;
    }
    let checked = lint.checked;
    let texts: Vec<_> = texts.map(|(span, text)| (span, checked.tokens(span, text))).collect();
    let mut words = HashMap::new();
    let mut phrases = Vec::new();
    for (span, tokens) in &texts {
        match tokens.terms.as_slice() {
            [word] => {
                words.entry(word.folded.as_str()).or_insert(*span);
            }
            terms => phrases.push((*span, terms)),
        }
    }
    for (span, terms) in phrases {
        let Some(word) = terms.iter().find_map(|t| words.get(t.folded.as_str())).copied() else { continue };
        lint.warn(match node.kind {
            NodeKind::And(_) => {
                let message = "This word is part of a phrase that must be there anyway";
                Diagnostic::warning("word_in_phrase", word, message).and_at(span, "the phrase")
            }
            _ => {
                let message = "One of the words of this phrase is enough already";
                Diagnostic::warning("word_in_phrase", span, message).and_at(word, "the word")
            }
        });
    }
}
