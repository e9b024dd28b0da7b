//! Where a word, phrase or proximity stands in a text: slow and plain, for explanations and embedders' fields.

use crate::Span;
use crate::syntax::{Form, Shape, TextPattern};
use crate::text::{self, Origin, Term, Token, Tokens};

/// Whether a pattern occurs in a text that is no post's own.
pub(crate) fn occurs(pattern: &TextPattern, value: &str) -> bool {
    !find(pattern, value, Origin::Post(&[])).is_empty()
}

/// The places of a pattern in a text, at most 64.
pub(crate) fn find(pattern: &TextPattern, value: &str, origin: Origin<'_>) -> Vec<Span> {
    let mut tokens = Tokens::default();
    text::tokenize(value, origin, &mut tokens);
    let tokens: Vec<Token<'_>> = tokens.iter().collect();
    let same = |wanted: &Term, token: &Token<'_>| match pattern.form {
        Form::Folded => wanted.matches(*token),
        Form::Exact => wanted.matches_exact(token.kind, &text::exact(&value[token.span.range()], *token)),
        Form::Obfuscated => {
            let mut skeleton = String::new();
            text::obfuscated_into(&wanted.plain, &mut skeleton);
            text::stretched_equal(&skeleton, &text::obfuscated(*token))
        }
    };
    let starts = |item: &[Term]| -> Vec<usize> {
        if item.is_empty() || item.len() > tokens.len() {
            return Vec::new();
        }
        (0..=tokens.len() - item.len())
            .filter(|at| item.iter().zip(&tokens[*at..]).all(|(wanted, token)| same(wanted, token)))
            .take(64)
            .collect()
    };
    let span = |start: usize, len: usize| tokens[start].span.to(tokens[start + len - 1].span);
    let Shape::Near(distance) = pattern.shape else {
        let Ok(item) = text::pattern(&pattern.text, pattern.shape == Shape::Word) else { return Vec::new() };
        let len = item.terms.len();
        return starts(&item.terms).into_iter().map(|s| span(s, len)).collect();
    };
    let items = text::near_items(&pattern.text);
    let lengths: Vec<usize> = items.iter().map(|i| i.terms.len()).collect();
    let all: Vec<Vec<usize>> = items.iter().map(|i| starts(&i.terms)).collect();
    let width = lengths.iter().sum::<usize>() + distance as usize;
    let firsts = all.iter().flatten().copied();
    let mut choice = Vec::new();
    firsts
        .into_iter()
        .find_map(|first| {
            choice.clear();
            place(&all, &lengths, first, first + width, &mut choice)
                .then(|| choice.iter().zip(&lengths).map(|(start, len)| span(*start, *len)).collect())
        })
        .unwrap_or_default()
}

/// Chooses an occurrence of each item between `from` and `to`, without overlap.
fn place(all: &[Vec<usize>], lengths: &[usize], from: usize, to: usize, choice: &mut Vec<usize>) -> bool {
    let item = choice.len();
    if item == all.len() {
        return true;
    }
    for start in all[item].iter().copied().filter(|s| *s >= from && *s + lengths[item] <= to) {
        let free = choice.iter().zip(lengths).all(|(s, len)| start + lengths[item] <= *s || s + len <= start);
        if free {
            choice.push(start);
            if place(all, lengths, from, to, choice) {
                return true;
            }
            choice.pop();
        }
    }
    false
}
