//! Where a word, phrase or proximity stands in a text: plain, for explanations and embedders' fields.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use super::near::{self, Item, Nearness, Occurrence};
use crate::Span;
use crate::syntax::{Form, Shape, TextPattern};
use crate::text::{self, Origin, Pattern, Term, Token, Tokens};

/// Places that an explanation shows of a part of an expression, and to which a word or phrase is looked for in one text.
pub(super) const SHOWN: usize = 64;

/// A text and its tokens, made once for all that is looked for in it.
#[derive(Debug)]
pub(super) struct Words<'t> {
    text: Cow<'t, str>,
    tokens: Tokens,
    /// Where tokens are, by the hashes of their plain and folded texts, once asked for.
    index: OnceCell<HashMap<u64, Vec<u32>>>,
    /// The tokens as typed, once asked for.
    exact: OnceCell<Vec<String>>,
    /// Their look-alike skeletons, once asked for.
    obfuscated: OnceCell<Vec<String>>,
}

/// Tokens in a row that are looked for, each with what it is compared by.
struct Row {
    terms: Vec<Term>,
    keys: Vec<String>,
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
        Self { keys: pattern.terms.iter().map(key).collect(), terms: pattern.terms }
    }
}

/// Whether a pattern occurs in a text that is no post's own.
pub(super) fn occurs(pattern: &TextPattern, value: &str) -> bool {
    Words::new(Cow::Borrowed(value), Origin::Post(&[])).holds(pattern)
}

impl<'t> Words<'t> {
    pub(super) fn new(text: Cow<'t, str>, origin: Origin<'_>) -> Self {
        let mut tokens = Tokens::default();
        text::tokenize(&text, origin, &mut tokens);
        Self { text, tokens, index: OnceCell::new(), exact: OnceCell::new(), obfuscated: OnceCell::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a pattern stands in the text.
    fn holds(&self, pattern: &TextPattern) -> bool {
        let Shape::Near(distance) = pattern.shape else {
            let all = 0..self.tokens.len();
            return row(pattern).is_some_and(|row| self.rows(&row, pattern.form, all).next().is_some());
        };
        let all = |_: &Row| 0..self.tokens.len();
        let (nearness, _, occurrences) = self.near(pattern, distance, all);
        nearness.holds(&occurrences)
    }

    /// The places of a pattern in the text: of a word or phrase the first ones, of a proximity its closest items, in
    /// the order in which they were typed.
    pub(super) fn find(&self, pattern: &TextPattern) -> Vec<Span> {
        let Shape::Near(distance) = pattern.shape else {
            let Some(row) = row(pattern) else { return Vec::new() };
            let starts = self.rows(&row, pattern.form, self.possible(&row, pattern.form)).take(SHOWN);
            return starts.filter_map(|start| self.span(start, start + row.terms.len())).collect();
        };
        let possible = |row: &Row| self.possible(row, pattern.form);
        let (nearness, typed, occurrences) = self.near(pattern, distance, possible);
        let mut chosen = nearness.place(&occurrences);
        chosen.sort_unstable_by_key(|o| o.start);
        let places = typed.into_iter().filter_map(|item| {
            let place = chosen.remove(chosen.iter().position(|o| o.item == item)?);
            self.span(place.start as usize, place.end as usize)
        });
        places.collect()
    }

    /// The different items of a proximity, the number of each one typed, and where they stand of where they may.
    fn near<P: Iterator<Item = usize>>(
        &self,
        pattern: &TextPattern,
        distance: u32,
        possible: impl Fn(&Row) -> P,
    ) -> (Nearness, Vec<usize>, Vec<Occurrence>) {
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
        let mut occurrences = Vec::new();
        for (item, (row, Item { len, .. })) in rows.iter().zip(&items).enumerate() {
            let places = self.rows(row, pattern.form, possible(row)).map(|start| start as u32);
            occurrences.extend(places.map(|start| Occurrence { item, start, end: start + len }));
        }
        near::sort(&mut occurrences);
        (Nearness { items, distance }, typed, occurrences)
    }

    /// Where a row may begin, for a text in which many are looked for.
    fn possible(&self, row: &Row, form: Form) -> impl Iterator<Item = usize> + use<'_, 't> {
        let first = row.terms.first().filter(|term| form == Form::Folded && term.wildcard.is_none());
        let known = first.map(|term| {
            let places = self.index.get_or_init(|| self.indexed()).get(&text::hash(term.key()));
            places.map_or(&[][..], Vec::as_slice)
        });
        let count = known.map_or(self.tokens.len(), <[u32]>::len);
        (0..count).map(move |n| known.map_or(n, |places| places[n] as usize))
    }

    fn indexed(&self) -> HashMap<u64, Vec<u32>> {
        let mut index: HashMap<u64, Vec<u32>> = HashMap::new();
        for at in 0..self.tokens.len() {
            let (plain, folded, accented) = self.tokens.hashes(at);
            index.entry(plain).or_default().push(at as u32);
            if accented {
                index.entry(folded).or_default().push(at as u32);
            }
        }
        index
    }

    /// Where tokens stand in a row, of where they may begin.
    fn rows<'r>(
        &'r self,
        row: &'r Row,
        form: Form,
        possible: impl Iterator<Item = usize> + 'r,
    ) -> impl Iterator<Item = usize> + 'r {
        let ends = match row.terms.len() {
            0 => 0,
            len => (self.tokens.len() + 1).saturating_sub(len),
        };
        let stands = move |at: usize, n: usize| {
            self.tokens.get(at + n).is_some_and(|token| self.is(row, n, at + n, token, form))
        };
        possible.filter(move |at| *at < ends && (0..row.terms.len()).all(|n| stands(*at, n)))
    }

    /// Whether a token is the wanted one of a row.
    fn is(&self, row: &Row, wanted: usize, at: usize, token: Token<'_>, form: Form) -> bool {
        #[cfg(test)]
        super::growth::count();
        match form {
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

    fn span(&self, start: usize, end: usize) -> Option<Span> {
        Some(self.tokens.get(start)?.span.to(self.tokens.get(end.checked_sub(1)?)?.span))
    }
}

/// The tokens of a word or phrase; what the parser would have refused stands nowhere.
fn row(pattern: &TextPattern) -> Option<Row> {
    let tokens = text::pattern(&pattern.text, pattern.shape == Shape::Word).ok()?;
    Some(Row::new(tokens, pattern.form))
}
