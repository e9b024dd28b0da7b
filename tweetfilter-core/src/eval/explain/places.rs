//! Where in a post an atom is true.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::{Evidence, Field};
use crate::Span;
use crate::eval::fields::{self, Entry};
use crate::eval::find::{SHOWN, Words};
use crate::eval::stretches::{self, Links, Place};
use crate::eval::{regexes, view};
use crate::plan::channel::{Channel, Channels};
use crate::plan::formula::ScopeKey;
use crate::plan::links;
use crate::plan::lower::written;
use crate::post::{Account, Post};
use crate::stated::Known;
use crate::syntax::{AccountField, AccountName, Atom, AttributeTest, IdField, Scope, TextPattern, WordField};
use crate::text::{self, Needle, Origin, Searchable};

/// Finds where in a post atoms are true. What they read is made once for all of them.
pub(super) struct Places<'p> {
    pub(super) post: &'p Post,
    pub(super) x: bool,
    pub(super) known: Known<'p>,
    pub(super) text_limit: usize,
    pub(super) read: Read<'p>,
}

impl Places<'_> {
    /// Where an atom is true that stands in these scopes.
    pub(super) fn of(&mut self, atom: &Atom, scopes: &[Scope]) -> Vec<Evidence> {
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
        let atoms = self.known.expand(atom).unwrap_or_else(|_| vec![atom.clone()]);
        let (x, known, text_limit, read) = (self.x, self.known, self.text_limit, &mut self.read);
        let mut seeker = Seeker { post, x, known, text_limit, read, out: Vec::new(), said: HashSet::new() };
        for atom in &atoms {
            seeker.atom(atom);
        }
        let mut out = seeker.out;
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
    out: Vec<Evidence>,
    /// What `out` says.
    said: HashSet<(Field, Option<Span>, String)>,
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
                    let span = text::span_before_nfc(text, &read, found.range());
                    self.put(Field::Text, Some(span), found.as_str());
                }
            }
            Atom::Hashtag { tag, prefix } => self.tags(Field::Hashtag, tag, *prefix),
            Atom::Cashtag(symbol) => self.tags(Field::Cashtag, symbol, false),
            Atom::Mention(name) => self.mention(name),
            Atom::Account(field, _) => self.account(*field),
            Atom::Id(field, _) => self.id(*field),
            Atom::Domain(values) => {
                for value in written(values) {
                    let wanted = links::domain(value);
                    let own = self.post.content().entities.links.iter().enumerate();
                    let found: Vec<_> = own
                        .flat_map(|(n, l)| fields::targets(l).map(move |t| (n, t)))
                        .filter(|(_, t)| {
                            links::host(t).is_some_and(|h| {
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

    /// Adds a place, unless it is there or there are enough: a post may have thousands of links.
    fn put(&mut self, field: Field, span: Option<Span>, text: &str) {
        if self.out.len() >= SHOWN {
            return;
        }
        let evidence = Evidence { field, scopes: Vec::new(), span, text: text.to_owned() };
        // Compared by what they say, not one by one.
        if self.said.insert((field, span, evidence.text.clone())) {
            self.out.push(evidence);
        }
    }

    fn words(&mut self, channel: Channel, pattern: &TextPattern) {
        self.words_where(channel, pattern, |_| true);
    }

    fn words_where(&mut self, channel: Channel, pattern: &TextPattern, admits: impl Fn(&Place<'_>) -> bool) {
        let mut found = Vec::new();
        for Shown { place, words, .. } in self.read.stretches(self.post, self.text_limit, channel) {
            if admits(place) {
                let spans = words.find(pattern).into_iter();
                found.extend(spans.map(|span| (place.field(), span, words.text()[span.range()].to_owned())));
            }
        }
        for (field, span, text) in found {
            self.put(field, Some(span), &text);
        }
    }

    fn needle(&mut self, channel: Channel, needle: &Needle) {
        let mut found = Vec::new();
        for shown in self.read.stretches(self.post, self.text_limit, channel) {
            if let Some(span) = shown.searchable().find(needle) {
                found.push((shown.place.field(), span, shown.words.text()[span.range()].to_owned()));
            }
        }
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

    fn mention(&mut self, name: &AccountName) {
        let content = self.post.content();
        let wanted: Vec<String> = match name {
            AccountName::Name(name) => {
                let name = name.to_ascii_lowercase();
                let ids = self.known.ids(&name).filter(|(network, _)| *network == content.network);
                ids.map(|(_, id)| id.to_ascii_lowercase()).chain([name.clone()]).collect()
            }
            AccountName::Me => {
                let me = self.known.me().unwrap_or_default().iter();
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
                    let Account { id, handle } = &mention.account;
                    found.push((mention.span, if handle.is_empty() { id.clone() } else { handle.clone() }));
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

/// What atoms read of the posts of one explanation, made once for all of them.
#[derive(Default)]
pub(super) struct Read<'p> {
    channels: HashMap<(*const Post, Channel), Vec<Shown<'p>>>,
}

/// A stretch that feeds a channel.
struct Shown<'p> {
    place: Place<'p>,
    words: Words<'p>,
    /// What substrings are looked for in, once asked for.
    searchable: OnceCell<Searchable>,
    /// Where its links are; `None`: it is one.
    links: Option<Vec<Span>>,
}

impl Shown<'_> {
    fn searchable(&self) -> &Searchable {
        self.searchable.get_or_init(|| {
            let mut searchable = Searchable::default();
            let origin = self.links.as_ref().map_or(Origin::Filter, |links| Origin::Post(links));
            text::fold_for_search(self.words.text(), origin, &mut searchable);
            searchable
        })
    }
}

impl<'p> Read<'p> {
    /// The stretches that feed a channel.
    fn stretches(&mut self, post: &'p Post, limit: usize, channel: Channel) -> &[Shown<'p>] {
        self.channels.entry((std::ptr::from_ref(post), channel)).or_insert_with(|| {
            let mut all = Vec::new();
            stretches::stretches(post, Channels::of(&[channel]), |stretch| {
                let (mut text, mut links) = (Cow::Borrowed(view::cut(stretch.text, limit)), None);
                if let Links::Itself = stretch.links {
                    let decoded = text::decode_link(stretch.text);
                    // Spans of a decoded link would point beside it.
                    if decoded != stretch.text {
                        text = Cow::Owned(view::cut(&decoded, limit).to_owned());
                    }
                } else {
                    let mut spans = Vec::new();
                    stretch.links.spans(stretch.text, &mut spans);
                    links = Some(spans);
                }
                let origin = links.as_ref().map_or(Origin::Filter, |links| Origin::Post(links));
                let words = Words::new(text, origin);
                all.push(Shown { place: stretch.place, words, searchable: OnceCell::new(), links });
            });
            all
        })
    }
}
