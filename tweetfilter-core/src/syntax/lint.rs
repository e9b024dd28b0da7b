//! Warnings: what is legal but perhaps not meant, in O(n log n).
//!
//! What a tree alone shows comes with the [`Expression`]; the functions here need to know more: the named
//! lists, the owner, or what the sources carry.

mod access;
mod birth;
mod common;
mod group;
mod range;

pub(crate) use common::is_common;
use std::collections::{BTreeSet, HashMap};

use super::cost::{self, CostClass};
use super::report::Report;
use super::values::flag_name;
use super::words::Checked;
use super::{
    AccountName, Atom, AttributeTest, Diagnostic, Expression, NamedSets, Node, NodeKind, QuotaCount, Scope,
    TextPattern, Value, literals, values,
};
use crate::Span;
use access::Access;

/// Adds the warnings that a tree gives rise to; what it costs by its form.
pub(super) fn tree(root: &Node, text: &str, checked: &Checked, report: &mut Report) -> CostClass {
    let bare = {
        let mut lint = Lint { text, checked, report, ids: HashMap::new() };
        // A lone atom has nothing beside it that it could be odd with.
        if !matches!(root.kind, NodeKind::Atom(_)) {
            lint.visit(root);
        }
        birth::check(&mut lint, root);
        lint.bare_regexes(root)
    };
    // To find the literals of a regex takes longer than all else.
    let class = |atom: &Atom, span: Span| match atom {
        Atom::Regex(_) if bare.binary_search(&span).is_ok() => CostClass::Scanned,
        Atom::Regex(_) => CostClass::Guarded,
        _ => cost::class(atom),
    };
    match access::of(root, &class, checked) {
        Access::Good => {}
        Access::Common => {
            let message =
                "All that this filter must find are very common words, so it is tried on very many posts";
            report.push(Diagnostic::warning("common_words", root.span, message));
        }
        Access::None => {
            let message = "Nothing that can be looked up must be there for this filter to match, so it is evaluated for every post";
            report.push(Diagnostic::warning("evaluated_for_every_post", root.span, message));
        }
    }
    let (class, ()) = cost::best(root, &class, cost::ENDS);
    class
}

/// Calls `f` with every atom of an expression and its place, in the order of the text.
pub fn each_atom<'e>(expression: &'e Expression, f: &mut impl FnMut(&'e Atom, Span)) {
    atoms_of(expression.root(), f);
}

fn atoms_of<'n>(root: &'n Node, f: &mut impl FnMut(&'n Atom, Span)) {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        match &node.kind {
            NodeKind::And(items) | NodeKind::Or(items) => open.extend(items.iter().rev()),
            NodeKind::Quota(quota) => open.extend(quota.items.iter().rev()),
            NodeKind::Not(inner) | NodeKind::Scope(_, inner) => open.push(inner),
            NodeKind::Atom(atom) => f(atom, node.span),
        }
    }
}

struct Lint<'a> {
    text: &'a str,
    checked: &'a Checked,
    report: &'a mut Report,
    /// Equal nodes have the same number.
    ids: HashMap<Key<'a>, u32>,
}

/// What equal nodes have in common.
#[derive(PartialEq, Eq, Hash)]
enum Key<'n> {
    Text(&'n TextPattern),
    /// Any other atom, by its canonical text.
    Atom(String),
    Not(u32),
    Scope(Scope, u32),
    And(Vec<u32>),
    Or(Vec<u32>),
    Quota(QuotaCount, Vec<u32>),
}

impl<'a> Lint<'a> {
    fn warn(&mut self, diagnostic: Diagnostic) {
        self.report.push(diagnostic);
    }

    fn id(&mut self, key: Key<'a>) -> u32 {
        let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        *self.ids.entry(key).or_insert(next)
    }

    /// Numbers a node and warns of what is odd in it; the depth is that of the tree, which is bounded.
    fn visit(&mut self, node: &'a Node) -> u32 {
        let key = match &node.kind {
            NodeKind::Atom(Atom::Text(pattern)) => Key::Text(pattern),
            NodeKind::Atom(atom) => Key::Atom(atom.to_string()),
            NodeKind::Not(inner) => Key::Not(self.visit(inner)),
            NodeKind::Scope(scope, inner) => Key::Scope(*scope, self.visit(inner)),
            NodeKind::And(items) => Key::And(self.list(node, items)),
            NodeKind::Or(items) => Key::Or(self.list(node, items)),
            NodeKind::Quota(quota) => Key::Quota(quota.count, self.list(node, &quota.items)),
        };
        self.id(key)
    }

    /// The sorted numbers of the elements of a flat list.
    fn list(&mut self, node: &'a Node, items: &'a [Node]) -> Vec<u32> {
        let mut entries = Vec::with_capacity(items.len());
        for item in items {
            let (negated, inner) = match &item.kind {
                NodeKind::Not(inner) => (true, &**inner),
                _ => (false, item),
            };
            entries.push(group::Entry { id: self.visit(inner), negated, item });
        }
        group::check(self, node, &entries);
        let mut ids: Vec<u32> = entries.iter().map(|e| e.id * 2 + u32::from(e.negated)).collect();
        ids.sort_unstable();
        ids
    }

    /// Warns of regexes that nothing can be searched for first; where they stand, in order.
    fn bare_regexes(&mut self, root: &Node) -> Vec<Span> {
        let mut bare = Vec::new();
        atoms_of(root, &mut |atom, span| {
            if let Atom::Regex(regex) = atom
                && literals::required(regex).is_empty()
            {
                let message = "This regex has no fixed letters to search for first, so it runs on every post";
                self.warn(Diagnostic::warning("regex_without_literal", span, message));
                bare.push(span);
            }
        });
        bare
    }
}

/// Named lists that an expression uses and that are not there: a warning for each.
#[must_use]
pub fn unknown_sets(expression: &Expression, sets: &NamedSets) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    each_atom(expression, &mut |atom, span| {
        for name in sets_of(atom).into_iter().filter(|name| !sets.contains(name)) {
            let message = format!("There is no set named {name}");
            out.push(Diagnostic::warning("set_unknown", span, message));
        }
    });
    out
}

/// The names of the lists that an expression uses, in order.
#[must_use]
pub fn set_names(expression: &Expression) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each_atom(expression, &mut |atom, _| names.extend(sets_of(atom).into_iter().map(str::to_owned)));
    names
}

/// Every `me` of an expression: an error for each, to be reported where a filter has no owner.
#[must_use]
pub fn me_without_owner(expression: &Expression) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    each_atom(expression, &mut |atom, span| {
        if names_me(atom) {
            let message = "me stands for the owner of the filter, and this filter has none";
            out.push(Diagnostic::error("me_without_owner", span, message));
        }
    });
    out
}

/// Whether an atom names the owner of its filter.
pub(crate) fn names_me(atom: &Atom) -> bool {
    match atom {
        Atom::Mention(name) => *name == AccountName::Me,
        Atom::Account(_, names) => names.contains(&Value::One(AccountName::Me)),
        _ => false,
    }
}

/// What the sources of posts never carry.
///
/// ```
/// use tweetfilter_core::{Expression, syntax::lint};
/// let sources = lint::Capabilities::without(["followers", "is:verified"]);
/// let filter = Expression::parse("snow followers:>100")?;
/// assert_eq!(lint::never_carried(&filter, &sources)[0].message, "No source carries what followers reads");
/// # Ok::<(), tweetfilter_core::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    never: BTreeSet<String>,
    source: Option<String>,
}

impl Capabilities {
    /// Sources that carry everything but what these operators read: canonical names without colon, or
    /// `is:` and `has:` with a value.
    #[must_use]
    pub fn without<'a>(operators: impl IntoIterator<Item = &'a str>) -> Self {
        Self { never: operators.into_iter().map(str::to_owned).collect(), source: None }
    }

    /// These are what one source carries, of this name; there are others.
    #[must_use]
    pub fn of(self, source: &str) -> Self {
        Self { source: Some(source.to_owned()), ..self }
    }
}

/// Operators of an expression whose data the sources never carry: a warning for each.
#[must_use]
pub fn never_carried(expression: &Expression, sources: &Capabilities) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    each_atom(expression, &mut |atom, span| {
        for name in names_of(atom).into_iter().filter(|name| sources.never.contains(name)) {
            let message = match &sources.source {
                Some(source) => format!("Posts of {source} never carry what {name} reads"),
                None => format!("No source carries what {name} reads"),
            };
            out.push(Diagnostic::warning("never_carried", span, message));
        }
    });
    out
}

/// The operator of an atom; for `is:` and `has:` with each value.
fn names_of(atom: &Atom) -> Vec<String> {
    fn each<T: PartialEq>(name: &str, list: &[(&'static str, T)], items: &[Value<T>]) -> Vec<String> {
        let flags = items.iter().filter_map(|v| match v {
            Value::One(flag) => Some(flag_name(list, flag)),
            Value::Set(_) => None,
        });
        flags.map(|flag| format!("{name}:{flag}")).collect()
    }
    match atom {
        Atom::Is(items) => each("is", &values::IS_FLAGS, items),
        Atom::Has(items) => each("has", &values::HAS_FLAGS, items),
        Atom::Text(_) | Atom::Regex(_) | Atom::Set(_) | Atom::Mention(_) | Atom::Cashtag(_) => Vec::new(),
        Atom::Hashtag { .. } => Vec::new(),
        other => other.to_string().split(':').next().map(str::to_owned).into_iter().collect(),
    }
}

/// The named lists that an atom uses.
pub(crate) fn sets_of(atom: &Atom) -> Vec<&str> {
    fn of<T>(values: &[Value<T>]) -> Vec<&str> {
        let mut names = Vec::new();
        for value in values {
            if let Value::Set(name) = value {
                names.push(name.as_str());
            }
        }
        names
    }
    match atom {
        Atom::Set(name) => vec![name],
        Atom::Contains(v) | Atom::UrlContains(v) | Atom::Domain(v) | Atom::Lang(v) | Atom::Entity(v) => of(v),
        Atom::Id(_, v) | Atom::Place(_, v) => of(v),
        Atom::Account(_, v) => of(v),
        Atom::Words(_, v) | Atom::Attribute { test: AttributeTest::Words(v), .. } => of(v),
        Atom::Is(v) => of(v),
        Atom::Has(v) => of(v),
        Atom::Context(v) => of(v),
        _ => Vec::new(),
    }
}
