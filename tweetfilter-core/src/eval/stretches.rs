//! Stretches of a post's text: what each field feeds, and what it is called in explanations.

use super::fields::{quoted, targets};
use crate::Span;
use crate::plan::channel::{Channel, Channels};
use crate::post::{AttributeValue, Link, Post};

/// The texts whose words and substrings a post's filters read.
const TEXT: Channels = Channels::of(&[Channel::Text, Channel::TextX]);
const WARNING: Channels = Channels::of(&[Channel::Text, Channel::TextX, Channel::Warning]);
const LINK: Channels = Channels::of(&[Channel::Url, Channel::UrlX, Channel::TextX]);
const QUOTED: Channels = Channels::of(&[Channel::TextX]);
const QUOTED_LINK: Channels = Channels::of(&[Channel::UrlX, Channel::TextX]);

/// One stretch of text; no phrase crosses from one to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch<'a> {
    pub(crate) text: &'a str,
    pub(crate) feeds: Channels,
    /// Which of the post's own spans in it are links; `None`: it is a link itself.
    pub(crate) links: Links<'a>,
    pub(crate) place: Place<'a>,
}

/// Where links stand in a stretch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Links<'a> {
    /// The entities of this post.
    Content(&'a Post),
    /// Links in a profile.
    Profile(&'a [Link]),
    /// Only those that look like links.
    Bare,
    /// The stretch is a link: words of it are words.
    Itself,
}

impl Links<'_> {
    /// The spans of links.
    pub(crate) fn spans(&self, text: &str, out: &mut Vec<Span>) {
        out.clear();
        // A span that does not begin as a link does is a mistake of the payload's.
        let begins = |span: Span, url: &str| {
            text.get(span.range()).is_some_and(|there| {
                there.starts_with("http")
                    || there.starts_with("pic.")
                    || (!url.is_empty() && there.starts_with(url))
            })
        };
        let own = |link: &Link| link.span.filter(|span| begins(*span, &link.url));
        match self {
            Self::Content(post) => {
                out.extend(post.entities.links.iter().filter_map(own));
                out.extend(post.entities.other_links.iter().filter(|span| begins(**span, "")));
            }
            Self::Profile(links) => out.extend(links.iter().filter_map(own)),
            Self::Bare | Self::Itself => {}
        }
    }
}

/// Which field a stretch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    Text,
    Warning,
    Bio,
    BioName,
    BioLocation,
    Link(usize),
    LinkTitle(usize),
    LinkDescription(usize),
    Alt(usize),
    Source,
    Named(usize),
    Attribute(&'a str),
    QuotedText,
    QuotedWarning,
    QuotedLink(usize),
}

impl Place<'_> {
    /// What it is called in explanations.
    pub(crate) fn field(self) -> Field {
        match self {
            Self::Text => Field::Text,
            Self::Warning => Field::Warning,
            Self::Bio => Field::Bio,
            Self::BioName => Field::Name,
            Self::BioLocation => Field::Location,
            Self::Link(n) => Field::Link(n),
            Self::LinkTitle(n) => Field::LinkTitle(n),
            Self::LinkDescription(n) => Field::LinkDescription(n),
            Self::Alt(n) => Field::Alt(n),
            Self::Source => Field::Source,
            Self::Named(n) => Field::Place(n),
            Self::Attribute(_) => Field::Attribute,
            Self::QuotedText => Field::QuotedText,
            Self::QuotedWarning => Field::QuotedWarning,
            Self::QuotedLink(n) => Field::QuotedLink(n),
        }
    }
}

/// Calls `each` with the stretches of a post that feed any of `uses`.
pub(crate) fn stretches<'a>(post: &'a Post, uses: Channels, mut each: impl FnMut(Stretch<'a>)) {
    let content = post.content();
    let mut put = |text: &'a str, feeds: Channels, links: Links<'a>, place: Place<'a>| {
        let feeds = feeds.and(uses);
        if !feeds.is_empty() && !text.is_empty() {
            each(Stretch { text, feeds, links, place });
        }
    };
    if let Some(warning) = &content.warning {
        put(warning, WARNING, Links::Bare, Place::Warning);
    }
    put(&content.text, TEXT, Links::Content(content), Place::Text);
    if uses.and(LINK).0 != 0 {
        for (n, link) in content.entities.links.iter().enumerate() {
            for target in targets(link) {
                put(target, LINK, Links::Itself, Place::Link(n));
            }
        }
    }
    if uses.and(QUOTED_LINK).0 != 0
        && let Some(quoted) = quoted(content)
    {
        if let Some(warning) = &quoted.warning {
            put(warning, QUOTED, Links::Bare, Place::QuotedWarning);
        }
        put(&quoted.text, QUOTED, Links::Content(quoted), Place::QuotedText);
        for (n, link) in quoted.entities.links.iter().enumerate() {
            for target in targets(link) {
                put(target, QUOTED_LINK, Links::Itself, Place::QuotedLink(n));
            }
        }
    }
    let one = |channel: Channel| Channels::of(&[channel]);
    let author = &post.author;
    if let Some(bio) = &author.bio {
        put(bio, one(Channel::Bio), Links::Profile(&author.bio_links), Place::Bio);
    }
    if let Some(name) = &author.name {
        put(name, one(Channel::BioName), Links::Bare, Place::BioName);
    }
    if let Some(location) = &author.location {
        put(location, one(Channel::BioLocation), Links::Bare, Place::BioLocation);
    }
    if let Some(source) = &post.source {
        put(source, one(Channel::Source), Links::Bare, Place::Source);
    }
    for (n, link) in content.entities.links.iter().enumerate() {
        if let Some(title) = &link.title {
            put(title, one(Channel::UrlTitle), Links::Bare, Place::LinkTitle(n));
        }
        if let Some(description) = &link.description {
            put(description, one(Channel::UrlDescription), Links::Bare, Place::LinkDescription(n));
        }
    }
    for (n, media) in content.entities.media.iter().enumerate() {
        if let Some(alt) = &media.alt {
            put(alt, one(Channel::Alt), Links::Bare, Place::Alt(n));
        }
    }
    if let Some(place) = &post.place {
        for (n, name) in place.names.iter().enumerate() {
            put(name, one(Channel::Place), Links::Bare, Place::Named(n));
        }
    }
    for attribute in &content.attributes {
        if let AttributeValue::Text(value) = &attribute.value {
            put(value, one(Channel::Attribute), Links::Bare, Place::Attribute(&attribute.name));
        }
    }
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
