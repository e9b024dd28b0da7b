//! Where the whole values of a post go, each with the channels it feeds, and the facts that are one bit.

use crate::plan::atoms::Flag;
use crate::plan::channel::{Channel, Channels};
use crate::plan::links;
use crate::plan::lower::identity_key;
use crate::post::{Account, Link, Post};
use crate::text;

/// The quoted post's content, where it is carried.
pub(crate) fn quoted(content: &Post) -> Option<&Post> {
    content.quote_of.as_ref()?.post.as_ref().map(Post::content)
}

/// Where a link leads: expanded and unwound, else as it stands in the text.
pub(crate) fn targets(link: &Link) -> impl Iterator<Item = &str> {
    let bare = (link.expanded.is_none() && link.unwound.is_none()).then_some(link.url.as_str());
    let unwound = link.unwound.as_deref().filter(|u| Some(*u) != link.expanded.as_deref());
    [link.expanded.as_deref(), unwound, bare].into_iter().flatten()
}

/// Reads the first byte of what is going to be read of a post, so that the waits for memory overlap: a post is
/// many small pieces, and among thousands of posts few are in a cache.
pub(crate) fn warm(post: &Post) {
    let content = post.content();
    let first = |text: &str| text.as_bytes().first().copied().unwrap_or(0);
    let entities = &content.entities;
    let account = |account: &Account| first(&account.id) ^ first(&account.handle);
    let mut all =
        first(&content.text) ^ content.lang.as_deref().map_or(0, first) ^ account(&post.author.account);
    all ^= entities.hashtags.iter().fold(0, |all, tag| all ^ first(&tag.text));
    all ^= entities.mentions.iter().fold(0, |all, mention| all ^ account(&mention.account));
    all ^= entities.links.iter().flat_map(targets).fold(0, |all, target| all ^ first(target));
    std::hint::black_box(all);
}

/// A whole value, for one or two channels.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'a> {
    /// Compared by folding, with the accent rule.
    Folded(&'a str),
    /// Compared as it is.
    Same(&'a str),
    /// An account: id, handle, local part of the handle.
    Account(&'a str, &'a Account),
    /// A link whose host and parent domains count.
    Host(&'a str),
    /// A language tag and its prefixes.
    Lang(Option<&'a str>),
    /// `DOMAIN.ENTITY`, `DOMAIN.*`, `*.ENTITY`.
    Annotation(&'a str, &'a str),
}

/// Calls `each` with the whole values of a post that feed any of `uses`.
pub(crate) fn values<'a>(post: &'a Post, uses: Channels, mut each: impl FnMut(Entry<'a>, Channels)) {
    let content = post.content();
    let mut put = |entry: Entry<'a>, channels: &[Channel]| {
        let feeds = Channels::of(channels).and(uses);
        if !feeds.is_empty() {
            each(entry, feeds);
        }
    };
    put(Entry::Account(&post.network, &post.author.account), &[Channel::From]);
    put(Entry::Lang(content.lang.as_deref()), &[Channel::Lang]);
    if let Some(reply) = &content.reply_to {
        put(Entry::Account(&content.network, &reply.account), &[Channel::To]);
        put(Entry::Same(&reply.id), &[Channel::InReplyTo]);
    }
    if let Some(original) = &post.retweet_of {
        put(Entry::Account(&post.network, original.account()), &[Channel::RetweetsOf, Channel::MentionX]);
        put(Entry::Same(original.id()), &[Channel::RetweetsOfId]);
    }
    if let Some(quote) = &content.quote_of {
        put(Entry::Account(&content.network, quote.account()), &[Channel::QuotesOf]);
        put(Entry::Same(quote.id()), &[Channel::QuotesOfId]);
    }
    if let Some(conversation) = &content.conversation_id {
        put(Entry::Same(conversation), &[Channel::Conversation]);
    }
    entities(content, true, &mut put);
    if let Some(quoted) = quoted(content) {
        entities(quoted, false, &mut put);
    }
    if let Some(place) = &post.place {
        put(Entry::Same(&place.id), &[Channel::PlaceId]);
        for country in [&place.country, &place.country_code].into_iter().flatten() {
            put(Entry::Folded(country), &[Channel::Country]);
        }
    }
    if let Some(geo) = &post.author.profile_geo {
        for country in [&geo.country, &geo.country_code].into_iter().flatten() {
            put(Entry::Folded(country), &[Channel::ProfileCountry]);
        }
        if let Some(region) = &geo.region {
            put(Entry::Folded(region), &[Channel::ProfileRegion]);
        }
        if let Some(locality) = &geo.locality {
            put(Entry::Folded(locality), &[Channel::ProfileLocality]);
        }
    }
    for annotation in &content.annotations {
        if !annotation.domain.is_empty() {
            put(Entry::Annotation(&annotation.domain, &annotation.entity), &[Channel::Annotation]);
        }
        put(Entry::Folded(&annotation.name), &[Channel::Entity]);
    }
}

/// The tags of a channel, folded, with accents or without, sorted.
pub(crate) fn tags(post: &Post, channel: Channel, plain: bool) -> Vec<String> {
    let mut tags = Vec::new();
    values(post, Channels::of(&[channel]), |entry, _| {
        if let Entry::Folded(value) = entry {
            #[cfg(test)]
            super::growth::count();
            let own = text::fold_value(value);
            tags.push(if plain { own.plain } else { own.folded });
        }
    });
    tags.sort_unstable();
    tags
}

fn entities<'a>(content: &'a Post, own: bool, put: &mut impl FnMut(Entry<'a>, &[Channel])) {
    // The channels of dialect x stand last, so that those of a quoted post are the end of the same lists.
    let skip = usize::from(!own);
    for tag in &content.entities.hashtags {
        put(Entry::Folded(&tag.text), &[Channel::Hashtag, Channel::HashtagX][skip..]);
    }
    for tag in &content.entities.cashtags {
        put(Entry::Folded(&tag.text), &[Channel::Cashtag, Channel::CashtagX][skip..]);
    }
    for mention in &content.entities.mentions {
        put(
            Entry::Account(&content.network, &mention.account),
            &[Channel::Mention, Channel::MentionX][skip..],
        );
    }
    for link in &content.entities.links {
        for target in targets(link) {
            put(Entry::Host(target), &[Channel::Domain, Channel::DomainX][skip..]);
        }
    }
}

/// Labels of a host and subtags of a language that are looked up, with all before or behind them: a host has no
/// more, and each costs a look at the whole.
const MOST_PARTS: usize = 127;

/// Memory for keys, reused from value to value.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    name: String,
    folded: text::Folded,
}

/// Calls `each` with the keys of a value: `(kind is Identity, key)`.
pub(crate) fn keys(
    entry: Entry<'_>,
    identities: bool,
    buffer: &mut Buffer,
    mut each: impl FnMut(bool, &str),
) {
    match entry {
        Entry::Same("") => {}
        Entry::Same(value) => each(false, value),
        Entry::Folded(value) => {
            text::fold_value_into(value, &mut buffer.folded);
            each(false, &buffer.folded.folded);
            if buffer.folded.is_accented() {
                each(false, &buffer.folded.plain);
            }
        }
        Entry::Account(network, account) => {
            let mut put = |name: &str| {
                buffer.name.clear();
                buffer.name.push_str(name);
                buffer.name.make_ascii_lowercase();
                if !buffer.name.is_empty() {
                    each(false, &buffer.name);
                }
            };
            put(&account.id);
            if account.handle != account.id {
                put(&account.handle);
            }
            if let Some((local, _)) = account.handle.split_once('@') {
                put(local);
            }
            if identities {
                for name in [&account.id, &account.handle] {
                    if !name.is_empty() {
                        each(true, &identity_key(network, name));
                    }
                }
            }
        }
        Entry::Host(link) => {
            let Some(host) = links::host(link) else { return };
            let start = host.rmatch_indices('.').nth(MOST_PARTS - 1).map_or(0, |(at, _)| at + 1);
            let mut rest = &host[start..];
            loop {
                each(false, rest);
                match rest.split_once('.') {
                    Some((_, parent)) if !parent.is_empty() => rest = parent,
                    _ => break,
                }
            }
        }
        Entry::Lang(tag) => {
            let tag = links::language(tag.filter(|t| !t.is_empty()).unwrap_or("und"));
            let end = tag.match_indices('-').nth(MOST_PARTS - 1).map_or(tag.len(), |(at, _)| at);
            let mut rest = &tag[..end];
            loop {
                each(false, rest);
                match rest.rsplit_once('-') {
                    Some((prefix, _)) => rest = prefix,
                    None => break,
                }
            }
        }
        Entry::Annotation(domain, entity) => {
            each(false, &format!("{domain}.{entity}"));
            each(false, &format!("{domain}.*"));
            each(false, &format!("*.{entity}"));
        }
    }
}

/// The bits of a post that are flags.
pub(crate) fn flags(post: &Post) -> u128 {
    use crate::post::MediaKind;
    let content = post.content();
    let mut bits = 0u64;
    let mut put = |flag: Flag, on: bool| bits |= u64::from(on) << flag as u8;
    put(Flag::Retweet, post.retweet_of.is_some());
    put(Flag::OriginalCarried, post.retweet_of.as_ref().is_some_and(|r| r.post.is_some()));
    put(Flag::Verified, post.author.verified);
    put(Flag::Bot, post.author.bot);
    put(Flag::Protected, post.author.protected);
    put(Flag::Nullcast, post.flags.nullcast);
    put(Flag::Geo, post.coordinates.is_some() || post.place.is_some());
    put(Flag::ProfileGeo, post.author.profile_geo.is_some());
    put(Flag::Quote, content.quote_of.is_some());
    put(Flag::QuoteCarried, content.quote_of.as_ref().is_some_and(|q| q.post.is_some()));
    put(Flag::Sensitive, content.flags.sensitive);
    put(Flag::Edited, content.flags.edited);
    put(Flag::SelfThread, content.flags.self_thread);
    put(Flag::Polls, content.flags.poll);
    let lang = content.lang.as_deref().unwrap_or("");
    put(Flag::Lang, !lang.is_empty() && !lang.eq_ignore_ascii_case("und"));
    for media in &content.entities.media {
        match media.kind {
            MediaKind::Image => put(Flag::Images, true),
            MediaKind::Video => put(Flag::Videos, true),
            MediaKind::Gif => put(Flag::Gifs, true),
            MediaKind::Other => {}
        }
        put(Flag::Alt, media.alt.as_ref().is_some_and(|alt| !alt.is_empty()));
    }
    let own = Shown::of(content);
    put(Flag::Reply, own.reply);
    put(Flag::Links, own.links);
    put(Flag::Media, own.media);
    put(Flag::Hashtags, own.hashtags);
    put(Flag::Mentions, own.mentions);
    put(Flag::Cashtags, own.cashtags);
    let both = quoted(content).map_or(own, |quoted| own.or(Shown::of(quoted)));
    put(Flag::ReplyX, both.reply);
    put(Flag::LinksX, both.links || both.media);
    put(Flag::MediaX, both.media);
    put(Flag::HashtagsX, both.hashtags);
    put(Flag::MentionsX, both.mentions);
    put(Flag::CashtagsX, both.cashtags);
    u128::from(bits)
}

/// What a post shows that dialect x also reads in the quoted one.
#[derive(Clone, Copy, Debug)]
struct Shown {
    reply: bool,
    links: bool,
    media: bool,
    hashtags: bool,
    mentions: bool,
    cashtags: bool,
}

impl Shown {
    fn of(post: &Post) -> Self {
        let entities = &post.entities;
        Self {
            reply: post.reply_to.as_ref().is_some_and(|r| !r.id.is_empty()),
            links: entities.own_links().next().is_some(),
            media: !entities.media.is_empty(),
            hashtags: !entities.hashtags.is_empty(),
            mentions: !entities.mentions.is_empty(),
            cashtags: !entities.cashtags.is_empty(),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            reply: self.reply || other.reply,
            links: self.links || other.links,
            media: self.media || other.media,
            hashtags: self.hashtags || other.hashtags,
            mentions: self.mentions || other.mentions,
            cashtags: self.cashtags || other.cashtags,
        }
    }
}
