//! Where in a post an atom is true.

use std::collections::{HashMap, HashSet};

use super::texts::{Looks, Texts};
use super::values::{Key, Kind, Values, backwards};
use super::{Evidence, Field, LOOKS, SHOWN};
use crate::Span;
use crate::eval::find::Sought;
use crate::eval::stretches::Place;
use crate::eval::{regexes, view};
use crate::plan::channel::Channel;
use crate::plan::formula::ScopeKey;
use crate::plan::links;
use crate::plan::lower::written;
use crate::post::Post;
use crate::stated::Known;
use crate::syntax::{
    AccountField, AccountName, Atom, AttributeTest, ContextId, IdField, Scope, TextPattern, WordField,
};
use crate::text::{self, Needle};

/// Finds where in a post atoms are true. What they read is made once for all of them.
pub(super) struct Places<'p> {
    post: &'p Post,
    x: bool,
    known: Known<'p>,
    text_limit: usize,
    read: Read<'p>,
    looks: Looks,
    /// What was found already, by atom and scopes: the same may stand in an expression again and again.
    told: HashMap<(String, Vec<Scope>), Vec<Evidence>>,
}

impl<'p> Places<'p> {
    pub(super) fn new(post: &'p Post, x: bool, known: Known<'p>, text_limit: usize) -> Self {
        let (read, looks, told) = (Read::default(), Looks::new(LOOKS), HashMap::new());
        Self { post, x, known, text_limit, read, looks, told }
    }

    /// Where an atom is true that stands in these scopes.
    pub(super) fn of(&mut self, atom: &Atom, scopes: &[Scope]) -> Vec<Evidence> {
        let key = (atom.to_string(), scopes.to_vec());
        if let Some(told) = self.told.get(&key) {
            return told.clone();
        }
        let found = self.found(atom, scopes);
        self.told.insert(key, found.clone());
        found
    }

    fn found(&mut self, atom: &Atom, scopes: &[Scope]) -> Vec<Evidence> {
        let mut post = self.post;
        let mut names = Vec::new();
        for scope in scopes {
            let reference = match ScopeKey::of(*scope) {
                ScopeKey::Quote => post.content().quote_of.as_ref(),
                ScopeKey::Retweet => post.retweet_of.as_ref(),
            };
            names.push(match scope {
                Scope::Quote => "quote",
                Scope::Retweet => "retweet",
            });
            match reference.and_then(|r| r.post.as_ref()) {
                Some(inner) => post = inner,
                None => return Vec::new(),
            }
        }
        if self.looks.are_spent() {
            return Vec::new();
        }
        let atoms = self.known.expand(atom).unwrap_or_else(|_| vec![atom.clone()]);
        let (x, known, text_limit) = (self.x, self.known, self.text_limit);
        let (read, looks, found) = (&mut self.read, &self.looks, Found::default());
        let mut seeker = Seeker { post, x, known, text_limit, read, looks, found };
        for atom in &atoms {
            if seeker.found.are_enough() || !seeker.looks.take(1) {
                break;
            }
            seeker.atom(atom);
        }
        let mut out = seeker.found.all;
        for evidence in &mut out {
            evidence.scopes.clone_from(&names);
        }
        out
    }
}

struct Seeker<'s, 'p> {
    post: &'p Post,
    x: bool,
    known: Known<'p>,
    text_limit: usize,
    read: &'s mut Read<'p>,
    looks: &'s Looks,
    found: Found,
}

/// The places of a part.
#[derive(Default)]
struct Found {
    all: Vec<Evidence>,
    /// What `all` says.
    said: HashSet<(Field, Option<Span>, String)>,
}

impl Found {
    /// Adds a place, unless it is there or there are enough: a post may have thousands of links. Whether more are wanted.
    fn put(&mut self, field: Field, span: Option<Span>, text: &str) -> bool {
        // Compared by what they say, not one by one.
        if !self.are_enough() && self.said.insert((field, span, text.to_owned())) {
            self.all.push(Evidence { field, scopes: Vec::new(), span, text: text.to_owned() });
        }
        !self.are_enough()
    }

    fn are_enough(&self) -> bool {
        self.all.len() >= SHOWN
    }
}

impl Seeker<'_, '_> {
    fn atom(&mut self, atom: &Atom) {
        let pick = |native: Channel, x: Channel| if self.x { x } else { native };
        match atom {
            Atom::Text(pattern) => self.words(pick(Channel::Text, Channel::TextX), pattern),
            Atom::Words(field, values) => {
                let channel = Channel::of_words(*field, self.x);
                for pattern in written(values) {
                    match field {
                        WordField::Url => {
                            let text = text::decode_link(&pattern.text);
                            self.words(channel, &TextPattern { text, ..pattern.clone() });
                        }
                        _ => self.words(channel, pattern),
                    }
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
                    self.needle(channel, &Needle::new(&text::decode_link(value)));
                }
            }
            Atom::Regex(pattern) => {
                let text = view::cut(&self.post.content().text, self.text_limit);
                let read = text::nfc(text);
                if let Some(found) = regexes::compile(pattern, usize::MAX).and_then(|r| r.find(&read)) {
                    let span = text::span_before_nfc(text, found.range());
                    self.put(Field::Text, Some(span), text.get(span.range()).unwrap_or_default());
                }
            }
            Atom::Hashtag { tag, prefix } => {
                self.folded(|plain| Kind::Hashtag { plain }, tag, *prefix);
            }
            Atom::Cashtag(symbol) => self.folded(|plain| Kind::Cashtag { plain }, symbol, false),
            Atom::Mention(name) => self.mention(name),
            Atom::Account(field, _) => self.account(*field),
            Atom::Id(field, _) => self.id(*field),
            Atom::Domain(values) => {
                let ends = written(values).flat_map(|value| {
                    let end = backwards(&links::domain(value));
                    [Key::Begins(format!("{end}.")), Key::Is(end)]
                });
                self.values(Kind::Domain, &ends.collect::<Vec<_>>());
            }
            Atom::Lang(_) => {
                let lang = self.post.content().lang.clone().unwrap_or_else(|| "und".into());
                self.put(Field::Lang, None, &lang);
            }
            Atom::Context(values) => {
                let keys: Vec<_> = written(values).map(|id| Key::Is(context(id))).collect();
                self.values(Kind::Context, &keys);
            }
            Atom::Entity(values) => {
                for value in written(values) {
                    self.folded(|plain| Kind::Entity { plain }, value, false);
                }
            }
            Atom::Attribute { name, test: AttributeTest::Words(values) } => {
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
        self.found.put(field, span, text);
    }

    fn words(&mut self, channel: Channel, pattern: &TextPattern) {
        self.words_where(channel, pattern, |_| true);
    }

    fn words_where(&mut self, channel: Channel, pattern: &TextPattern, admits: impl Fn(&Place<'_>) -> bool) {
        let Some(sought) = Sought::new(pattern) else { return };
        let (found, looks) = (&mut self.found, self.looks);
        self.read.texts(self.post, self.text_limit, channel).find(&sought, looks, |shown, span| {
            !admits(&shown.place) || found.put(shown.place.field(), shown.in_post(span), shown.at(span))
        });
    }

    fn needle(&mut self, channel: Channel, needle: &Needle) {
        let (found, looks) = (&mut self.found, self.looks);
        self.read.texts(self.post, self.text_limit, channel).search(needle, looks, |shown, span| {
            found.put(shown.place.field(), shown.in_post(span), shown.at(span))
        });
    }

    /// Values that are compared folded.
    fn folded(&mut self, kind: impl Fn(bool) -> Kind, wanted: &str, prefix: bool) {
        let wanted = text::fold_value(wanted);
        let kind = kind(!wanted.is_accented());
        let key = if prefix { Key::Begins(wanted.folded) } else { Key::Is(wanted.folded) };
        self.values(kind, &[key]);
    }

    fn values(&mut self, kind: Kind, keys: &[Key]) {
        for (field, span, text) in self.read.values(self.post, self.x, kind).find(keys, self.looks) {
            self.found.put(field, span, text);
        }
    }

    fn mention(&mut self, name: &AccountName) {
        let network = &self.post.content().network;
        let wanted: Vec<String> = match name {
            AccountName::Name(name) => {
                let name = name.to_ascii_lowercase();
                let ids = self.known.ids(&name).filter(|(of, _)| *of == network.as_str());
                ids.map(|(_, id)| id.to_ascii_lowercase()).chain([name.clone()]).collect()
            }
            AccountName::Me => {
                let me = self.known.me().unwrap_or_default().iter();
                me.flat_map(|i| [i.account.id.to_ascii_lowercase(), i.account.handle.to_ascii_lowercase()])
                    .collect()
            }
        };
        let keys: Vec<Key> = wanted.into_iter().map(Key::Is).collect();
        self.values(Kind::Mention, &keys);
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

/// The key of a context, as a post has it.
fn context(id: &ContextId) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
    format!("{}.{}", part(&id.domain), part(&id.entity))
}

/// What atoms read of the posts of one explanation, made once for all of them.
#[derive(Default)]
struct Read<'p> {
    texts: HashMap<(*const Post, Channel), Texts<'p>>,
    values: HashMap<(*const Post, Kind), Values<'p>>,
}

impl<'p> Read<'p> {
    /// The texts that feed a channel.
    fn texts(&mut self, post: &'p Post, limit: usize, channel: Channel) -> &Texts<'p> {
        let key = (std::ptr::from_ref(post), channel);
        self.texts.entry(key).or_insert_with(|| Texts::new(post, limit, channel))
    }

    /// The values of a kind.
    fn values(&mut self, post: &'p Post, x: bool, kind: Kind) -> &Values<'p> {
        let key = (std::ptr::from_ref(post), kind);
        self.values.entry(key).or_insert_with(|| Values::new(post, x, kind))
    }
}
