//! Entities, their indices turned into spans of the decoded text.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::de::MapAccess;
use tweetfilter_core::Span;
use tweetfilter_core::post::{self, Account, Link, Media, MediaKind, Mention, Tag};

use super::super::fields::{Field, Fields, Scalar, Sieve, takes};
use super::super::html::Offsets;

/// The `entities` of a tweet, or its `extended_entities`.
#[derive(Default)]
pub(in super::super) struct Entities<'de> {
    pub(in super::super) hashtags: Vec<Word<'de>>,
    pub(in super::super) symbols: Vec<Word<'de>>,
    pub(in super::super) mentions: Vec<UserMention<'de>>,
    pub(in super::super) urls: Vec<Url<'de>>,
    pub(in super::super) media: Vec<Medium<'de>>,
    pub(in super::super) poll: bool,
}

impl<'de> Fields<'de> for Entities<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "hashtags" => self.hashtags = field.list()?,
            "symbols" | "cashtags" => self.symbols = field.list()?,
            "user_mentions" | "mentions" => self.mentions = field.list()?,
            "urls" => self.urls = field.list()?,
            "media" => self.media = field.list()?,
            "polls" => self.poll = !field.list::<Anything>()?.is_empty(),
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// What the entities are to be read against.
pub(in super::super) struct Surroundings<'a> {
    /// The decoded text.
    pub(in super::super) text: &'a str,
    /// Its places in the payload's counting.
    pub(in super::super) offsets: &'a Offsets,
    /// Whether a link is the one to the quoted post.
    pub(in super::super) quote_link: &'a dyn Fn(&Url<'_>) -> bool,
    /// Whether a link is the network's own (to a medium, or to the rest of a cut text).
    pub(in super::super) own_link: &'a dyn Fn(&Url<'_>) -> bool,
}

impl Entities<'_> {
    pub(in super::super) fn is_empty(&self) -> bool {
        self.hashtags.is_empty()
            && self.symbols.is_empty()
            && self.mentions.is_empty()
            && self.urls.is_empty()
            && self.media.is_empty()
    }

    /// Converts all; `media` stands in for these entities' own where it is not empty.
    pub(in super::super) fn convert(
        self,
        media: Vec<Medium<'_>>,
        around: &Surroundings<'_>,
    ) -> post::Entities {
        let Surroundings { text, offsets, quote_link, own_link } = *around;
        let mut out = post::Entities {
            hashtags: self.hashtags.into_iter().filter_map(|w| w.tag(['#', '＃'], text, offsets)).collect(),
            cashtags: self.symbols.into_iter().filter_map(|w| w.tag(['$', '＄'], text, offsets)).collect(),
            mentions: self.mentions.into_iter().filter_map(|m| m.mention(text, offsets)).collect(),
            links: Vec::with_capacity(self.urls.len()),
            ..post::Entities::default()
        };
        for url in self.urls {
            if own_link(&url) {
                out.other_links.extend(url.link(text, offsets).span);
            } else {
                let quote = quote_link(&url);
                out.links.push(Link { quote, ..url.link(text, offsets) });
            }
        }
        let mut known: HashSet<Span> = out.other_links.iter().copied().collect();
        for medium in if media.is_empty() { self.media } else { media } {
            let span = medium.url.link(text, offsets).span;
            out.other_links.extend(span.filter(|span| known.insert(*span)));
            out.media.push(Media { kind: medium.kind, alt: medium.alt });
        }
        out
    }
}

/// `indices`: a start and an end; an impossible pair where there are none.
#[derive(Clone, Copy, Default)]
pub(in super::super) struct Indices(u64, u64);

impl Indices {
    pub(in super::super) fn read<'de, A: MapAccess<'de>>(field: Field<'_, A>) -> Result<Self, A::Error> {
        let (mut both, mut count) = ([0, 0], 0_usize);
        field.scalars(|place| {
            if let Some(number) = both.get_mut(count) {
                *number = place.count().unwrap_or(0);
            }
            count += 1;
        })?;
        let [start, end] = both;
        Ok(if count == 2 { Self(start, end) } else { Self::default() })
    }

    /// The start alone.
    pub(in super::super) fn set_start(&mut self, start: Option<u64>) {
        self.0 = start.unwrap_or(0);
    }

    /// The end alone.
    pub(in super::super) fn set_end(&mut self, end: Option<u64>) {
        self.1 = end.unwrap_or(0);
    }

    /// The span, if the text there is as expected; else the first place that is, unless too many are sought.
    ///
    /// Indices of real tweets are off where they count something else than code points (old clients), and those
    /// of a cut text may point beyond its end.
    fn locate(self, text: &str, offsets: &Offsets, signs: [char; 2], word: &str) -> Option<Span> {
        // Up to the first character that differs: a word without signs is compared with no part of the text twice.
        let fits = |at: &str| {
            at.strip_prefix(signs)
                .and_then(|rest| rest.get(..word.len()))
                .is_some_and(|found| lower(found).eq(lower(word)))
        };
        if let Some(span) = offsets.span(self.0, self.1)
            && fits(&text[span.range()])
        {
            return Some(span);
        }
        if word.contains(signs) || !offsets.may_seek(text) {
            return None;
        }
        let start = text.match_indices(signs).map(|(at, _)| at).find(|&at| fits(&text[at..]))?;
        let sign = text[start..].chars().next().map_or(0, char::len_utf8);
        Some(Span::from(start..start + sign + word.len()))
    }
}

/// The characters of a word in lower case; a sigma is one wherever it stands.
fn lower(word: &str) -> impl Iterator<Item = char> {
    word.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c })
}

/// A hashtag or a cashtag.
#[derive(Default)]
pub(in super::super) struct Word<'de> {
    text: Cow<'de, str>,
    at: Indices,
}

impl<'de> Fields<'de> for Word<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "text" | "tag" => self.text = field.text()?.unwrap_or_default(),
            "indices" => self.at = Indices::read(field)?,
            "start" => self.at.set_start(field.count()?),
            "end" => self.at.set_end(field.count()?),
            _ => field.skip()?,
        }
        Ok(())
    }
}

impl Word<'_> {
    fn tag(self, signs: [char; 2], text: &str, offsets: &Offsets) -> Option<Tag> {
        if self.text.is_empty() {
            return None;
        }
        let span = self.at.locate(text, offsets, signs, &self.text);
        Some(Tag { text: self.text.into_owned(), span })
    }
}

/// A mention.
#[derive(Default)]
pub(in super::super) struct UserMention<'de> {
    id_str: Cow<'de, str>,
    id: Scalar<'de>,
    screen_name: Cow<'de, str>,
    at: Indices,
}

impl<'de> Fields<'de> for UserMention<'de> {
    takes! {
        (self, key, field);
        "id_str" => self.id_str = field.text()?.unwrap_or_default(),
        "id" => self.id = field.scalar()?,
        "screen_name" | "username" => self.screen_name = field.text()?.unwrap_or_default(),
        "indices" => self.at = Indices::read(field)?,
        "start" => self.at.set_start(field.count()?),
        "end" => self.at.set_end(field.count()?),
    }
}

impl UserMention<'_> {
    fn mention(self, text: &str, offsets: &Offsets) -> Option<Mention> {
        let id = if self.id_str.is_empty() { self.id.into_id() } else { self.id_str.into_owned() };
        if self.screen_name.is_empty() && id.is_empty() {
            return None;
        }
        let span = match self.screen_name.is_empty() {
            true => None,
            false => self.at.locate(text, offsets, ['@', '＠'], &self.screen_name),
        };
        Some(Mention { account: Account { id, handle: self.screen_name.into_owned() }, span })
    }
}

/// A link.
#[derive(Default)]
pub(in super::super) struct Url<'de> {
    pub(in super::super) url: Cow<'de, str>,
    pub(in super::super) expanded: Option<Cow<'de, str>>,
    unwound: Option<String>,
    title: Option<String>,
    description: Option<String>,
    at: Indices,
}

impl<'de> Fields<'de> for Url<'de> {
    takes! {
        (self, key, field);
        "url" => self.url = field.text()?.unwrap_or_default(),
        "expanded_url" => self.expanded = field.text()?.filter(|url| !url.is_empty()),
        "indices" => self.at = Indices::read(field)?,
        "start" => self.at.set_start(field.count()?),
        "end" => self.at.set_end(field.count()?),
        "unwound" => {
            let page = field.object::<Unwound>()?.unwrap_or_default();
            (self.unwound, self.title, self.description) = (page.url, page.title, page.description);
        },
        "unwound_url" => self.unwound = field.string()?,
        "title" => self.title = field.string()?,
        "description" => self.description = field.string()?,
    }
}

impl Url<'_> {
    pub(in super::super) fn link(self, text: &str, offsets: &Offsets) -> Link {
        let given = offsets.span(self.at.0, self.at.1);
        let span = match given {
            _ if self.url.is_empty() => given,
            Some(span) if text[span.range()].eq_ignore_ascii_case(&self.url) => given,
            _ if !offsets.may_seek(text) => given,
            _ => text.find(&*self.url).map(|start| Span::from(start..start + self.url.len())).or(given),
        };
        Link {
            quote: false,
            url: self.url.into_owned(),
            expanded: self.expanded.map(Cow::into_owned),
            unwound: self.unwound,
            title: self.title,
            description: self.description,
            span,
        }
    }
}

#[derive(Default)]
struct Unwound {
    url: Option<String>,
    title: Option<String>,
    description: Option<String>,
}

impl<'de> Fields<'de> for Unwound {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "url" => self.url = field.string()?,
            "title" => self.title = field.string()?,
            "description" => self.description = field.string()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// An object with links only (a profile's description).
#[derive(Default)]
pub(in super::super) struct Urls<'de> {
    pub(in super::super) urls: Vec<Url<'de>>,
}

impl<'de> Fields<'de> for Urls<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match key {
            "urls" => self.urls = field.list()?,
            _ => field.skip()?,
        }
        Ok(())
    }
}

/// A picture, video or GIF.
pub(in super::super) struct Medium<'de> {
    url: Url<'de>,
    kind: MediaKind,
    alt: Option<String>,
}

impl Default for Medium<'_> {
    fn default() -> Self {
        Self { url: Url::default(), kind: MediaKind::Other, alt: None }
    }
}

impl<'de> Fields<'de> for Medium<'de> {
    takes! {
        (self, key, field);
        "url" | "indices" => self.url.take(key, field)?,
        "type" => self.kind = kind(&field.text()?.unwrap_or_default()),
        "ext_alt_text" | "alt_text" => self.alt = field.string()?,
    }
}

/// The kind that X and Mastodon name so.
pub(in super::super) fn kind(name: &str) -> MediaKind {
    match name {
        "photo" | "image" => MediaKind::Image,
        "video" => MediaKind::Video,
        "animated_gif" | "gifv" => MediaKind::Gif,
        _ => MediaKind::Other,
    }
}

/// An object of which only the presence counts.
#[derive(Default)]
pub(in super::super) struct Anything;

impl<'de> Fields<'de> for Anything {
    fn take<A: MapAccess<'de>>(&mut self, _: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        field.skip()
    }
}
