//! Why a post matches, or what it lacks: computed on request, by the engine's own answers for each atom.

use super::fields::{self, Entry, Links, Place};
use super::find;
use crate::filter_set::{FilterId, FilterSetBuilder, Identity, OwnerId};
use crate::plan::channel::{Channel, Channels};
use crate::plan::formula::ScopeKey;
use crate::plan::lower::{word_channel, written};
use crate::post::Post;
use crate::syntax::{AccountField, Atom, IdField, NamedSets, Node, NodeKind, Scope};
use crate::text::{self, Needle, Origin, Searchable};
use crate::{Dialect, Expression, Limits, Scratch, Span};

/// Why a post matches an expression, or what it lacks.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Explanation {
    /// Whether the post matches.
    pub matched: bool,
    /// A match: the atoms that made it, in order of the expression. A miss: the atoms that each alone would have
    /// made it a match, or, where no single one would, a set that together would.
    pub parts: Vec<Part>,
    /// A miss: each of `parts` alone would have sufficed.
    pub each_suffices: bool,
}

/// An atom of the expression in an [`Explanation`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Part {
    /// Where in the expression.
    pub expression: Span,
    /// It stands under an odd number of NOTs: it counts because it is false.
    pub negated: bool,
    /// Where in the post it is true; empty for what is absent, and for facts that stand nowhere.
    pub places: Vec<Evidence>,
}

/// A place of a post.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Evidence {
    /// Which field.
    pub field: Field,
    /// In the quoted post or the retweet's original, from the outside in.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub scopes: Vec<&'static str>,
    /// Bytes of the field as the post has it; `None`: the field as a whole.
    pub span: Option<Span>,
    /// What stands there.
    pub text: String,
}

/// A field of a post, with its number where a post has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[allow(missing_docs, reason = "each is named like the field of `Post`")]
pub enum Field {
    Text,
    Warning,
    Bio,
    Name,
    Location,
    Source,
    Link(usize),
    LinkTitle(usize),
    LinkDescription(usize),
    Alt(usize),
    Place(usize),
    Attribute,
    QuotedText,
    QuotedWarning,
    QuotedLink(usize),
    Hashtag,
    Cashtag,
    Mention,
    Author,
    ReplyTo,
    Original,
    Quoted,
    Conversation,
    Lang,
    Annotation,
    /// A count, time, flag or coordinate.
    Metadata,
}

/// Explains one expression over one post.
pub(crate) fn explain(
    expression: &Expression,
    post: &Post,
    sets: &NamedSets,
    me: Option<&[Identity]>,
) -> Explanation {
    let mut leaves = Vec::new();
    collect(expression.root(), &mut Vec::new(), &mut leaves);
    let sides = evaluate(&leaves, expression.dialect(), post, sets, me);
    let mut walk = Walk { sides, next: 0, truth: Vec::new() };
    walk.fill(expression.root(), Some(post));
    let tree = walk.truth.pop().unwrap_or_default();
    let x = expression.dialect() == Dialect::X;
    let matched = tree.holds.0;
    let mut found = Vec::new();
    let mut each_suffices = false;
    if matched {
        tree.reasons(expression.root(), false, &mut found);
    } else {
        tree.pivots(expression.root(), false, &mut found);
        each_suffices = !found.is_empty();
        if found.is_empty() {
            tree.lacking(expression.root(), false, &mut found);
        }
    }
    let parts = found
        .into_iter()
        .map(|(node, negated)| Part {
            expression: node.span,
            negated,
            places: if matched && !negated {
                places(node, expression, post, sets, me, x)
            } else {
                Vec::new()
            },
        })
        .collect();
    Explanation { matched, parts, each_suffices }
}

/// The atoms of a tree in order, each with the scopes around it.
fn collect<'n>(node: &'n Node, scopes: &mut Vec<Scope>, out: &mut Vec<(&'n Node, Vec<Scope>)>) {
    match &node.kind {
        NodeKind::And(items) | NodeKind::Or(items) => items.iter().for_each(|n| collect(n, scopes, out)),
        NodeKind::Quota(quota) => quota.items.iter().for_each(|n| collect(n, scopes, out)),
        NodeKind::Not(inner) => collect(inner, scopes, out),
        NodeKind::Scope(scope, inner) => {
            scopes.push(*scope);
            collect(inner, scopes, out);
            scopes.pop();
        }
        NodeKind::Atom(_) => out.push((node, scopes.clone())),
    }
}

fn wrapped(node: &Node, scopes: &[Scope], negative: bool) -> Node {
    let mut inner = node.clone();
    if negative {
        inner = Node { span: node.span, kind: NodeKind::Not(Box::new(inner)) };
    }
    scopes
        .iter()
        .rev()
        .fold(inner, |n, scope| Node { span: node.span, kind: NodeKind::Scope(*scope, Box::new(n)) })
}

/// The true and the false side of every atom, by the engine.
fn evaluate(
    leaves: &[(&Node, Vec<Scope>)],
    dialect: Dialect,
    post: &Post,
    sets: &NamedSets,
    me: Option<&[Identity]>,
) -> Vec<(bool, bool)> {
    let owner = me.map(|_| OwnerId(0));
    let mut builder = FilterSetBuilder::with_sets(sets.clone());
    builder.limits(Limits { regex_size_per_owner: usize::MAX, ..Limits::default() });
    if let Some(me) = me {
        builder.owner(OwnerId(0), me.to_vec());
    }
    for (number, (node, scopes)) in leaves.iter().enumerate() {
        for negative in [false, true] {
            let side = Expression::from_node(wrapped(node, scopes, negative), dialect);
            let id = FilterId(number as u64 * 2 + u64::from(negative));
            // What the set refused when the filter was added is not asked again; an unknown name is no match.
            let _ = builder.add_expression(id, owner, side);
        }
    }
    let mut sides = vec![(false, false); leaves.len()];
    for found in builder.build().matches_scanned(&mut Scratch::default(), post) {
        let side = &mut sides[found.id.0 as usize / 2];
        if found.id.0 % 2 == 0 { side.0 = true } else { side.1 = true }
    }
    sides
}

/// A tree's truth: whether its true side and its false side hold, and the same of its children.
#[derive(Clone, Debug, Default)]
struct Truth {
    holds: (bool, bool),
    children: Vec<Truth>,
}

struct Walk {
    sides: Vec<(bool, bool)>,
    next: usize,
    truth: Vec<Truth>,
}

impl Walk {
    /// Pushes the truth of a node as read on `post` (the post behind the scopes around it, where carried).
    fn fill(&mut self, node: &Node, post: Option<&Post>) {
        let children_of = |walk: &mut Self, items: &[Node], post: Option<&Post>| -> Vec<Truth> {
            items
                .iter()
                .map(|n| {
                    walk.fill(n, post);
                    walk.truth.pop().unwrap_or_default()
                })
                .collect()
        };
        let truth = match &node.kind {
            NodeKind::And(items) => {
                let children = children_of(self, items, post);
                let holds = (children.iter().all(|c| c.holds.0), children.iter().any(|c| c.holds.1));
                Truth { holds, children }
            }
            NodeKind::Or(items) => {
                let children = children_of(self, items, post);
                let holds = (children.iter().any(|c| c.holds.0), children.iter().all(|c| c.holds.1));
                Truth { holds, children }
            }
            NodeKind::Quota(quota) => {
                let children = children_of(self, &quota.items, post);
                let (needed, none) = quota.needed();
                let yes = children.iter().filter(|c| c.holds.0).count() >= needed;
                let no = children.iter().filter(|c| c.holds.1).count() + needed > children.len();
                Truth { holds: if none { (no, yes) } else { (yes, no) }, children }
            }
            NodeKind::Not(inner) => {
                let children = children_of(self, std::slice::from_ref(inner), post);
                Truth { holds: (children[0].holds.1, children[0].holds.0), children }
            }
            NodeKind::Scope(scope, inner) => {
                let reference = post.and_then(|p| match scope {
                    Scope::Quote => p.content().quote_of.as_ref(),
                    Scope::Retweet => p.retweet_of.as_ref(),
                });
                let carried = reference.and_then(|r| r.post.as_ref());
                let children = children_of(self, std::slice::from_ref(inner), carried);
                let absent = post.is_some() && reference.is_none();
                Truth { holds: (children[0].holds.0, absent || children[0].holds.1), children }
            }
            NodeKind::Atom(_) => {
                let holds = self.sides.get(self.next).copied().unwrap_or_default();
                self.next += 1;
                Truth { holds, children: Vec::new() }
            }
        };
        self.truth.push(truth);
    }
}

/// Atoms with the side that is meant.
type Atoms<'n> = Vec<(&'n Node, bool)>;

impl Truth {
    fn side(&self, negative: bool) -> bool {
        if negative { self.holds.1 } else { self.holds.0 }
    }

    /// The atoms that hold on paths that hold.
    fn reasons<'n>(&self, node: &'n Node, negative: bool, out: &mut Atoms<'n>) {
        if !self.side(negative) {
            return;
        }
        match &node.kind {
            NodeKind::Atom(_) => out.push((node, negative)),
            NodeKind::Scope(_, inner) if !self.children[0].side(negative) => out.push((inner, negative)),
            _ => {
                let (items, negative, _) = group(node, negative);
                for (child, item) in self.children.iter().zip(items) {
                    child.reasons(item, negative, out);
                }
            }
        }
    }

    /// The atoms of which each alone would turn this node to the wanted side.
    fn pivots<'n>(&self, node: &'n Node, negative: bool, out: &mut Atoms<'n>) {
        if let NodeKind::Atom(_) = node.kind {
            out.push((node, negative));
            return;
        }
        let (items, negative, needed) = group(node, negative);
        let holding = self.children.iter().filter(|c| c.side(negative)).count();
        if holding + 1 == needed {
            for (child, item) in self.children.iter().zip(items).filter(|(c, _)| !c.side(negative)) {
                child.pivots(item, negative, out);
            }
        }
    }

    /// A set of atoms that together would turn this node to the wanted side.
    fn lacking<'n>(&self, node: &'n Node, negative: bool, out: &mut Atoms<'n>) {
        if let NodeKind::Atom(_) = node.kind {
            out.push((node, negative));
            return;
        }
        let (items, negative, needed) = group(node, negative);
        let holding = self.children.iter().filter(|c| c.side(negative)).count();
        let mut options: Vec<Atoms<'n>> = self
            .children
            .iter()
            .zip(items)
            .filter(|(c, _)| !c.side(negative))
            .map(|(child, item)| {
                let mut atoms = Vec::new();
                child.lacking(item, negative, &mut atoms);
                atoms
            })
            .collect();
        options.sort_by_key(Vec::len);
        out.extend(options.into_iter().take(needed.saturating_sub(holding)).flatten());
    }
}

/// The elements of a node, the side of them that it wants, and how many of them must hold.
fn group(node: &Node, negative: bool) -> (&[Node], bool, usize) {
    match &node.kind {
        NodeKind::And(items) => (items, negative, if negative { 1 } else { items.len() }),
        NodeKind::Or(items) => (items, negative, if negative { items.len() } else { 1 }),
        NodeKind::Quota(quota) => {
            let (needed, none) = quota.needed();
            let negative = negative != none;
            let needed = if negative { (quota.items.len() + 1).saturating_sub(needed) } else { needed };
            (&quota.items, negative, needed)
        }
        NodeKind::Not(inner) => (std::slice::from_ref(inner), !negative, 1),
        NodeKind::Scope(_, inner) => (std::slice::from_ref(inner), negative, 1),
        NodeKind::Atom(_) => (&[], negative, 0),
    }
}

/// Where in the post an atom is true.
fn places(
    node: &Node,
    expression: &Expression,
    post: &Post,
    sets: &NamedSets,
    me: Option<&[Identity]>,
    x: bool,
) -> Vec<Evidence> {
    let NodeKind::Atom(atom) = &node.kind else { return Vec::new() };
    let mut leaves = Vec::new();
    collect(expression.root(), &mut Vec::new(), &mut leaves);
    let scopes = leaves.into_iter().find(|(n, _)| n.span == node.span).map(|(_, s)| s).unwrap_or_default();
    let mut read = post;
    let mut names = Vec::new();
    for scope in scopes {
        let reference = match ScopeKey::of(scope) {
            ScopeKey::Quote => read.content().quote_of.as_ref(),
            ScopeKey::Retweet => read.retweet_of.as_ref(),
        };
        names.push(match scope {
            Scope::Quote => "quote",
            Scope::Retweet => "retweet",
        });
        match reference.and_then(|r| r.post.as_ref()) {
            Some(inner) => read = inner,
            None => return Vec::new(),
        }
    }
    let atoms = sets.expand(atom).unwrap_or_else(|_| vec![atom.clone()]);
    let mut out = Vec::new();
    for atom in &atoms {
        let mut seeker = Seeker { post: read, x, me, out: &mut out };
        seeker.atom(atom);
    }
    for evidence in &mut out {
        evidence.scopes.clone_from(&names);
    }
    out
}

struct Seeker<'a> {
    post: &'a Post,
    x: bool,
    me: Option<&'a [Identity]>,
    out: &'a mut Vec<Evidence>,
}

impl Seeker<'_> {
    fn atom(&mut self, atom: &Atom) {
        let pick = |native: Channel, x: Channel| if self.x { x } else { native };
        match atom {
            Atom::Text(pattern) => self.words(pick(Channel::Text, Channel::TextX), pattern),
            Atom::Words(field, values) => {
                let channel = word_channel(*field, self.x);
                for pattern in written(values) {
                    self.words(channel, pattern);
                }
            }
            Atom::Contains(values) => {
                let channel = pick(Channel::Text, Channel::TextX);
                for value in written(values) {
                    self.needle(channel, &Needle::new(value));
                }
            }
            Atom::UrlContains(values) => {
                let channel = pick(Channel::Url, Channel::UrlX);
                for value in written(values) {
                    self.needle(channel, &Needle::new(&crate::plan::links::decode(value)));
                }
            }
            Atom::Regex(pattern) => {
                let text = &self.post.content().text;
                let read = text::nfc(text);
                if let Some(found) =
                    super::regexes::compile(pattern, Limits::default().regex_size).and_then(|r| r.find(&read))
                {
                    let same = read.as_ref() == text.as_str();
                    let span = same.then(|| Span::from(found.range()));
                    self.put(Field::Text, span, found.as_str());
                }
            }
            Atom::Hashtag { tag, prefix } => self.tags(Field::Hashtag, tag, *prefix),
            Atom::Cashtag(symbol) => self.tags(Field::Cashtag, symbol, false),
            Atom::Mention(name) => self.mention(name),
            Atom::Account(field, _) => self.account(*field),
            Atom::Id(field, _) => self.id(*field),
            Atom::Domain(values) => {
                for value in written(values) {
                    let wanted = crate::plan::links::domain(value);
                    let links = self.post.content().entities.links.iter().enumerate();
                    let found: Vec<_> = links
                        .flat_map(|(n, l)| fields::targets(l).map(move |t| (n, t)))
                        .filter(|(_, t)| {
                            crate::plan::links::host(t).is_some_and(|h| {
                                h == wanted || h.strip_suffix(&wanted).is_some_and(|f| f.ends_with('.'))
                            })
                        })
                        .collect();
                    for (n, target) in found {
                        self.put(Field::Link(n), None, target);
                    }
                }
            }
            Atom::Lang(_) => {
                let lang = self.post.content().lang.clone().unwrap_or_else(|| "und".into());
                self.put(Field::Lang, None, &lang);
            }
            Atom::Context(_) | Atom::Entity(_) => {
                let names: Vec<String> =
                    self.post.content().annotations.iter().map(|a| a.name.clone()).collect();
                for name in names {
                    self.put(Field::Annotation, None, &name);
                }
            }
            Atom::Attribute { name, test: crate::syntax::AttributeTest::Words(values) } => {
                for pattern in written(values) {
                    let name = name.clone();
                    self.words_where(
                        Channel::Attribute,
                        pattern,
                        |place| matches!(place, Place::Attribute(n) if n.eq_ignore_ascii_case(&name)),
                    );
                }
            }
            _ => self.put(Field::Metadata, None, ""),
        }
    }

    fn put(&mut self, field: Field, span: Option<Span>, text: &str) {
        let evidence = Evidence { field, scopes: Vec::new(), span, text: text.to_owned() };
        if !self.out.contains(&evidence) {
            self.out.push(evidence);
        }
    }

    fn words(&mut self, channel: Channel, pattern: &crate::syntax::TextPattern) {
        self.words_where(channel, pattern, |_| true);
    }

    fn words_where(
        &mut self,
        channel: Channel,
        pattern: &crate::syntax::TextPattern,
        admits: impl Fn(&Place<'_>) -> bool,
    ) {
        let mut found = Vec::new();
        each_stretch(self.post, channel, |place, text, origin| {
            if admits(&place) {
                for span in find::find(pattern, text, origin) {
                    found.push((field_of(place), span, text[span.range()].to_owned()));
                }
            }
        });
        for (field, span, text) in found {
            self.put(field, Some(span), &text);
        }
    }

    fn needle(&mut self, channel: Channel, needle: &Needle) {
        let mut found = Vec::new();
        each_stretch(self.post, channel, |place, text, origin| {
            let mut searchable = Searchable::default();
            text::fold_for_search(text, origin, &mut searchable);
            if let Some(span) = searchable.find(needle) {
                found.push((field_of(place), span, text[span.range()].to_owned()));
            }
        });
        for (field, span, text) in found {
            self.put(field, Some(span), &text);
        }
    }

    fn tags(&mut self, field: Field, wanted: &str, prefix: bool) {
        let wanted = text::fold_value(wanted);
        let content = self.post.content();
        let quoted = fields::quoted(content).filter(|_| self.x);
        for post in [Some(content), quoted].into_iter().flatten() {
            let tags =
                if field == Field::Hashtag { &post.entities.hashtags } else { &post.entities.cashtags };
            for tag in tags {
                let own = text::fold_value(&tag.text);
                if if prefix { wanted.is_prefix_of(&own) } else { wanted.matches(&own) } {
                    self.put(field, tag.span.filter(|_| std::ptr::eq(post, content)), &tag.text);
                }
            }
        }
    }

    fn mention(&mut self, name: &crate::syntax::AccountName) {
        use crate::syntax::AccountName;
        let content = self.post.content();
        let wanted: Vec<String> = match name {
            AccountName::Name(name) => vec![name.to_ascii_lowercase()],
            AccountName::Me => {
                let me = self.me.unwrap_or_default().iter();
                me.flat_map(|i| [i.account.id.to_ascii_lowercase(), i.account.handle.to_ascii_lowercase()])
                    .collect()
            }
        };
        let mut found = Vec::new();
        let mut buffer = fields::Buffer::default();
        for mention in &content.entities.mentions {
            let entry = Entry::Account(&content.network, &mention.account);
            fields::keys(entry, false, &mut buffer, |_, key| {
                if wanted.iter().any(|w| w == key) {
                    found.push((mention.span, mention.account.handle.clone()));
                }
            });
        }
        for (span, handle) in found {
            self.put(Field::Mention, span, &handle);
        }
    }

    fn account(&mut self, field: AccountField) {
        let content = self.post.content();
        let (field, account) = match field {
            AccountField::From => (Field::Author, Some(&self.post.author.account)),
            AccountField::To => (Field::ReplyTo, content.reply_to.as_ref().map(|r| &r.account)),
            AccountField::RetweetsOf => (Field::Original, self.post.retweet_of.as_ref().map(|r| r.account())),
            AccountField::QuotesOf => (Field::Quoted, content.quote_of.as_ref().map(|r| r.account())),
        };
        if let Some(account) = account.cloned() {
            self.put(field, None, if account.handle.is_empty() { &account.id } else { &account.handle });
        }
    }

    fn id(&mut self, field: IdField) {
        let content = self.post.content();
        let (field, id) = match field {
            IdField::InReplyTo => (Field::ReplyTo, content.reply_to.as_ref().map(|r| r.id.clone())),
            IdField::RetweetsOf => {
                (Field::Original, self.post.retweet_of.as_ref().map(|r| r.id().to_owned()))
            }
            IdField::QuotesOf => (Field::Quoted, content.quote_of.as_ref().map(|r| r.id().to_owned())),
            IdField::Conversation => (Field::Conversation, content.conversation_id.clone()),
        };
        self.put(field, None, &id.unwrap_or_default());
    }
}

/// Calls `each` with the stretches that feed a channel.
fn each_stretch(post: &Post, channel: Channel, mut each: impl FnMut(Place<'_>, &str, Origin<'_>)) {
    let mut spans = Vec::new();
    fields::stretches(post, Channels::of(&[channel]), |stretch| {
        stretch.links.spans(stretch.text, &mut spans);
        let limit = Limits::default().post_text_bytes;
        match stretch.links {
            Links::Itself => {
                let decoded = crate::plan::links::decode(stretch.text);
                // Spans of a decoded link would point beside it.
                let text = if decoded == stretch.text { stretch.text } else { &decoded };
                each(stretch.place, super::view::cut(text, limit), Origin::Filter);
            }
            _ => each(stretch.place, super::view::cut(stretch.text, limit), Origin::Post(&spans)),
        }
    });
}

fn field_of(place: Place<'_>) -> Field {
    match place {
        Place::Text => Field::Text,
        Place::Warning => Field::Warning,
        Place::Bio => Field::Bio,
        Place::BioName => Field::Name,
        Place::BioLocation => Field::Location,
        Place::Link(n) => Field::Link(n),
        Place::LinkTitle(n) => Field::LinkTitle(n),
        Place::LinkDescription(n) => Field::LinkDescription(n),
        Place::Alt(n) => Field::Alt(n),
        Place::Source => Field::Source,
        Place::Named(n) => Field::Place(n),
        Place::Attribute(_) => Field::Attribute,
        Place::QuotedText => Field::QuotedText,
        Place::QuotedWarning => Field::QuotedWarning,
        Place::QuotedLink(n) => Field::QuotedLink(n),
    }
}
