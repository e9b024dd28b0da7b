//! The post that filters read: a tweet of any network, or any text.
//!
//! Plain owned data without a wire format. Spans are bytes of the UTF-8 text beside them, already decoded
//! (no HTML escapes); decoders convert their wire's counting. Absent data is `None` or empty, never invented.

use crate::Span;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// A post of any network, or any text.
///
/// Of a native retweet this is the act: who retweeted, when and with what client; the original stands in
/// [`Post::retweet_of`], and where it is carried the content fields here may be left empty, since filters
/// read the original's.
///
/// ```
/// use tweetfilter_core::Post;
/// let post = Post::from_text("Snow in #Oslo, says @al https://example.com");
/// assert_eq!(post.entities.hashtags[0].text, "Oslo");
/// assert_eq!(post.entities.mentions[0].account.handle, "al");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Post {
    /// `x`, `bluesky`, the host of the Mastodon server that it was read from, or empty.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub network: String,
    /// The network's own id, opaque; empty where there is none.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub id: String,
    /// When it was posted.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub created_at: Option<Millis>,
    /// When this version of its content was made, if the payload tells: of several versions the last one counts.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub edited_at: Option<Millis>,
    /// Who posted it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub author: Author,
    /// The whole decoded text.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub text: String,
    /// Content warning.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub warning: Option<String>,
    /// BCP 47 tag, as the payload gives it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub lang: Option<String>,
    /// Tags, mentions, links and media in the text.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub entities: Entities,
    /// Name of the client, without mark-up.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub source: Option<String>,
    /// The post that this one answers.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub reply_to: Option<ReplyTo>,
    /// The conversation's id.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub conversation_id: Option<String>,
    /// The original, of a native retweet.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub retweet_of: Option<Box<Reference>>,
    /// The quoted post.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub quote_of: Option<Box<Reference>>,
    /// The tagged place.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub place: Option<Place>,
    /// Exact coordinates of the post.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub coordinates: Option<Point>,
    /// Yes/no facts of the payload.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub flags: PostFlags,
    /// Likes, retweets, replies, quotes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub counts: Engagement,
    /// X's annotations.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub annotations: Vec<Annotation>,
    /// Fields of an embedder's own, read by `attr.NAME:`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub attributes: Vec<Attribute>,
}

/// An account as the author of a post.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Author {
    /// Id and handle.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub account: Account,
    /// Display name.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub name: Option<String>,
    /// Profile description.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub bio: Option<String>,
    /// Links in the description, as spans of `bio`, where the payload gives them.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub bio_links: Vec<Link>,
    /// Location as typed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub location: Option<String>,
    /// Number of followers.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub followers: Option<u64>,
    /// Number of accounts followed.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub following: Option<u64>,
    /// Number of posts.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub posts: Option<u64>,
    /// Number of lists that hold the account.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub listed: Option<u64>,
    /// When the account was made.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub created_at: Option<Millis>,
    /// Verified.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub verified: bool,
    /// Protected (private).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub protected: bool,
    /// Says of itself that it is a bot.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub bot: bool,
    /// The location that the payload derives from the profile.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub profile_geo: Option<ProfileGeo>,
}

/// An account: any of its two names may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Account {
    /// The network's id (`123`, `did:plc:…`).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub id: String,
    /// The handle without `@` (`bob`, `bob.bsky.social`, `bob@mastodon.social`).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub handle: String,
}

/// Derived location of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct ProfileGeo {
    /// Country's name.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub country: Option<String>,
    /// Two-letter country code.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub country_code: Option<String>,
    /// Region's name.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub region: Option<String>,
    /// Town's name.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub locality: Option<String>,
}

/// What stands in the text.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Entities {
    /// `#tag`, text without the `#`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub hashtags: Vec<Tag>,
    /// `$SYM`, text without the `$`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub cashtags: Vec<Tag>,
    /// `@name`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub mentions: Vec<Mention>,
    /// Links in the text, without media.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub links: Vec<Link>,
    /// Pictures, videos, GIFs.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub media: Vec<Media>,
    /// Further spans of the text that are links but lead to nothing that filters read: media, the rest of a cut text.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub other_links: Vec<Span>,
}

/// A hashtag or cashtag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Tag {
    /// Without the sign.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub text: String,
    /// Where in the text, sign included; `None` for a tag that stands outside of it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub span: Option<Span>,
}

/// A mention.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Mention {
    /// Who.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub account: Account,
    /// Where in the text, sign included.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub span: Option<Span>,
}

/// A link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Link {
    /// As it stands in the text (`https://t.co/…`).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub url: String,
    /// Where it leads, as the network expands it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub expanded: Option<String>,
    /// Where it leads after all redirects.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub unwound: Option<String>,
    /// Title of the page.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub title: Option<String>,
    /// Description of the page.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub description: Option<String>,
    /// Where in the text.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub span: Option<Span>,
    /// It is the quote's own link: read by `url:` and `domain:`, but neither `has:links` nor counted by `links:`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub quote: bool,
}

/// A picture, video or GIF.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Description for those who do not see it.
    pub alt: Option<String>,
}

/// What a medium is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum MediaKind {
    /// Still picture.
    Image,
    /// Video.
    Video,
    /// Animated GIF.
    Gif,
    /// Audio and whatever a later network adds: counts as media only.
    Other,
}

/// The post that a reply answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct ReplyTo {
    /// Its id; empty where only the account is known (then this is not `is:reply`).
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub id: String,
    /// Its author.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub account: Account,
}

/// A quoted or retweeted post: announced, and perhaps carried.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Reference {
    /// Its id.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub id: String,
    /// Its author where the payload names them without carrying the post.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub account: Account,
    /// The post itself, where the payload carries it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub post: Option<Post>,
}

impl Entities {
    /// The author's own links: all but the quote's.
    pub fn own_links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| !link.quote)
    }
}

impl Reference {
    /// The id, wherever it is known from; empty if nowhere.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.post {
            Some(post) if self.id.is_empty() => &post.id,
            _ => &self.id,
        }
    }

    /// The author, from the carried post or the announcement.
    #[must_use]
    pub fn account(&self) -> &Account {
        match &self.post {
            Some(post) if !(post.author.account.id.is_empty() && post.author.account.handle.is_empty()) => {
                &post.author.account
            }
            _ => &self.account,
        }
    }
}

/// Degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Point {
    /// Longitude, −180 to 180.
    pub lon: f64,
    /// Latitude, −90 to 90.
    pub lat: f64,
}

/// A tagged place.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Place {
    /// The network's id.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub id: String,
    /// Short and full name.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub names: Vec<String>,
    /// Country's name.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub country: Option<String>,
    /// Two-letter country code.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub country_code: Option<String>,
    /// Centre of its bounding box.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub center: Option<Point>,
}

/// Yes/no facts; `false` when the payload says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct PostFlags {
    /// Marked as sensitive.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub sensitive: bool,
    /// An edited version.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub edited: bool,
    /// Part of a thread of its own author.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub self_thread: bool,
    /// Promoted only.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub nullcast: bool,
    /// Carries a poll.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub poll: bool,
}

/// Engagement so far; `None` where the payload has no number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Engagement {
    /// Likes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub likes: Option<u64>,
    /// Retweets.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub retweets: Option<u64>,
    /// Replies.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub replies: Option<u64>,
    /// Quotes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub quotes: Option<u64>,
}

/// One of X's annotations: `context:DOMAIN.ENTITY` and its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Annotation {
    /// Domain's id; empty for a bare named entity.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub domain: String,
    /// Entity's id; empty for a bare named entity.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub entity: String,
    /// Entity's name, read by `entity:`.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub name: String,
}

/// A field of an embedder's own.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Attribute {
    /// `[A-Za-z0-9_.-]+`, compared without case.
    pub name: String,
    /// Its value.
    pub value: AttributeValue,
}

/// The value of an embedder's field.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(untagged))]
pub enum AttributeValue {
    /// Read by comparisons.
    Number(f64),
    /// Read as words.
    Text(String),
}

/// Whether a field says nothing, so that the serialized form leaves it out.
#[cfg(feature = "serde")]
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Post {
    /// A post that is only text; its tags, mentions, cashtags and links are found by twitter-text's rules.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { entities: crate::text::entities(&text), text, ..Self::default() }
    }

    /// Adds a text field of the embedder's own.
    ///
    /// ```
    /// use tweetfilter_core::Post;
    /// let post = Post::from_text("disk full").with_text("host", "db-1").with_number("load", 3.5);
    /// assert_eq!(post.attributes.len(), 2);
    /// ```
    #[must_use]
    pub fn with_text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push(Attribute { name: name.into(), value: AttributeValue::Text(value.into()) });
        self
    }

    /// Adds a numeric field of the embedder's own. NaN says nothing: comparisons with it are unknown, as with a field
    /// that is lacking.
    #[must_use]
    pub fn with_number(mut self, name: impl Into<String>, value: f64) -> Self {
        self.attributes.push(Attribute { name: name.into(), value: AttributeValue::Number(value) });
        self
    }

    /// The post whose content filters read: the carried original of a retweet, else this one.
    ///
    /// A retweet of a retweet (which no network makes) is followed one step only.
    #[must_use]
    pub fn content(&self) -> &Post {
        self.retweet_of.as_ref().and_then(|r| r.post.as_ref()).unwrap_or(self)
    }
}
