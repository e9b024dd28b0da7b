//! What a filter costs a post, read off its plan.
//!
//! The cost is what is expected of a post as people write them. An indexed filter costs its postings, and its program
//! on the few posts that hold an access atom; a scanned one costs its whole program on every post. The constants were
//! measured by `cargo run --release -p tweetfilter-core --example prices`, which holds prices against measured times.

use std::collections::HashMap;

use super::access::Chooser;
use super::atoms::{Atom, Element, NearItem, Reach, Test};
use super::channel::Level;
use super::formula::Formula;

/// Nanoseconds of one posting that is walked.
const POSTING: f64 = 4.0;
/// Of a candidate, before its program does anything.
const CANDIDATE: f64 = 20.0;
/// Of one step of a program: a bit or a term.
const STEP: f64 = 4.0;
/// Of a comparison of numbers, times or ids.
const COMPARISON: f64 = 8.0;
/// Of each token that a pattern is compared with, and how many a post has.
const TOKEN: f64 = 10.0;
const TOKENS: f64 = 26.0;
/// Of a byte that a regex reads, and how many a post has.
const REGEX_BYTE: f64 = 1.0;
const BYTES: f64 = 160.0;
/// Bytes of a regex that is as dear as any.
const LARGE: usize = 256 << 10;

/// Prices formulas of one set of filters.
pub(crate) struct Pricing<'a> {
    chooser: Chooser<'a>,
    /// What a list costs of which every post is tried, by its number, once it was asked for.
    lists: HashMap<u32, f64>,
}

impl<'a> Pricing<'a> {
    pub(crate) fn new(chooser: Chooser<'a>) -> Self {
        Self { chooser, lists: HashMap::new() }
    }

    /// Expected nanoseconds a post.
    pub(crate) fn of(&mut self, formula: &Formula) -> f64 {
        let program = CANDIDATE + self.program(formula);
        let tried = match self.chooser.access(formula, Level::Post) {
            // What is found more often than once a post is still tried once.
            Some(access) => f64::from(access.cost) * POSTING + f64::from(access.cost.min(1.0)) * program,
            None => program,
        };
        tried + self.lists(formula)
    }

    /// Of the lists that are tried on every post, whether the filter is or not.
    fn lists(&mut self, formula: &Formula) -> f64 {
        lists_of(formula).into_iter().map(|number| self.list(number)).sum()
    }

    /// The dearest list of a filter that is tried on every post.
    pub(crate) fn dearest_list(&mut self, formula: &Formula) -> Option<(u32, f64)> {
        let lists = lists_of(formula).into_iter().map(|number| (number, self.list(number)));
        lists.filter(|list| list.1 > 0.0).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn list(&mut self, number: u32) -> f64 {
        if let Some(price) = self.lists.get(&number) {
            return *price;
        }
        let sets = self.chooser.sets;
        let set = &sets[number as usize];
        let price = match self.chooser.access(&set.formula, set.level) {
            Some(_) => 0.0,
            None => self.program(&set.formula),
        };
        self.lists.insert(number, price);
        price
    }

    /// Of a program that runs to its end.
    fn program(&mut self, formula: &Formula) -> f64 {
        match formula {
            Formula::Is(literal) => self.test(literal.test),
            Formula::All(parts) | Formula::Any(parts) | Formula::AtLeast(_, parts) => {
                STEP + parts.iter().map(|part| self.program(part)).sum::<f64>()
            }
            Formula::In(_, inner) => STEP + self.program(inner),
            Formula::Set(..) => STEP,
        }
    }

    fn test(&self, test: Test) -> f64 {
        let Test::Atom(id) = test else { return STEP };
        match &self.chooser.atoms.list[id as usize] {
            Atom::Phrase { elements, .. } => {
                let wild = elements.iter().any(|element| matches!(element, Element::Wild(_)));
                2.0 * STEP + elements.len() as f64 * if wild { TOKEN } else { STEP }
            }
            Atom::Near { items, .. } => near(items),
            Atom::Wild { reach: Reach::None, .. } => TOKEN * TOKENS,
            Atom::Wild { .. } | Atom::Obfuscated { .. } | Atom::TagPrefix { .. } => 2.0 * STEP,
            Atom::Contains { .. } => 5.0 * TOKEN,
            Atom::Regex { pattern, .. } => {
                let size = pattern.bound().unwrap_or(usize::MAX).min(LARGE) as f64;
                // The more states, the fewer of them stay built.
                CANDIDATE + BYTES * REGEX_BYTE * (1.0 + size / LARGE as f64)
            }
            Atom::Attribute { .. } => TOKEN * TOKENS,
            Atom::AttributeNumber(..) | Atom::Radius(..) | Atom::Inside(..) => 2.0 * COMPARISON,
            Atom::Number(..) | Atom::Time(..) | Atom::Age(_) | Atom::IdBound(..) | Atom::Sample(_) => {
                COMPARISON
            }
        }
    }
}

/// Of a proximity: its tokens are looked up, and its items counted. Where items share a token, they may overlap, and
/// for each occurrence every choice of items is tried.
fn near(items: &[NearItem]) -> f64 {
    let mut terms: Vec<_> = items.iter().flat_map(NearItem::terms).collect();
    let tokens = terms.len();
    terms.sort_unstable();
    terms.dedup();
    let written: f64 = items.iter().map(|item| f64::from(item.times) * item.elements.len() as f64).sum();
    let choices: f64 = items.iter().map(|item| f64::from(item.times + 1)).product();
    let tried = if terms.len() < tokens { tokens as f64 * choices * STEP } else { 0.0 };
    TOKEN * written + tried
}

/// The lists of a formula, each as often as it stands there.
fn lists_of(formula: &Formula) -> Vec<u32> {
    let (mut open, mut lists) = (vec![formula], Vec::new());
    while let Some(formula) = open.pop() {
        match formula {
            Formula::Is(_) => {}
            Formula::All(parts) | Formula::Any(parts) | Formula::AtLeast(_, parts) => open.extend(parts),
            Formula::In(_, inner) => open.push(inner),
            Formula::Set(number, _) => lists.push(*number),
        }
    }
    lists
}
