//! The whole values of a post (tags, accounts, hosts of links …) by the keys under which atoms find them: a post may
//! have thousands of each, and an expression may ask for as many.

use std::collections::HashMap;

use super::texts::Looks;
use super::{Field, SHOWN};
use crate::Span;
use crate::eval::fields::{self, Buffer, Entry};
use crate::plan::links;
use crate::post::{Account, Post, Tag};
use crate::text;

/// Which values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Tags, by their names without accents or with them.
    Hashtag { plain: bool },
    /// Symbols, likewise.
    Cashtag { plain: bool },
    /// Accounts in the text, by id and handle.
    Mention,
    /// Where links lead, by their hosts backwards.
    Domain,
    /// What a post is said to be about, by the numbers of its domain and entity.
    Context,
    /// The same by name, without accents or with them.
    Entity { plain: bool },
}

/// Where a value is, and what stands there.
pub(super) type Spot<'p> = (Field, Option<Span>, &'p str);

/// What is looked for.
#[derive(Clone, Debug)]
pub(super) enum Key {
    /// This key.
    Is(String),
    /// Keys that begin so.
    Begins(String),
}

/// The values of a kind.
#[derive(Debug, Default)]
pub(super) struct Values<'p> {
    /// Each once, in order.
    spots: Vec<Spot<'p>>,
    known: HashMap<Spot<'p>, u32>,
    /// Their keys, sorted, each with the number of its spot.
    keys: Vec<(String, u32)>,
}

impl<'p> Values<'p> {
    pub(super) fn new(post: &'p Post, x: bool, kind: Kind) -> Self {
        let mut values = Self::default();
        let content = post.content();
        match kind {
            Kind::Hashtag { .. } | Kind::Cashtag { .. } => values.tags(content, x, kind),
            Kind::Mention => values.mentions(post, x),
            Kind::Domain => values.hosts(content, x),
            Kind::Context => values.contexts(content),
            Kind::Entity { plain } => {
                for annotation in &content.annotations {
                    values.put(
                        (Field::Annotation, None, annotation.name.as_str()),
                        folded(&annotation.name, plain),
                    );
                }
            }
        }
        values.keys.sort_unstable();
        values.keys.dedup();
        values
    }

    /// The first of those under any of the keys, in order, as long as there are looks for them.
    pub(super) fn find(&self, keys: &[Key], looks: &Looks) -> Vec<Spot<'p>> {
        let mut found: Vec<u32> = Vec::new();
        for key in keys {
            match key {
                // Under one key they are in order.
                Key::Is(_) => found.extend(self.range(key).take(SHOWN)),
                Key::Begins(_) => found.extend(self.range(key).take_while(|_| looks.take(1))),
            }
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(SHOWN);
        found.into_iter().map(|spot| self.spots[spot as usize]).collect()
    }

    fn range<'s>(&'s self, key: &'s Key) -> impl Iterator<Item = u32> + 's {
        let (wanted, whole) = match key {
            Key::Is(key) => (key.as_str(), true),
            Key::Begins(head) => (head.as_str(), false),
        };
        let from = self.keys.partition_point(|(key, _)| key.as_str() < wanted);
        let range = self.keys[from..].iter().take_while(move |(key, _)| {
            #[cfg(test)]
            crate::eval::growth::count();
            if whole { key == wanted } else { key.starts_with(wanted) }
        });
        range.map(|(_, spot)| *spot)
    }

    fn put(&mut self, spot: Spot<'p>, key: String) {
        #[cfg(test)]
        crate::eval::growth::count();
        let next = self.spots.len() as u32;
        let number = *self.known.entry(spot).or_insert(next);
        if number == next {
            self.spots.push(spot);
        }
        self.keys.push((key, number));
    }

    fn tags(&mut self, content: &'p Post, x: bool, kind: Kind) {
        let quoted = fields::quoted(content).filter(|_| x);
        for post in [Some(content), quoted].into_iter().flatten() {
            let (field, tags, plain) = match kind {
                Kind::Hashtag { plain } => (Field::Hashtag, &post.entities.hashtags, plain),
                Kind::Cashtag { plain } => (Field::Cashtag, &post.entities.cashtags, plain),
                _ => return,
            };
            for Tag { text, span } in tags {
                let span = span.filter(|span| std::ptr::eq(post, content) && stands(content, *span));
                self.put((field, span, text.as_str()), folded(text, plain));
            }
        }
    }

    fn mentions(&mut self, post: &'p Post, x: bool) {
        let content = post.content();
        let quoted = fields::quoted(content).filter(|_| x);
        for of in [Some(content), quoted].into_iter().flatten() {
            for mention in &of.entities.mentions {
                let span = mention.span.filter(|span| std::ptr::eq(of, content) && stands(content, *span));
                self.account((Field::Mention, span), &of.network, &mention.account);
            }
        }
        // For X a retweet mentions whose post it is.
        if let Some(original) = post.retweet_of.as_ref().filter(|_| x) {
            self.account((Field::Original, None), &post.network, original.account());
        }
    }

    fn account(&mut self, (field, span): (Field, Option<Span>), network: &str, account: &'p Account) {
        let name = if account.handle.is_empty() { account.id.as_str() } else { account.handle.as_str() };
        fields::keys(Entry::Account(network, account), false, &mut Buffer::default(), |_, key| {
            self.put((field, span, name), key.to_owned());
        });
    }

    fn hosts(&mut self, content: &'p Post, x: bool) {
        let quoted = fields::quoted(content).filter(|_| x);
        self.hosts_of(content, Field::Link);
        if let Some(quoted) = quoted {
            self.hosts_of(quoted, Field::QuotedLink);
        }
    }

    fn hosts_of(&mut self, post: &'p Post, field: impl Fn(usize) -> Field) {
        for (n, link) in post.entities.links.iter().enumerate() {
            for target in fields::targets(link) {
                if let Some(host) = links::host(target) {
                    self.put((field(n), None, target), backwards(&host));
                }
            }
        }
    }

    fn contexts(&mut self, content: &'p Post) {
        let mut buffer = Buffer::default();
        for annotation in content.annotations.iter().filter(|annotation| !annotation.domain.is_empty()) {
            let entry = Entry::Annotation(&annotation.domain, &annotation.entity);
            fields::keys(entry, false, &mut buffer, |_, key| {
                self.put((Field::Annotation, None, annotation.name.as_str()), key.to_owned());
            });
        }
    }
}

/// Whether a span that a payload gives lies in the text: some are wrong.
fn stands(content: &Post, span: Span) -> bool {
    content.text.get(span.range()).is_some()
}

fn folded(value: &str, plain: bool) -> String {
    let own = text::fold_value(value);
    if plain { own.plain } else { own.folded }
}

/// A host from its last letter to its first, so that those below it begin as it does.
pub(super) fn backwards(host: &str) -> String {
    host.chars().rev().collect()
}
