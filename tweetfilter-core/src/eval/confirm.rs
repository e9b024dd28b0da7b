//! Confirmation: programs and atoms over the prepared views of a post.

use super::find::Sought;
use super::geo;
use super::phrase;
use super::view::View;
use crate::engine::Index;
use crate::engine::masks::flag_bit;
use crate::engine::program::{Op, size};
use crate::plan::atoms::{Atom, Reach, Test};
use crate::plan::channel::Level;
use crate::plan::formula::ScopeKey;
use crate::post::{AttributeValue, Post};
use crate::syntax::{IdBound, NumberField, TextPattern, TimeBound};
use crate::text;

/// The views of one chain of posts and what is evaluated over them.
pub(super) struct Chain<'a> {
    pub(super) index: &'a Index,
    pub(super) views: &'a [View],
    pub(super) posts: &'a [&'a Post],
    pub(super) regexes: &'a super::regexes::Cache,
    pub(super) text_limit: usize,
    /// Sets are evaluated, not looked up: no postings were walked.
    pub(super) scan: bool,
}

impl Chain<'_> {
    /// Adds the candidates whose programs hold to `matched`.
    ///
    /// In a large set the programs lie far apart in memory: they are all asked for before the first of them runs, so
    /// that the waits overlap. `starts` is memory for that.
    pub(super) fn confirm(&self, candidates: &[u32], starts: &mut Vec<u32>, matched: &mut Vec<u32>) {
        let program = &self.index.program;
        starts.clear();
        starts.extend(candidates.iter().map(|filter| program.start(*filter) as u32));
        let first_steps = starts.iter().map(|start| size(&program.steps[*start as usize]));
        std::hint::black_box(first_steps.sum::<usize>());
        let programs = candidates.iter().zip(&*starts);
        matched
            .extend(programs.filter(|(_, start)| self.step(**start as usize, 0)).map(|(filter, _)| *filter));
    }

    /// Whether a filter's program (or a set's) holds.
    pub(super) fn holds(&self, filter: u32, view: usize) -> bool {
        self.step(self.index.program.start(filter), view)
    }

    fn step(&self, at: usize, view: usize) -> bool {
        #[cfg(test)]
        super::growth::count();
        let step = self.index.program.steps[at];
        match step.op {
            Op::Term(channel, term) => self.views[view].holds(channel, term) != step.negative,
            Op::Flag(flag) => (self.views[view].bits & flag_bit(flag) != 0) != step.negative,
            Op::Atom(atom) => self.atom(atom, view).is_some_and(|truth| truth != step.negative),
            Op::Set(set) => self.set(set, view) != step.negative,
            Op::All(len) => self.body(at, len).all(|part| self.step(part, view)),
            Op::Any(len) => self.body(at, len).any(|part| self.step(part, view)),
            Op::AtLeast(n, len) => {
                self.body(at, len).filter(|part| self.step(*part, view)).take(usize::from(n)).count()
                    == usize::from(n)
            }
            Op::In(scope, _) => {
                let inner = match scope {
                    ScopeKey::Quote => self.views[view].quote,
                    ScopeKey::Retweet => self.views[view].original,
                };
                inner.is_some_and(|inner| self.step(at + 1, inner))
            }
        }
    }

    /// The places of a group's parts.
    fn body(&self, at: usize, len: u32) -> impl Iterator<Item = usize> + use<'_> {
        let end = at + 1 + len as usize;
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let part = next;
            (part < end).then(|| {
                next += size(&self.index.program.steps[part]);
                part
            })
        })
    }

    fn set(&self, set: u32, view: usize) -> bool {
        let entry = self.index.sets[set as usize];
        if self.scan || self.views[view].level == Level::Deeper {
            self.holds(self.index.filters + set, view)
        } else {
            self.views[view].holds(crate::plan::channel::Channel::Set, entry.term)
        }
    }

    /// The truth of an atom; `None`: the post lacks the data.
    pub(super) fn atom(&self, id: u32, view: usize) -> Option<bool> {
        let atom = &self.index.atoms[id as usize];
        if !matches!(
            atom,
            Atom::Regex { .. }
                | Atom::Contains { .. }
                | Atom::Near { .. }
                | Atom::Phrase { .. }
                | Atom::Attribute { .. }
        ) {
            return self.evaluate(id, atom, view);
        }
        if let Some(known) = self.views[view].known(id) {
            return known;
        }
        let truth = self.evaluate(id, atom, view);
        self.views[view].learn(id, truth);
        truth
    }

    fn evaluate(&self, id: u32, atom: &Atom, number: usize) -> Option<bool> {
        let view = &self.views[number];
        let post = self.posts[number];
        Some(match atom {
            Atom::Phrase { channel, elements, pairs } => {
                pairs.iter().all(|p| view.holds(*channel, *p)) && phrase::phrase(view, *channel, elements)
            }
            Atom::Near { channel, items, distance } => phrase::near(view, *channel, items, *distance),
            Atom::Wild { channel, wild, reach } => {
                let in_channel = |p: u32| view.run_of(p).is_some_and(|r| r.channels.has(*channel));
                let matches = |p: u32| view.is_wild(p, wild);
                match reach {
                    Reach::Head(head) => view.positions(*head).any(|p| in_channel(p) && matches(p)),
                    Reach::Part(part) if !view.holds(*channel, *part) => false,
                    Reach::Part(_) | Reach::None => {
                        (0..view.tokens.len() as u32).any(|p| in_channel(p) && matches(p))
                    }
                }
            }
            Atom::Obfuscated { channel, skeleton, term } => view.positions(*term).any(|p| {
                view.run_of(p).is_some_and(|r| r.channels.has(*channel))
                    && view
                        .tokens
                        .get(p as usize)
                        .is_some_and(|t| text::stretched_equal(skeleton, &text::obfuscated(t)))
            }),
            Atom::Contains { channel, needle, .. } => view
                .search_texts()
                .any(|(channels, text)| channels.has(*channel) && text.find(needle).is_some()),
            Atom::Regex { pattern, literals } => {
                let raw = crate::plan::channel::Channel::Regex;
                let possible = literals.is_empty() || literals.iter().any(|l| view.holds(raw, *l));
                possible && {
                    let read =
                        || text::nfc(super::view::cut(&post.content().text, self.text_limit)).into_owned();
                    self.regexes.is_match(id, pattern, view.regex_text.get_or_init(read))
                }
            }
            Atom::TagPrefix { channel, prefix, plain, head } => {
                view.holds(*channel, *head) && view.has_tag_with(post, *channel, *plain, prefix)
            }
            Atom::Attribute { name, pattern, words } => {
                self.test(*words, number) && self.attribute(name, pattern, number)
            }
            Atom::AttributeNumber(name, comparison) => {
                let mut numbers = post.content().attributes.iter().filter_map(|a| match a.value {
                    // What is no number is as unknown as one that is lacking.
                    AttributeValue::Number(n) if a.name.eq_ignore_ascii_case(name) && !n.is_nan() => Some(n),
                    _ => None,
                });
                let first = numbers.next()?;
                comparison.holds(first) || numbers.any(|n| comparison.holds(n))
            }
            Atom::Number(field, comparison) => comparison.holds(self.number(*field, number)?),
            Atom::Time(bound, millis) => {
                let at = post.created_at?;
                match bound {
                    TimeBound::Since => at >= *millis,
                    TimeBound::Until => at < *millis,
                }
            }
            Atom::Age(comparison) => {
                let age = post.created_at?.checked_sub(post.author.created_at?)?;
                comparison.holds(age as f64)
            }
            Atom::IdBound(bound, id) => {
                let own: u64 = post.id.parse().ok()?;
                match bound {
                    IdBound::Since => own > *id,
                    IdBound::Max => own <= *id,
                }
            }
            Atom::Radius(center, km) => geo::location(post).is_some_and(|p| geo::distance(p, *center) <= *km),
            Atom::Inside(south_west, north_east) => {
                geo::location(post).is_some_and(|p| geo::inside(p, *south_west, *north_east))
            }
            Atom::Sample(hundredths) => sample(&post.id) < u64::from(*hundredths),
        })
    }

    fn test(&self, test: Test, view: usize) -> bool {
        match test {
            Test::Term(channel, term) => self.views[view].holds(channel, term),
            Test::Flag(flag) => self.views[view].bits & flag_bit(flag) != 0,
            Test::Atom(atom) => self.atom(atom, view) == Some(true),
        }
    }

    /// Whether a pattern stands in a field of the embedder's own that has this name.
    fn attribute(&self, name: &str, pattern: &TextPattern, view: usize) -> bool {
        let Some(sought) = Sought::new(pattern) else { return false };
        let fields = self.posts[view].content().attributes.iter().enumerate();
        fields.filter(|(_, field)| field.name.eq_ignore_ascii_case(name)).any(|(n, field)| {
            match &field.value {
                AttributeValue::Text(value) => {
                    let value = super::view::cut(value, self.text_limit);
                    self.views[view].attribute_holds(n, value, &sought)
                }
                AttributeValue::Number(_) => false,
            }
        })
    }

    fn number(&self, field: NumberField, view: usize) -> Option<f64> {
        use NumberField as N;
        let post = self.posts[view];
        let content = post.content();
        let whole = |n: Option<u64>| n.map(|n| n as f64);
        match field {
            N::Followers => whole(post.author.followers),
            N::Following => whole(post.author.following),
            N::Posts => whole(post.author.posts),
            N::Listed => whole(post.author.listed),
            N::Likes => whole(content.counts.likes),
            N::Retweets => whole(content.counts.retweets),
            N::Replies => whole(content.counts.replies),
            N::Quotes => whole(content.counts.quotes),
            N::Hashtags | N::Mentions | N::Links | N::Length | N::Emoji | N::Caps => {
                Some(self.views[view].counted(field, || self.count(field, content)))
            }
        }
    }

    /// Counts over the text and its entities; dear, so asked for last.
    fn count(&self, field: NumberField, content: &Post) -> f64 {
        #[cfg(test)]
        (0..content.text.len()).for_each(|_| super::growth::count());
        let entities = &content.entities;
        match field {
            NumberField::Hashtags => {
                return distinct(entities.hashtags.iter().map(|t| text::fold_value(&t.text).folded));
            }
            NumberField::Mentions => {
                return distinct(entities.mentions.iter().map(|m| {
                    let a = &m.account;
                    if a.handle.is_empty() { &a.id } else { &a.handle }.to_ascii_lowercase()
                }));
            }
            NumberField::Links => {
                return distinct(
                    entities
                        .own_links()
                        .map(|l| text::fold_value(l.expanded.as_deref().unwrap_or(&l.url)).folded),
                );
            }
            _ => {}
        }
        let text = super::view::cut(&content.text, self.text_limit);
        let mut links = Vec::new();
        super::stretches::Links::Content(content).spans(text, &mut links);
        match field {
            NumberField::Length => text::length(text, &links) as f64,
            NumberField::Emoji => text::emoji(text, &links) as f64,
            _ => {
                let mentions: Vec<_> = content.entities.mentions.iter().filter_map(|m| m.span).collect();
                text::caps(text, &links, &mentions)
            }
        }
    }
}

fn distinct(values: impl Iterator<Item = String>) -> f64 {
    values.collect::<std::collections::HashSet<_>>().len() as f64
}

/// A number below 10,000 that an id falls on: SplitMix64's finish of FNV-1a 64 over its bytes.
pub(crate) fn sample(id: &str) -> u64 {
    let hash =
        id.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let z = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % 10_000
}
