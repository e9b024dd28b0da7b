//! From tree to formula: NOT goes down to the atoms, values and sets open up, terms get their numbers.

use std::borrow::Cow;

use super::atoms::{Atom, Atoms, Element, Flag, NearItem, Reach, Test, Wild};
use super::channel::{Channel, Level};
use super::formula::{Formula, ScopeKey};
use super::links;
use super::sets::SetPlans;
use crate::engine::dictionary::{KeyKind, TermId};
use crate::post::Point;
use crate::stated::Known;
use crate::syntax::lint::sets_of;
use crate::syntax::{
    self, AccountName, AttributeTest, Diagnostic, DistanceUnit, Form, Node, NodeKind, PlaceField, Shape,
    TextPattern, Value, literals,
};
use crate::text::{self, Needle, Origin, Searchable, WildcardReach};

/// Lowers expressions of one set of filters.
pub(crate) struct Lowering<'a> {
    pub(crate) atoms: &'a mut Atoms,
    /// What the filter in hand refers to.
    pub(crate) known: Known<'a>,
    pub(crate) set_plans: &'a mut SetPlans,
    pub(crate) x: bool,
}

impl Lowering<'_> {
    /// The formula of an expression.
    pub(crate) fn formula(&mut self, node: &Node) -> Result<Formula, Diagnostic> {
        self.node(node, false, Level::Post)
    }

    fn node(&mut self, node: &Node, negative: bool, level: Level) -> Result<Formula, Diagnostic> {
        match &node.kind {
            NodeKind::And(items) | NodeKind::Or(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|n| self.node(n, negative, level)).collect();
                let conjunction = matches!(node.kind, NodeKind::And(_)) != negative;
                Ok(if conjunction { Formula::all(items?) } else { Formula::any(items?) })
            }
            NodeKind::Not(inner) => self.node(inner, !negative, level),
            NodeKind::Quota(quota) => {
                let (needed, none) = quota.needed();
                let negative = negative != none;
                let items: Result<Vec<_>, _> =
                    quota.items.iter().map(|n| self.node(n, negative, level)).collect();
                let items = items?;
                let needed = if negative { (items.len() + 1).saturating_sub(needed) } else { needed };
                Ok(Formula::at_least(needed, items))
            }
            NodeKind::Scope(scope, inner) => {
                let scope = ScopeKey::of(*scope);
                let inner = self.node(inner, negative, scope.enter(level))?;
                let inside = Formula::In(scope, Box::new(inner));
                let announced = scope.flags().0;
                Ok(if negative {
                    Formula::any([Formula::is(Test::Flag(announced), true), inside])
                } else {
                    inside
                })
            }
            NodeKind::Atom(atom) => self.atom(atom, node, negative, level),
        }
    }

    fn atom(
        &mut self,
        atom: &syntax::Atom,
        node: &Node,
        negative: bool,
        level: Level,
    ) -> Result<Formula, Diagnostic> {
        if !sets_of(atom).is_empty() {
            return self.set(atom, node, negative, level);
        }
        let tests = self.tests(atom).map_err(|mut d| {
            d.span = node.span;
            d
        })?;
        // As nearly always.
        if let [test] = tests[..] {
            return Ok(Formula::is(test, negative));
        }
        let literals = tests.into_iter().map(|test| Formula::is(test, negative));
        Ok(if negative { Formula::all(literals) } else { Formula::any(literals) })
    }

    /// What an atom without sets asks: any of these.
    pub(super) fn tests(&mut self, atom: &syntax::Atom) -> Result<Vec<Test>, Diagnostic> {
        use syntax::Atom as A;
        let x = self.x;
        Ok(match atom {
            A::Text(pattern) => {
                self.words(if x { Channel::TextX } else { Channel::Text }, pattern).into_iter().collect()
            }
            A::Words(field, values) => {
                let channel = Channel::of_words(*field, x);
                let mut tests = Vec::new();
                for value in written(values) {
                    tests.extend(self.words(channel, value));
                }
                tests
            }
            A::Contains(values) => {
                self.needles(if x { Channel::ContainsX } else { Channel::Contains }, values)
            }
            A::UrlContains(values) => {
                self.needles(if x { Channel::UrlContainsX } else { Channel::UrlContains }, values)
            }
            A::Regex(pattern) => vec![self.regex(pattern)],
            A::Hashtag { tag, prefix } => {
                vec![self.entity(if x { Channel::HashtagX } else { Channel::Hashtag }, tag, *prefix)]
            }
            A::Cashtag(symbol) => {
                vec![self.entity(if x { Channel::CashtagX } else { Channel::Cashtag }, symbol, false)]
            }
            A::Mention(name) => self.account(if x { Channel::MentionX } else { Channel::Mention }, name)?,
            A::Account(field, values) => {
                let channel = Channel::of_account(*field);
                let mut tests = Vec::new();
                for value in written(values) {
                    tests.extend(self.account(channel, value)?);
                }
                tests
            }
            A::Domain(values) => {
                let channel = if x { Channel::DomainX } else { Channel::Domain };
                written(values).map(|v| self.atoms.term(channel, &links::domain(v))).collect()
            }
            A::Id(field, values) => {
                let channel = Channel::of_id(*field);
                written(values).map(|v| self.atoms.term(channel, v)).collect()
            }
            A::Is(values) => written(values).map(|f| Test::Flag(Flag::of_is(*f, x))).collect(),
            A::Has(values) => written(values).map(|f| Test::Flag(Flag::of_has(*f, x))).collect(),
            A::Lang(values) => {
                written(values).map(|tag| self.atoms.term(Channel::Lang, &links::language(tag))).collect()
            }
            A::Place(field, values) => {
                let mut tests = Vec::new();
                for value in written(values) {
                    tests.extend(self.place(*field, value));
                }
                tests
            }
            A::Context(values) => written(values)
                .map(|id| {
                    let part = |p: &Option<String>| p.clone().unwrap_or_else(|| "*".to_owned());
                    let key = format!("{}.{}", part(&id.domain), part(&id.entity));
                    self.atoms.term(Channel::Annotation, &key)
                })
                .collect(),
            A::Entity(values) => written(values).map(|v| self.entity(Channel::Entity, v, false)).collect(),
            A::Attribute { name, test } => self.attribute(name, test),
            _ => vec![self.comparison(atom)],
        })
    }

    fn comparison(&mut self, atom: &syntax::Atom) -> Test {
        use syntax::Atom as A;
        let plan = match atom {
            A::Number(field, comparison) => Atom::Number(*field, *comparison),
            A::Time(bound, time) => Atom::Time(*bound, time.millis),
            A::AccountAge(age) => Atom::Age(age.range),
            A::IdBound(bound, id) => Atom::IdBound(*bound, *id),
            A::Sample(hundredths) => Atom::Sample(*hundredths),
            A::PointRadius { center, radius, unit } => {
                let km = match unit {
                    DistanceUnit::Km => *radius,
                    DistanceUnit::Mi => radius * 1.609_344,
                };
                Atom::Radius(Point { lon: center.lon, lat: center.lat }, km)
            }
            A::BoundingBox { south_west, north_east } => Atom::Inside(*south_west, *north_east),
            // Every other atom is taken by `tests`.
            _ => Atom::Sample(0),
        };
        self.atoms.intern(format!("{plan:?}").into_bytes(), || plan)
    }

    /// The key of a token under a form; `None` for a token with wildcards.
    fn key(&mut self, token: &text::Term, form: Form) -> Option<TermId> {
        if token.wildcard.is_some() {
            return None;
        }
        Some(match form {
            Form::Exact => self.atoms.terms.intern_exact(&token.exact, &token.plain),
            // Whether plain or with accents, a token is looked up under the same kind of key.
            _ => self.atoms.terms.intern_plain(token.key()),
        })
    }

    /// A word, phrase or proximity in a channel.
    pub(crate) fn words(&mut self, channel: Channel, pattern: &TextPattern) -> Option<Test> {
        let written = match channel {
            Channel::Url | Channel::UrlX => Cow::Owned(text::decode_link(&pattern.text)),
            _ => Cow::Borrowed(pattern.text.as_str()),
        };
        if let Shape::Near(distance) = pattern.shape {
            return self.near(channel, &written, pattern.form, distance);
        }
        let tokens = text::pattern(&written, pattern.shape == Shape::Word).ok()?.terms;
        if pattern.form == Form::Obfuscated {
            return self.obfuscated(channel, tokens.first()?);
        }
        let mut elements = Vec::with_capacity(tokens.len());
        for token in tokens {
            elements.push(match self.key(&token, pattern.form) {
                Some(term) => Element::Term(term),
                None => Element::Wild(Box::new(Wild { term: token, exact: pattern.form == Form::Exact })),
            });
        }
        match elements.as_slice() {
            [] => None,
            [Element::Term(term)] => Some(Test::Term(channel, *term)),
            [Element::Wild(wild)] => Some(self.wild(channel, wild)),
            [Element::Term(a), Element::Term(b)] => {
                Some(Test::Term(channel, self.atoms.terms.intern_pair(*a, *b)))
            }
            _ => Some(self.phrase(channel, elements)),
        }
    }

    fn phrase(&mut self, channel: Channel, elements: Vec<Element>) -> Test {
        let mut pairs = Vec::new();
        for pair in elements.windows(2) {
            if let [Element::Term(a), Element::Term(b)] = pair {
                pairs.push(self.atoms.terms.intern_pair(*a, *b));
            }
        }
        let mut key = vec![b'P', channel as u8];
        for element in &elements {
            match element {
                Element::Term(term) => key.extend_from_slice(&term.to_le_bytes()),
                Element::Wild(token) => key.extend_from_slice(format!("{token:?}").as_bytes()),
            }
        }
        self.atoms.intern(key, || Atom::Phrase { channel, elements: elements.into(), pairs: pairs.into() })
    }

    fn near(&mut self, channel: Channel, written: &str, form: Form, distance: u32) -> Option<Test> {
        let items = text::near_items(written);
        let mut terms = |item: &text::Pattern| -> Vec<TermId> {
            item.terms.iter().filter_map(|t| self.key(t, form)).collect()
        };
        let mut items: Vec<_> = items.iter().map(&mut terms).filter(|item| !item.is_empty()).collect();
        // In any order: equal items stand side by side, and are one that must stand several times.
        items.sort_unstable();
        let mut key = vec![b'N', channel as u8];
        key.extend_from_slice(&distance.to_le_bytes());
        for item in &items {
            key.extend_from_slice(&(item.len() as u32).to_le_bytes());
            key.extend(item.iter().flat_map(|t| t.to_le_bytes()));
        }
        if items.is_empty() {
            return None;
        }
        Some(self.atoms.intern(key, || {
            let items = items.chunk_by(|a, b| a == b).map(|equal| NearItem {
                elements: equal[0].iter().map(|term| Element::Term(*term)).collect(),
                times: equal.len() as u32,
            });
            Atom::Near { channel, items: items.collect(), distance }
        }))
    }

    fn wild(&mut self, channel: Channel, wild: &Wild) -> Test {
        let terms = &mut self.atoms.terms;
        let reach = match wild.term.reach(wild.exact) {
            WildcardReach::Head(head) => {
                Reach::Head(terms.intern(KeyKind::Prefix, head_key(head).as_bytes()))
            }
            WildcardReach::Part(part) => {
                let kind = if wild.exact { KeyKind::ExactPart } else { KeyKind::Part };
                Reach::Part(terms.intern(kind, part.as_bytes()))
            }
            WildcardReach::None => Reach::None,
        };
        let mut key = vec![b'W', channel as u8];
        key.extend_from_slice(format!("{wild:?}").as_bytes());
        self.atoms.intern(key, || Atom::Wild { channel, wild: Box::new(wild.clone()), reach })
    }

    fn obfuscated(&mut self, channel: Channel, token: &text::Term) -> Option<Test> {
        let mut skeleton = String::new();
        text::obfuscated_into(&token.plain, &mut skeleton);
        let collapsed = text::squeezed(&skeleton);
        let term = self.atoms.terms.intern(KeyKind::Obfuscated, collapsed.as_bytes());
        let mut key = vec![b'O', channel as u8];
        key.extend_from_slice(skeleton.as_bytes());
        Some(self.atoms.intern(key, || Atom::Obfuscated { channel, skeleton: skeleton.into(), term }))
    }

    fn needles(&mut self, channel: Channel, values: &[Value<String>]) -> Vec<Test> {
        let mut tests = Vec::new();
        let mut folded = Searchable::default();
        for value in written(values) {
            let value = match channel {
                Channel::UrlContains | Channel::UrlContainsX => Cow::Owned(text::decode_link(value)),
                _ => Cow::Borrowed(value.as_str()),
            };
            let needle = Needle::new(&value);
            text::fold_for_search(&value, Origin::Filter, &mut folded);
            let term = self.atoms.terms.intern(KeyKind::Literal, folded.plain().as_bytes());
            let mut key = vec![b'C', channel as u8];
            key.extend_from_slice(needle.text().as_bytes());
            tests.push(self.atoms.intern(key, || Atom::Contains { channel, needle: Box::new(needle), term }));
        }
        tests
    }

    fn regex(&mut self, pattern: &syntax::RegexPattern) -> Test {
        let literals = literals::required(pattern)
            .iter()
            .map(|literal| self.atoms.terms.intern(KeyKind::RegexLiteral, literal))
            .collect();
        let mut key = vec![b'R'];
        key.extend_from_slice(format!("{pattern:?}").as_bytes());
        self.atoms.intern(key, || Atom::Regex { pattern: Box::new(pattern.clone()), literals })
    }

    /// A whole entity: tag, symbol, name of an annotation.
    fn entity(&mut self, channel: Channel, value: &str, prefix: bool) -> Test {
        let text::Folded { folded, plain } = text::fold_value(value);
        if !prefix {
            return self.atoms.term(channel, &folded);
        }
        let head = self.atoms.terms.intern(KeyKind::Prefix, head_key(&plain).as_bytes());
        let is_plain = folded == plain;
        let mut key = vec![b'T', channel as u8];
        key.extend_from_slice(folded.as_bytes());
        self.atoms.intern(key, || Atom::TagPrefix { channel, prefix: folded.into(), plain: is_plain, head })
    }

    fn account(&mut self, channel: Channel, name: &AccountName) -> Result<Vec<Test>, Diagnostic> {
        match name {
            AccountName::Name(name) => {
                let name = name.to_ascii_lowercase();
                let mut tests = vec![self.atoms.term(channel, &name)];
                for (network, id) in self.known.ids(&name) {
                    tests.push(self.identity(channel, network, id));
                }
                Ok(tests)
            }
            AccountName::Me => {
                let Some(me) = self.known.me() else {
                    let message = "`me` needs an owner: this filter has none";
                    return Err(Diagnostic::error("me_without_owner", crate::Span::default(), message));
                };
                let names =
                    me.iter().flat_map(|i| [&i.account.id, &i.account.handle].map(|n| (&i.network, n)));
                Ok(names
                    .filter(|(_, name)| !name.is_empty())
                    .map(|(network, name)| self.identity(channel, network, name))
                    .collect())
            }
        }
    }

    /// An account of one network.
    fn identity(&mut self, channel: Channel, network: &str, name: &str) -> Test {
        let key = identity_key(network, name);
        Test::Term(channel, self.atoms.terms.intern(KeyKind::Identity, key.as_bytes()))
    }

    fn place(&mut self, field: PlaceField, value: &str) -> Vec<Test> {
        let channel = match field {
            PlaceField::Place => {
                let pattern =
                    TextPattern { text: value.to_owned(), form: Form::Folded, shape: Shape::Phrase };
                let id = self.atoms.term(Channel::PlaceId, value);
                return self.words(Channel::Place, &pattern).into_iter().chain([id]).collect();
            }
            PlaceField::Country => Channel::Country,
            PlaceField::ProfileCountry => Channel::ProfileCountry,
            PlaceField::ProfileRegion => Channel::ProfileRegion,
            PlaceField::ProfileLocality => Channel::ProfileLocality,
        };
        vec![self.entity(channel, value, false)]
    }

    fn attribute(&mut self, name: &str, test: &AttributeTest) -> Vec<Test> {
        let name = name.to_ascii_lowercase();
        match test {
            AttributeTest::Number(comparison) => {
                let key = format!("A{name}\0{comparison:?}").into_bytes();
                vec![self.atoms.intern(key, || Atom::AttributeNumber(name.into(), *comparison))]
            }
            AttributeTest::Words(values) => {
                let mut tests = Vec::new();
                for value in written(values) {
                    let mut key = format!("a{name}\0{value:?}").into_bytes();
                    key.push(Channel::Attribute as u8);
                    let words = self.words(Channel::Attribute, value);
                    if let Some(words) = words {
                        tests.push(self.atoms.intern(key, || Atom::Attribute {
                            name: name.as_str().into(),
                            pattern: Box::new(value.clone()),
                            words,
                        }));
                    }
                }
                tests
            }
        }
    }
}

/// First letters by which wildcard words and tag prefixes are found: at most four.
pub(crate) fn head_key(head: &str) -> &str {
    head.char_indices().nth(4).map_or(head, |(end, _)| &head[..end])
}

/// The key of an account on one network.
pub(crate) fn identity_key(network: &str, name: &str) -> String {
    format!("{}\0{}", network.to_ascii_lowercase(), name.trim_start_matches('@').to_ascii_lowercase())
}

pub(crate) fn written<T>(values: &[Value<T>]) -> impl Iterator<Item = &T> {
    values.iter().filter_map(|v| match v {
        Value::One(value) => Some(value),
        Value::Set(_) => None,
    })
}
