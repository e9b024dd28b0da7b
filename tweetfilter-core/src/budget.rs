//! What the filters of an owner cost together, and a bound on it.
//!
//! A [`Price`] is the time that a filter is expected to take of each post, by a model that looks at the filter alone:
//! how often its rarest term occurs, and what its program asks. It depends on no clock, no post and no other filter,
//! so it is the same wherever it is asked for. Its scale was measured; see the example `prices`.
//!
//! ```
//! use tweetfilter_core::budget::Price;
//! use tweetfilter_core::{Expression, FilterId, FilterSetBuilder, OwnerId};
//! let ann = OwnerId(7);
//! let mut builder = FilterSetBuilder::new();
//! for (id, text) in ["avalanche", "-is:retweet", r"/\w+ing \w+ed/", "has:images"].iter().enumerate() {
//!     builder.add_expression(FilterId(id as u64), Some(ann), Expression::parse(text)?)?;
//! }
//! let over = builder.within(ann, Price::from_nanoseconds(100.0)).unwrap_err();
//! assert_eq!(over.dearest[0].text, r"/\w+ing \w+ed/");
//! assert_eq!(over.dearest.len(), 3);
//! assert!(builder.within(ann, Price::from_nanoseconds(10_000.0)).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use crate::plan::access::MOST_WAYS;
use crate::syntax::cost::{self, CostClass};
use crate::syntax::{Expression, Node, NodeKind};
use crate::{FilterId, Span};

/// Filters that a refusal names.
const NAMED: usize = 3;
/// What costs less than this part of all, beside the dearest, need not be made cheaper: nothing would be gained.
const WORTH_ADVICE: u64 = 1_000;
/// Characters of a filter that are shown.
const SHOWN: usize = 60;

/// Time a post, to the picosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Price(u64);

impl Price {
    /// What an owner's filters may cost together where nobody says otherwise: 10 µs. Twenty people who saw a post, all
    /// of whom use that up, take a fifth of a millisecond.
    pub const OWNER: Self = Self(10_000_000);

    /// More than anything costs.
    pub const MAX: Self = Self(u64::MAX);

    /// So many nanoseconds; negative ones and what is no number are none.
    #[must_use]
    pub fn from_nanoseconds(nanoseconds: f64) -> Self {
        Self((nanoseconds * 1e3) as u64)
    }

    /// The same as a number.
    #[must_use]
    pub fn nanoseconds(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl Add for Price {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Price {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Price {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Price {
    fn sum<I: Iterator<Item = Self>>(prices: I) -> Self {
        prices.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nanoseconds() {
            ns if ns >= 1e3 => write!(f, "{:.1} µs", ns / 1e3),
            ns if ns >= 1.0 => write!(f, "{ns:.0} ns"),
            ns => write!(f, "{ns:.2} ns"),
        }
    }
}

/// A filter that is dear.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Dear {
    /// Which one.
    pub id: FilterId,
    /// Its expression.
    pub text: String,
    /// What it costs.
    pub price: Price,
    /// What would make it cheaper; empty where that would gain nothing.
    pub advice: String,
}

/// The filters of an owner cost more than they may.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct OverBudget {
    /// What they may cost together.
    pub budget: Price,
    /// What they cost.
    pub price: Price,
    /// The three dearest, the dearest first; fewer if there are fewer.
    pub dearest: Vec<Dear>,
}

impl std::error::Error for OverBudget {}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { budget, price, dearest } = self;
        write!(
            f,
            "The filters would cost {price} a post together; an owner's may cost {budget}. The dearest:"
        )?;
        for Dear { text, price, advice, .. } in dearest {
            let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let cut: String = line.chars().take(SHOWN).collect();
            let more = if cut.len() < line.len() { "…" } else { "" };
            write!(f, "\n  {price}  {cut}{more}")?;
            if !advice.is_empty() {
                write!(f, "\n      {advice}")?;
            }
        }
        Ok(())
    }
}

/// Filters of an owner that cost more than they may, of which the dearest are not described yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess<F> {
    /// What they may cost together.
    pub budget: Price,
    /// What they cost.
    pub price: Price,
    /// Those that a refusal names, and what each costs, the dearest first.
    pub dearest: Vec<(F, Price)>,
}

/// Holds filters of one owner to a budget, by what each costs; returns what they cost together.
///
/// [`FilterSetBuilder::within`](crate::FilterSetBuilder::within) is this for filters that a builder has.
///
/// # Errors
/// If that is more, the dearest, to be described.
pub fn hold<F>(budget: Price, filters: impl IntoIterator<Item = (F, Price)>) -> Result<Price, Excess<F>> {
    let mut dearest: Vec<_> = filters.into_iter().collect();
    let price = dearest.iter().map(|filter| filter.1).sum();
    if price <= budget {
        return Ok(price);
    }
    dearest.sort_by_key(|filter| std::cmp::Reverse(filter.1));
    dearest.truncate(NAMED);
    Err(Excess { budget, price, dearest })
}

impl<F> Excess<F> {
    /// The refusal, from what [`FilterSetBuilder::dear`](crate::FilterSetBuilder::dear) says of each that it names.
    #[must_use]
    pub fn described(self, mut describe: impl FnMut(F, Price) -> Option<Dear>) -> OverBudget {
        let Self { budget, price, dearest } = self;
        let dearest = dearest.into_iter().enumerate().filter_map(|(place, (filter, one))| {
            let dear = describe(filter, one)?;
            let is_worth_advice = place == 0 || one.0 > price.0 / WORTH_ADVICE;
            Some(Dear { advice: if is_worth_advice { dear.advice } else { String::new() }, ..dear })
        });
        OverBudget { budget, price, dearest: dearest.collect() }
    }
}

/// What would make a filter cheaper, most of whose price is a set that is tried on every post.
pub(crate) fn advice_on_set(atom: &str, long: bool) -> String {
    let always = format!("`{}` is tried on every post, whatever stands beside it", cut(atom));
    match long {
        true => format!(
            "{always}: a set of more than {MOST_WAYS} terms is not looked up; cut it into sets that are shorter, and \
             write OR between them"
        ),
        false => format!(
            "{always}: its set has terms that can't be looked up, such as `*no*`; take them out, or give them a \
             filter of their own"
        ),
    }
}

/// What would make a filter cheaper, as far as its text tells.
#[must_use]
pub fn advice(expression: &Expression) -> String {
    let cost = cost::of(expression, false);
    let parts = quoted(expression, &cost.reasons);
    if let Some(regex) = cost.reasons.iter().find(|span| is_regex(expression, **span)) {
        let regex = quoted(expression, &[*regex]);
        return match cost.class {
            CostClass::Scanned => {
                format!("{regex} runs over every post: put a word beside it that must be there, or into it")
            }
            _ => format!("{regex} runs wherever its letters occur: put a rarer word beside it, or into it"),
        };
    }
    match cost.class {
        CostClass::Scanned => {
            let only = if parts.is_empty() { parts } else { format!(" (only {parts})") };
            format!(
                "nothing that can be looked up must be there{only}, so it is tried on every post: add a word, tag, \
                 author or lang: that must be there"
            )
        }
        CostClass::Guarded => format!("{parts} is searched as letters: write whole words, or more letters"),
        CostClass::Indexed => {
            format!(
                "{parts} occurs in many posts, and then all of the filter is tried: add a rarer word, or cut it"
            )
        }
    }
}

fn is_regex(expression: &Expression, span: Span) -> bool {
    let mut open: Vec<&Node> = vec![expression.root()];
    while let Some(node) = open.pop() {
        match &node.kind {
            NodeKind::And(items) | NodeKind::Or(items) => open.extend(items),
            NodeKind::Quota(quota) => open.extend(&quota.items),
            NodeKind::Not(inner) | NodeKind::Scope(_, inner) => open.push(inner),
            NodeKind::Atom(crate::syntax::Atom::Regex(_)) if node.span == span => return true,
            NodeKind::Atom(_) => {}
        }
    }
    false
}

/// Parts of the expression as they were written, two at most.
fn quoted(expression: &Expression, spans: &[Span]) -> String {
    let part = |span: &Span| format!("`{}`", cut(expression.text().get(span.range()).unwrap_or_default()));
    let more = if spans.len() > 2 { " …" } else { "" };
    spans.iter().take(2).map(part).collect::<Vec<_>>().join(", ") + more
}

/// The beginning of a part of an expression.
fn cut(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN / 2).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut}{more}")
}
