//! What the posts of a live source never carry, so that filters can be warned of it.

use tweetfilter_core::syntax::lint::Capabilities;

/// A kind of live source, by the wire that it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Carrier {
    /// Bluesky's Jetstream.
    Jetstream,
    /// X's streams of API v1.1.
    XV1,
    /// X's streams of API v2.
    XV2,
    /// Mastodon's streaming.
    Mastodon,
}

impl Carrier {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Jetstream, Self::XV1, Self::XV2, Self::Mastodon];

    /// Its name in options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jetstream => "jetstream",
            Self::XV1 => "x-v1",
            Self::XV2 => "x-v2",
            Self::Mastodon => "mastodon",
        }
    }

    /// Operators that read what none of its messages has, as [`Capabilities`] names them.
    ///
    /// What a message can have is what [`decode`](super::decode) reads of it, whether or not the network still sends
    /// it. Counts of what others did with a post are carried where they are told at all, though a new post's are 0.
    #[must_use]
    pub fn never(self) -> &'static [&'static str] {
        match self {
            Self::Jetstream => JETSTREAM,
            Self::XV1 => X_V1,
            Self::XV2 => X_V2,
            Self::Mastodon => MASTODON,
        }
    }

    /// The same for [`never_carried`](tweetfilter_core::syntax::lint::never_carried).
    ///
    /// ```
    /// use tweetfilter_core::{Expression, syntax::lint};
    /// use tweetfilter_stream::wire::Carrier;
    /// let filter = Expression::parse("snow followers:>100")?;
    /// assert_eq!(lint::never_carried(&filter, &Carrier::Jetstream.capabilities()).len(), 1);
    /// assert!(lint::never_carried(&filter, &Carrier::XV1.capabilities()).is_empty());
    /// # Ok::<(), tweetfilter_core::ParseError>(())
    /// ```
    #[must_use]
    pub fn capabilities(self) -> Capabilities {
        Capabilities::without(self.never().iter().copied()).of(self.name())
    }
}

/// A record says nothing of its author beyond the id, nobody has acted on it yet, and reposts carry no post. Bluesky
/// has no places, clients, polls or animated pictures of its own, and its ids are no numbers.
const JETSTREAM: &[&str] = &[
    "account_age",
    "bio",
    "bio_location",
    "bio_name",
    "bounding_box",
    "context",
    "cw",
    "entity",
    "followers",
    "following",
    "has:geo",
    "has:gifs",
    "has:polls",
    "has:profile_geo",
    "is:bot",
    "is:nullcast",
    "is:protected",
    "is:retweet",
    "is:verified",
    "likes",
    "listed",
    "max_id",
    "place",
    "place_country",
    "point_radius",
    "posts",
    "profile_country",
    "profile_locality",
    "profile_region",
    "quotes",
    "replies",
    "retweets",
    "retweets_of",
    "retweets_of_tweet_id",
    "since_id",
    "source",
];

/// Annotations came with v2; the others are not X's.
const X_V1: &[&str] = &["context", "cw", "entity", "is:bot"];

/// Places derived from profiles are PowerTrack's; the others are not X's.
const X_V2: &[&str] =
    &["cw", "has:profile_geo", "is:bot", "profile_country", "profile_locality", "profile_region"];

/// Mastodon has neither places nor cashtags, annotations, lists that are counted, or checked names; what a conversation
/// is, a status does not say.
const MASTODON: &[&str] = &[
    "bio_location",
    "bounding_box",
    "context",
    "conversation_id",
    "entity",
    "has:cashtags",
    "has:geo",
    "has:profile_geo",
    "is:nullcast",
    "is:verified",
    "listed",
    "place",
    "place_country",
    "point_radius",
    "profile_country",
    "profile_locality",
    "profile_region",
];
