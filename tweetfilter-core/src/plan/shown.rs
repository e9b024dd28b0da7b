//! A plan in words, for people who want to see how a filter is run.

use super::access::{Access, Chooser};
use super::atoms::{Atom, Atoms, Element, NearItem, Test};
use super::channel::{Channel, Level};
use super::formula::{Formula, Literal, ScopeKey};
use super::sets::SetPlan;
use super::statistics::TermStatistics;
use crate::engine::dictionary::{KeyKind, TermId};
use crate::engine::masks::{Masks, parts};
use crate::syntax::cost::Cost;
use crate::syntax::{self, AttributeTest, Dialect, DistanceUnit, Expression, Node, NodeKind};

/// How a filter is run.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Plan {
    /// Its class, and what of the expression decided it.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub cost: Cost,
    /// A post is tried only if one of these is found in it; empty: every post is tried.
    pub access: Vec<String>,
    /// How often that is expected, in candidates for each post; `None`: every post is one.
    pub expected: Option<f32>,
    /// Facts of the post that are checked by bits before the program runs.
    pub conditions: Vec<String>,
    /// What confirms a candidate, one step after the other.
    pub program: Vec<PlanStep>,
    /// The named sets that are found by themselves, once for all filters that name them.
    pub sets: Vec<PlanSet>,
}

/// How a named set of a [`Plan`] is found in a post.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PlanSet {
    /// The set, as [`Plan::access`] and [`Plan::program`] call it.
    pub name: String,
    /// A post is tried only if one of these is found in it, unless every post is tried.
    pub access: Vec<String>,
    /// How often that is expected in a post; `None`: every post is tried.
    pub expected: Option<f32>,
    /// Whether it has more terms than are looked up, so that every post is tried.
    pub is_long: bool,
}

/// A step of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PlanStep {
    /// How many groups it stands in.
    pub depth: usize,
    /// `all of`, `any of`, or what is asked of the post.
    pub text: String,
}

/// The plan of a formula, as [`crate::engine::build`] makes it.
pub(crate) fn plan(formula: &Formula, atoms: &Atoms, sets: &[SetPlan], cost: Cost) -> Plan {
    let statistics = TermStatistics::default();
    let mut chooser = Chooser { atoms, sets, statistics: &statistics, known: Vec::new() };
    let words = Words { atoms, sets };
    let access = chooser.access(formula, Level::Post);
    let masks = Masks::new(std::slice::from_ref(formula), atoms);
    let conditions = parts(formula).iter().filter_map(|part| match part {
        Formula::Is(literal) if masks.decides(literal) => Some(words.literal(literal)),
        _ => None,
    });
    let mut program = Vec::new();
    words.steps(formula, 0, &mut program);
    let alone = sets.iter().filter(|set| set.level != Level::Deeper).map(|set| {
        let access = chooser.access(&set.formula, set.level);
        PlanSet {
            name: format!("{}set {}", of_level(set.level), set.atom),
            expected: access.as_ref().map(|a| a.cost),
            is_long: access.is_none() && set.is_long(),
            access: words.access(access),
        }
    });
    let sets = alone.collect();
    let expected = access.as_ref().map(|a| a.cost);
    Plan { cost, conditions: conditions.collect(), expected, access: words.access(access), program, sets }
}

/// Where a term is looked for, if that is not the post itself.
fn of_level(level: Level) -> &'static str {
    match level {
        Level::Quote => "quoted ",
        Level::Original => "original's ",
        Level::Post | Level::Deeper => "",
    }
}

struct Words<'a> {
    atoms: &'a Atoms,
    sets: &'a [SetPlan],
}

impl Words<'_> {
    /// What leads to a filter or set.
    fn access(&self, access: Option<Access>) -> Vec<String> {
        let ways = access.map_or_else(Vec::new, |access| access.ways);
        ways.iter().map(|way| of_level(way.level).to_owned() + &self.term(way.channel, way.term)).collect()
    }

    fn steps(&self, formula: &Formula, depth: usize, out: &mut Vec<PlanStep>) {
        let mut group = |text: String, parts: &[Formula]| {
            out.push(PlanStep { depth, text });
            for part in parts {
                self.steps(part, depth + 1, out);
            }
        };
        match formula {
            Formula::Is(literal) => group(self.literal(literal), &[]),
            Formula::Set(number, negative) => {
                group(format!("{}{}", sign(*negative), self.set(*number)), &[]);
            }
            Formula::All(parts) if parts.is_empty() => group("always".to_owned(), &[]),
            Formula::Any(parts) if parts.is_empty() => group("never".to_owned(), &[]),
            Formula::All(parts) => group("all of".to_owned(), parts),
            Formula::Any(parts) => group("any of".to_owned(), parts),
            Formula::AtLeast(n, parts) => group(format!("at least {n} of"), parts),
            Formula::In(scope, inner) => {
                let text = match scope {
                    ScopeKey::Quote => "of the quoted post",
                    ScopeKey::Retweet => "of the retweet's original",
                };
                group(text.to_owned(), std::slice::from_ref(inner));
            }
        }
    }

    fn literal(&self, literal: &Literal) -> String {
        let shown = match literal.test {
            Test::Term(channel, term) => self.term(channel, term),
            Test::Flag(flag) => format!("fact {}", spaced(&format!("{flag:?}"))),
            Test::Atom(id) => self.atom(&self.atoms.list[id as usize]),
        };
        format!("{}{shown}", sign(literal.negative))
    }

    /// A named set, as the filter writes it.
    fn set(&self, number: u32) -> String {
        let written = self.sets.get(number as usize).map_or("", |set| &set.atom);
        format!("set {written}")
    }

    /// A term with what it is looked for in.
    fn term(&self, channel: Channel, term: TermId) -> String {
        if let (KeyKind::Set, &[a, b, c, d]) = self.atoms.terms.key(term) {
            return self.set(u32::from_le_bytes([a, b, c, d]));
        }
        let quoted = match self.atoms.terms.key(term).0 {
            KeyKind::Literal | KeyKind::RegexLiteral => format!("{:?} anywhere", self.key(term)),
            KeyKind::Part | KeyKind::ExactPart => format!("…{}…", self.key(term)),
            KeyKind::Prefix => format!("{}…", self.key(term)),
            KeyKind::Exact => format!("={}", self.key(term)),
            KeyKind::Obfuscated => format!("~{}", self.key(term)),
            KeyKind::Pair => format!("{:?}", self.key(term)),
            _ => self.key(term),
        };
        format!("{} {quoted}", place(channel))
    }

    fn key(&self, term: TermId) -> String {
        let (kind, key) = self.atoms.terms.key(term);
        match (kind, key) {
            (KeyKind::Pair, &[a, b, c, d, e, f, g, h]) => {
                let (one, two) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
                format!("{} {}", self.key(one), self.key(two))
            }
            _ => String::from_utf8_lossy(key).trim_start_matches('\0').replace('\0', " "),
        }
    }

    fn atom(&self, atom: &Atom) -> String {
        use syntax::Atom as A;
        let wild = |w: &super::atoms::Wild| format!("{}{}", if w.exact { "=" } else { "" }, w.term.folded);
        match atom {
            Atom::Phrase { channel, elements, .. } => {
                let elements = elements.iter().map(|e| match e {
                    Element::Term(term) => self.key(*term),
                    Element::Wild(w) => wild(w),
                });
                format!("{} {:?}", place(*channel), elements.collect::<Vec<_>>().join(" "))
            }
            Atom::Near { channel, items, distance } => {
                let shown = |item: &NearItem| item.terms().map(|t| self.key(t)).collect::<Vec<_>>().join(" ");
                let items = items.iter().flat_map(|item| vec![shown(item); item.times as usize]);
                let items: Vec<String> = items.collect();
                format!("{} {:?} near each other, {distance} between", place(*channel), items.join(", "))
            }
            Atom::Wild { channel, wild: w, .. } => format!("{} {}", place(*channel), wild(w)),
            Atom::Obfuscated { channel, skeleton, .. } => format!("{} like {skeleton}", place(*channel)),
            Atom::Contains { channel, term, .. } => {
                format!("{} {:?} anywhere", place(*channel), self.key(*term))
            }
            Atom::TagPrefix { channel, prefix, .. } => format!("{} {prefix}…", place(*channel)),
            Atom::Attribute { name, pattern, .. } => format!("attr.{name} {}", pattern.text),
            Atom::Regex { pattern, .. } => written(A::Regex((**pattern).clone())),
            Atom::Number(field, comparison) => written(A::Number(*field, *comparison)),
            Atom::AttributeNumber(name, comparison) => {
                written(A::Attribute { name: name.to_string(), test: AttributeTest::Number(*comparison) })
            }
            Atom::IdBound(bound, id) => written(A::IdBound(*bound, *id)),
            Atom::Radius(center, km) => {
                written(A::PointRadius { center: *center, radius: *km, unit: DistanceUnit::Km })
            }
            Atom::Time(..) => "time of the post".to_owned(),
            Atom::Age(_) => "age of the account".to_owned(),
            Atom::Inside(..) => "coordinates in the box".to_owned(),
            Atom::Sample(share) => format!("sample:{}", f64::from(*share) / 100.0),
        }
    }
}

fn sign(negative: bool) -> &'static str {
    if negative { "not " } else { "" }
}

/// An atom as a filter writes it.
fn written(atom: syntax::Atom) -> String {
    let node = Node { span: crate::Span::default(), kind: NodeKind::Atom(atom) };
    Expression::from_node(node, Dialect::Native).to_string()
}

/// What a channel reads.
fn place(channel: Channel) -> String {
    match channel {
        Channel::Contains => "text".to_owned(),
        Channel::TextX | Channel::ContainsX => "text, links and quote".to_owned(),
        Channel::UrlContains => "url".to_owned(),
        Channel::Regex => "text as written".to_owned(),
        other => {
            let name = spaced(&format!("{other:?}"));
            name.strip_suffix(" x").map_or(name.clone(), |name| format!("{name}, also the quote's,"))
        }
    }
}

/// `RetweetsOf` as `retweets of`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
