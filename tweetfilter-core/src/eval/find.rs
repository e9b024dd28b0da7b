//! Where a word, phrase or proximity stands in a text: plain, for explanations and embedders' fields.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::near::{self, Item, Nearness, Occurrence};
use crate::Span;
use crate::syntax::{Form, Shape, TextPattern};
use crate::text::{self, Origin, Pattern, Term, Token, Tokens};

/// A text and its tokens, made once for all that is looked for in it.
#[derive(Debug)]
pub(super) struct Words<'t> {
    text: Cow<'t, str>,
    tokens: Tokens,
    /// The tokens as typed, once asked for.
    exact: OnceCell<Vec<String>>,
    /// Their look-alike skeletons, once asked for.
    obfuscated: OnceCell<Vec<String>>,
}

/// A pattern, read once for all texts in which it is looked for.
#[derive(Debug)]
pub(super) enum Sought {
    /// A word or phrase.
    Row(Row),
    /// Items near each other.
    Near(Near),
}

/// Tokens in a row that are looked for, each with what it is compared by.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) terms: Vec<Term>,
    pub(super) form: Form,
    keys: Vec<String>,
}

/// The different items of a proximity.
#[derive(Debug)]
pub(super) struct Near {
    pub(super) rows: Vec<Row>,
    nearness: Nearness,
    /// The number of each one as they were typed.
    typed: Vec<usize>,
}

impl Sought {
    /// `None`: what the parser would have refused stands nowhere.
    pub(super) fn new(pattern: &TextPattern) -> Option<Self> {
        if let Shape::Near(distance) = pattern.shape {
            return Some(Self::Near(Near::new(pattern, distance)));
        }
        let tokens = text::pattern(&pattern.text, pattern.shape == Shape::Word).ok()?;
        Some(Self::Row(Row::new(tokens, pattern.form)))
    }
}

impl Row {
    fn new(pattern: Pattern, form: Form) -> Self {
        let key = |term: &Term| match form {
            Form::Folded => term.folded.clone(),
            Form::Exact => term.exact.clone(),
            Form::Obfuscated => {
                let mut skeleton = String::new();
                text::obfuscated_into(&term.plain, &mut skeleton);
                skeleton
            }
        };
        Self { keys: pattern.terms.iter().map(key).collect(), terms: pattern.terms, form }
    }
}

impl Near {
    fn new(pattern: &TextPattern, distance: u32) -> Self {
        let (mut rows, mut items, mut typed) = (Vec::<Row>::new(), Vec::<Item>::new(), Vec::new());
        for item in text::near_items(&pattern.text) {
            let row = Row::new(item, pattern.form);
            let item = rows.iter().position(|known| known.keys == row.keys).unwrap_or(rows.len());
            typed.push(item);
            if item == rows.len() {
                items.push(Item { len: row.terms.len() as u32, times: 0 });
                rows.push(row);
            }
            items[item].times += 1;
        }
        Self { rows, nearness: Nearness { items, distance }, typed }
    }

    /// Where the items stand in a text, each by its number and by where it begins.
    pub(super) fn occurrences(&self, starts: impl Fn(usize, &Row) -> Vec<usize>) -> Vec<Occurrence> {
        let mut occurrences = Vec::new();
        for (item, row) in self.rows.iter().enumerate() {
            let len = row.terms.len() as u32;
            let places = starts(item, row).into_iter().map(|start| start as u32);
            occurrences.extend(places.map(|start| Occurrence { item, start, end: start + len }));
        }
        near::sort(&mut occurrences);
        occurrences
    }

    /// The tokens among which all items must stand.
    pub(super) fn width(&self) -> u32 {
        self.nearness.width()
    }

    /// Steps to choose among so many occurrences, at most.
    pub(super) fn steps(&self, occurrences: usize) -> usize {
        self.nearness.choices().saturating_mul(occurrences)
    }

    /// The places of the closest items in a text, in the order in which they were typed.
    pub(super) fn places(&self, words: &Words<'_>, occurrences: &[Occurrence]) -> Vec<Span> {
        let mut chosen = self.nearness.place(occurrences);
        chosen.sort_unstable_by_key(|o| o.start);
        let places = self.typed.iter().filter_map(|item| {
            let place = chosen.remove(chosen.iter().position(|o| o.item == *item)?);
            words.span(place.start as usize, place.end as usize)
        });
        places.collect()
    }
}

impl<'t> Words<'t> {
    pub(super) fn new(text: Cow<'t, str>, origin: Origin<'_>) -> Self {
        let mut tokens = Tokens::default();
        text::tokenize(&text, origin, &mut tokens);
        #[cfg(test)]
        (0..tokens.len()).for_each(|_| super::growth::count());
        Self { text, tokens, exact: OnceCell::new(), obfuscated: OnceCell::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Whether a pattern stands in the text.
    pub(super) fn holds(&self, sought: &Sought) -> bool {
        match sought {
            Sought::Row(row) => (0..self.tokens.len()).any(|start| self.stands(row, start)),
            Sought::Near(near) => {
                let starts = |row: &Row| -> Vec<usize> {
                    (0..self.tokens.len()).filter(|start| self.stands(row, *start)).collect()
                };
                near.nearness.holds(&near.occurrences(|_, row| starts(row)))
            }
        }
    }

    /// Whether the tokens of a row begin at a place.
    pub(super) fn stands(&self, row: &Row, start: usize) -> bool {
        let is = |n: usize| self.tokens.get(start + n).is_some_and(|token| self.is(row, n, start + n, token));
        !row.terms.is_empty() && start + row.terms.len() <= self.tokens.len() && (0..row.terms.len()).all(is)
    }

    /// Whether a token is the wanted one of a row.
    fn is(&self, row: &Row, wanted: usize, at: usize, token: Token<'_>) -> bool {
        #[cfg(test)]
        super::growth::count();
        match row.form {
            Form::Folded => row.terms[wanted].matches(token),
            Form::Exact => {
                let typed = |t: Token<'_>| text::exact(&self.text[t.span.range()], t);
                let exact = self.exact.get_or_init(|| self.tokens.iter().map(typed).collect());
                row.terms[wanted].matches_exact(token.kind, &exact[at])
            }
            Form::Obfuscated => {
                let skeletons =
                    self.obfuscated.get_or_init(|| self.tokens.iter().map(text::obfuscated).collect());
                text::stretched_equal(&row.keys[wanted], &skeletons[at])
            }
        }
    }

    /// The bytes of the tokens from one place to before another.
    pub(super) fn span(&self, start: usize, end: usize) -> Option<Span> {
        Some(self.tokens.get(start)?.span.to(self.tokens.get(end.checked_sub(1)?)?.span))
    }
}
