//! Posts and filters as the API shows them.

use std::ops::Range;

use serde::Serialize;
use tweetfilter_core::Post;
use tweetfilter_core::explain::{Explanation, Field};
use tweetfilter_core::post::{self, Account, MediaKind};
use tweetfilter_sql::{Cursor, FilterRow, TimelinePost};
use utoipa::ToSchema;

use super::place::Places;
use super::unused::{LeftOut, Unused};
use super::words;
use crate::names::{action_name, dialect_name};
use crate::people::People;
use crate::time::rfc3339;

/// A post, and what it is to the account that asks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShownPost {
    /// Its number here, by which `/posts/{number}` and `/explain` know it.
    pub number: i64,
    /// The commit that delivered it.
    pub commit: i64,
    /// Its place in a timeline, for `before` and the reading position.
    pub place: String,
    /// `x`, `bluesky`, or the host of the Mastodon server that it was read from.
    pub network: String,
    /// The network's own id.
    pub id: String,
    /// Where it can be read at its network, if that is known.
    pub url: Option<String>,
    /// When it was received.
    pub received_at: String,
    /// The source that it came from.
    pub source: String,
    /// Whether everybody sees it.
    pub public: bool,
    /// The account's filters keep it out of sight.
    pub hidden: bool,
    /// They show it with emphasis.
    pub highlighted: bool,
    /// They want the account to be told.
    pub notify: bool,
    /// The filters that matched, in the account's order.
    pub filters: Vec<i64>,
    /// The revision of the filters that it was tried on.
    pub revision: u64,
    /// Who retweeted it, if it is a retweet.
    pub retweeted_by: Option<Author>,
    /// What it says; of a retweet, the original.
    pub content: Content,
}

/// What a post says.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Content {
    /// Who wrote it.
    pub author: Author,
    /// When.
    pub created_at: Option<String>,
    /// The whole text. Text, never HTML.
    pub text: String,
    /// The text in parts, marked where filters found something; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub segments: Option<Vec<Segment>>,
    /// Content warning.
    pub warning: Option<String>,
    /// Language tag.
    pub lang: Option<String>,
    /// Links, where they lead.
    pub links: Vec<Link>,
    /// Pictures, videos and the like.
    pub media: Vec<Medium>,
    /// The post that this one answers.
    pub reply_to: Option<Answered>,
    /// The quoted post, if it came along.
    #[schema(no_recursion)]
    pub quote: Option<Box<Content>>,
    /// Marked as sensitive.
    pub sensitive: bool,
    /// An edited version.
    pub edited: bool,
    /// How often it was liked, as far as is known.
    pub likes: Option<u64>,
    /// How often it was retweeted.
    pub retweets: Option<u64>,
    /// How often it was answered.
    pub replies: Option<u64>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Segment {
    /// The part.
    pub text: String,
    /// A filter found something here.
    pub mark: bool,
}

/// Who wrote a post.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Author {
    /// The network's id.
    pub id: String,
    /// Name with which they are addressed, without `@`; empty if it is not known (yet: Bluesky's posts give ids alone, and
    /// the server looks up who that is).
    pub handle: String,
    /// Display name.
    pub name: Option<String>,
}

/// A link in a post.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Link {
    /// Where it leads.
    pub url: String,
    /// Title of the page.
    pub title: Option<String>,
    /// Where it stands in the text, in UTF-16 code units.
    pub utf16: Option<(u32, u32)>,
}

/// A picture, video or the like.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Medium {
    /// `image`, `video`, `gif` or `other`.
    pub kind: &'static str,
    /// Description for those who do not see it.
    pub alt: Option<String>,
}

/// The post that a reply answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Answered {
    /// Its id.
    pub id: String,
    /// Who wrote it.
    pub author: Author,
}

/// A filter of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownFilter {
    /// Its number.
    pub id: i64,
    /// What people call it; may be empty.
    pub name: String,
    /// The expression.
    pub text: String,
    /// `native` or `x`.
    #[schema(value_type = words::Dialect)]
    pub dialect: &'static str,
    /// `show`, `hide`, `highlight` or `notify`.
    #[schema(value_type = words::Action)]
    pub action: &'static str,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Why it is not used though it is switched on; null if it is used, or switched off.
    pub unused: Option<Unused>,
    /// When it is switched off by itself.
    pub expires_at: Option<String>,
    /// Its place among the account's filters, from 1; the first that shows or hides decides.
    pub position: i64,
    /// Of its last change: say it in `If-Match`, in quotes, to change no other.
    pub revision: u64,
}

impl ShownFilter {
    /// A filter in its place, and which of its account's are left out.
    pub(super) fn of(row: &FilterRow, position: usize, left_out: &LeftOut) -> Self {
        Self {
            id: row.id,
            name: row.filter.name.clone(),
            text: row.filter.text.clone(),
            dialect: dialect_name(row.filter.dialect),
            action: action_name(row.filter.action),
            enabled: row.enabled,
            unused: left_out.get(&row.id).cloned(),
            expires_at: row.filter.expires_at.map(rfc3339),
            position: i64::try_from(position + 1).unwrap_or(i64::MAX),
            revision: row.revision,
        }
    }
}

impl ShownPost {
    /// A post without marks. What it does not say itself of people is taken from what was looked up.
    pub(super) fn of(seen: &TimelinePost, people: &People) -> Self {
        let post = &seen.post;
        let retweeted = post.retweet_of.as_ref().is_some_and(|original| original.post.is_some());
        Self {
            number: seen.cursor.post,
            commit: seen.cursor.commit,
            place: place(seen.cursor),
            network: seen.network.clone(),
            id: seen.native_id.clone(),
            url: url(post),
            received_at: rfc3339(seen.received_at),
            source: seen.source.clone(),
            public: seen.public,
            hidden: seen.verdict.hidden,
            highlighted: seen.verdict.highlighted,
            notify: seen.verdict.notify,
            filters: seen.filters.clone(),
            revision: seen.revision,
            retweeted_by: retweeted.then(|| Author::of(&post.author, &seen.network, people)),
            content: Content::of(post.content(), &seen.network, people),
        }
    }

    /// Marks what explanations of this post found in its text.
    pub(super) fn mark<'e>(&mut self, explanations: impl IntoIterator<Item = &'e Explanation>) {
        let text = &self.content.text;
        let spans = explanations.into_iter().flat_map(|explanation| spans(explanation, text)).collect();
        self.content.segments = Some(segments(text, merged(spans)));
    }
}

impl Content {
    fn of(post: &Post, network: &str, people: &People) -> Self {
        let places = Places::of(&post.text);
        let link = |link: &post::Link| {
            let url = [&link.unwound, &link.expanded].into_iter().flatten().next().unwrap_or(&link.url);
            let utf16 = link.span.map(|span| places.at(span).utf16);
            Link { url: url.clone(), title: link.title.clone(), utf16 }
        };
        let medium = |medium: &post::Media| Medium {
            kind: match medium.kind {
                MediaKind::Image => "image",
                MediaKind::Video => "video",
                MediaKind::Gif => "gif",
                MediaKind::Other => "other",
            },
            alt: medium.alt.clone(),
        };
        let quoted = post.quote_of.as_ref().and_then(|quote| quote.post.as_ref());
        Self {
            author: Author::of(&post.author, network, people),
            created_at: post.created_at.map(rfc3339),
            text: post.text.clone(),
            segments: None,
            warning: post.warning.clone(),
            lang: post.lang.clone(),
            links: post.entities.links.iter().map(link).collect(),
            media: post.entities.media.iter().map(medium).collect(),
            reply_to: post.reply_to.as_ref().map(|reply| Answered {
                id: reply.id.clone(),
                author: Author::known(&reply.account, people.known(network, &reply.account)),
            }),
            // One that quotes another in turn shows that it does, and no more.
            quote: quoted.map(|quoted| Box::new(Self::of_flat(quoted, network, people))),
            sensitive: post.flags.sensitive,
            edited: post.flags.edited,
            likes: post.counts.likes,
            retweets: post.counts.retweets,
            replies: post.counts.replies,
        }
    }

    /// Without the post that it quotes in turn.
    fn of_flat(post: &Post, network: &str, people: &People) -> Self {
        let flat = Post { quote_of: None, ..post.clone() };
        Self::of(&flat, network, people)
    }
}

impl Author {
    fn of(author: &post::Author, network: &str, people: &People) -> Self {
        Self::known(&author.account, people.called(network, author))
    }

    fn known(account: &Account, (handle, name): (Option<&str>, Option<&str>)) -> Self {
        Self {
            id: account.id.clone(),
            handle: handle.unwrap_or_default().to_owned(),
            name: name.map(str::to_owned),
        }
    }
}

/// A place in a timeline, as text.
pub(super) fn place(cursor: Cursor) -> String {
    format!("{}-{}", cursor.commit, cursor.post)
}

/// The place that a text says.
pub(super) fn read_place(text: &str) -> Option<Cursor> {
    let (commit, post) = text.split_once('-')?;
    Some(Cursor { commit: commit.parse().ok()?, post: post.parse().ok()? })
}

/// The page of a post at its network. Only what is made of safe characters: it becomes a link.
fn url(post: &Post) -> Option<String> {
    let safe = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:@".contains(&b))
    };
    let (id, account) = (&post.id, &post.author.account);
    match post.network.as_str() {
        "x" if safe(id) => {
            let handle = if safe(&account.handle) { &account.handle } else { "i" };
            Some(format!("https://x.com/{handle}/status/{id}"))
        }
        "bluesky" => {
            let (did, key) = id.strip_prefix("at://")?.split_once("/app.bsky.feed.post/")?;
            (safe(did) && safe(key)).then(|| format!("https://bsky.app/profile/{did}/post/{key}"))
        }
        host if host.contains('.') && safe(host) && safe(id) && safe(&account.handle) => {
            Some(format!("https://{host}/@{}/{id}", account.handle))
        }
        _ => None,
    }
}

/// The places of an explanation in the content's text.
fn spans(explanation: &Explanation, text: &str) -> Vec<Range<usize>> {
    if !explanation.matched {
        return Vec::new();
    }
    let places = explanation.parts.iter().flat_map(|part| &part.places);
    places
        .filter(|place| place.field == Field::Text && place.scopes.is_empty())
        .filter_map(|place| place.span.map(|span| span.range()))
        .filter(|range| text.get(range.clone()).is_some())
        .collect()
}

/// Ranges in order and without overlaps.
fn merged(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// A text in parts; those in `spans` are marked.
fn segments(text: &str, spans: Vec<Range<usize>>) -> Vec<Segment> {
    let mut parts = Vec::new();
    let mut add = |range: Range<usize>, mark| {
        if let Some(text) = text.get(range).filter(|text| !text.is_empty()) {
            parts.push(Segment { text: text.to_owned(), mark });
        }
    };
    let mut at = 0;
    for span in spans {
        add(at..span.start, false);
        at = span.end;
        add(span, true);
    }
    add(at..text.len(), false);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_the_text_again() {
        let parts = segments("snow in Oslo", merged(vec![8..12, 0..4, 2..4]));
        let shown: Vec<_> = parts.iter().map(|part| (part.text.as_str(), part.mark)).collect();
        assert_eq!(shown, [("snow", true), (" in ", false), ("Oslo", true)]);
        assert!(segments("", Vec::new()).is_empty());
    }

    #[test]
    fn addresses_are_made_of_safe_characters_only() {
        let of = |network: &str, id: &str, handle: &str| {
            let mut post = Post { network: network.into(), id: id.into(), ..Post::default() };
            post.author.account.handle = handle.into();
            url(&post)
        };
        assert_eq!(of("x", "12", "ann").as_deref(), Some("https://x.com/ann/status/12"));
        assert_eq!(of("x", "12", "").as_deref(), Some("https://x.com/i/status/12"));
        let at = "at://did:plc:abc/app.bsky.feed.post/3k";
        assert_eq!(of("bluesky", at, "").as_deref(), Some("https://bsky.app/profile/did:plc:abc/post/3k"));
        assert_eq!(of("a.example", "7", "ann").as_deref(), Some("https://a.example/@ann/7"));
        assert_eq!(of("x", "12/../?a", "ann"), None);
        assert_eq!(of("javascript:alert(1)//.", "1", "a"), None);
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        let cursor = Cursor { commit: 7, post: 9 };
        assert_eq!(read_place(&place(cursor)), Some(cursor));
        assert_eq!(read_place("7"), None);
    }
}
