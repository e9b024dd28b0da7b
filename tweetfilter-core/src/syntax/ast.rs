//! The faithful tree of an expression: what was written, with its places.

use crate::Span;
use crate::post::Point;

/// How an expression reads a post: `native`, or as X's filtered stream and PowerTrack did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Dialect {
    /// The language of SYNTAX.md.
    #[default]
    Native,
    /// Text atoms also read links and the quoted post, and so on.
    X,
}

/// A part of an expression. Parentheses are not kept: a group of one is its element, and printing puts back
/// those that are needed.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands in the expression, its parentheses not included.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// Nodes are equal when they say the same, wherever they stand.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// All of two or more.
    And(Vec<Node>),
    /// Any of two or more.
    Or(Vec<Node>),
    /// Not; never directly around another `Not`.
    Not(Box<Node>),
    /// `N of (…)`.
    Quota(Quota),
    /// `in:quote(…)`, `in:retweet(…)`.
    Scope(Scope, Box<Node>),
    /// A leaf.
    Atom(Atom),
}

/// `N of (a, b)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// The word or number before `of`.
    pub count: QuotaCount,
    /// One or more elements.
    pub items: Vec<Node>,
}

impl Quota {
    /// How many must hold at least, and whether the whole is negated (`none of`).
    #[must_use]
    pub fn needed(&self) -> (usize, bool) {
        match self.count {
            QuotaCount::AtLeast(n) => (n as usize, false),
            QuotaCount::Any => (1, false),
            QuotaCount::All => (self.items.len(), false),
            QuotaCount::None => (1, true),
        }
    }
}

/// How many elements of a quota must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuotaCount {
    /// `3 of`: at least so many; between 1 and the number of elements.
    AtLeast(u32),
    /// `any of`.
    Any,
    /// `all of`.
    All,
    /// `none of`.
    None,
}

/// Another post that an expression is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The quoted post.
    Quote,
    /// The original of a retweet, as a post of its own.
    Retweet,
}

/// A leaf of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Atom {
    /// A word, phrase or proximity on the text.
    Text(TextPattern),
    /// `contains:"…"`: one or more substrings (any of them).
    Contains(Vec<Value<String>>),
    /// `/…/i`.
    Regex(RegexPattern),
    /// `{name}` on text and entities.
    Set(String),
    /// `#tag`, `#tag*`.
    Hashtag {
        /// Without `#` and `*`.
        tag: String,
        /// Ends in `*`.
        prefix: bool,
    },
    /// `@name`.
    Mention(AccountName),
    /// `$SYM`, as typed, without `$`.
    Cashtag(String),
    /// `from:bob,al` and the like.
    Account(AccountField, Vec<Value<AccountName>>),
    /// `bio:…` and the like: token match on a field.
    Words(WordField, Vec<Value<TextPattern>>),
    /// `url_contains:"…"`.
    UrlContains(Vec<Value<String>>),
    /// `domain:`, lower case, without leading or trailing dots.
    Domain(Vec<Value<String>>),
    /// `conversation_id:` and the like.
    Id(IdField, Vec<Value<String>>),
    /// `since_id:` and `max_id:`.
    IdBound(IdBound, u64),
    /// `is:retweet,reply`.
    Is(Vec<Value<IsFlag>>),
    /// `has:links,media`.
    Has(Vec<Value<HasFlag>>),
    /// `lang:en,pt-br`: lower-case BCP 47 prefixes, old codes as typed.
    Lang(Vec<Value<String>>),
    /// `place:`, `place_country:`, `profile_*:`: a name, id or code.
    Place(PlaceField, Vec<Value<String>>),
    /// `point_radius:[lon lat radius]`.
    PointRadius {
        /// Centre.
        center: Point,
        /// Radius as typed.
        radius: f64,
        /// Its unit.
        unit: DistanceUnit,
    },
    /// `bounding_box:[west south east north]`; west > east crosses the date line.
    BoundingBox {
        /// South-west corner.
        south_west: Point,
        /// North-east corner.
        north_east: Point,
    },
    /// `followers:>=100`, `caps:>50` …
    Number(NumberField, Comparison),
    /// `since:`, `until:`, in Unix milliseconds, and whether it was written as Unix seconds.
    Time(TimeBound, TimeValue),
    /// `account_age:<30d`.
    AccountAge(AgeComparison),
    /// `context:D.E`; `None` is `*`.
    Context(Vec<Value<ContextId>>),
    /// `entity:"…"`.
    Entity(Vec<Value<String>>),
    /// `sample:12.5`, in hundredths of a per cent: 1 to 10,000.
    Sample(u16),
    /// `attr.NAME:value`.
    Attribute {
        /// As typed.
        name: String,
        /// What is asked of it.
        test: AttributeTest,
    },
}

/// One value of an operator: written out, or a named set of values.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<T> {
    /// Written out.
    One(T),
    /// `{name}`.
    Set(String),
}

/// A word, phrase or proximity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TextPattern {
    /// As typed, escapes resolved, without quotes and the sign of its form.
    pub text: String,
    /// How its letters are compared.
    pub form: Form,
    /// Word, phrase or proximity.
    pub shape: Shape,
}

/// How letters are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// Case never, accents only where the filter has them.
    #[default]
    Folded,
    /// `=`: as typed.
    Exact,
    /// `~`: look-alikes and stretched letters are equal.
    Obfuscated,
}

/// What a [`TextPattern`] was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A bare run; `*` and `?` are wildcards.
    Word,
    /// In quotes.
    Phrase,
    /// In quotes, followed by `~N`.
    Near(u32),
}

/// `/pattern/flags`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegexPattern {
    /// Without slashes; `\/` is `/`. Its characters are composed (NFC), as those of the texts that it is searched for in.
    pub pattern: String,
    /// `i`.
    pub ignore_case: bool,
    /// `s`.
    pub dot_matches_newline: bool,
    /// `m`.
    pub multi_line: bool,
    /// `x`.
    pub verbose: bool,
}

/// An account as a filter names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AccountName {
    /// `me`: the identities of the filter's owner.
    Me,
    /// Handle or id, as typed, without leading `@`.
    Name(String),
}

/// Operators that name an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountField {
    /// `from:`
    From,
    /// `to:`
    To,
    /// `retweets_of:`
    RetweetsOf,
    /// `quotes_of:`
    QuotesOf,
}

/// Operators that match words in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WordField {
    /// `bio:`
    Bio,
    /// `bio_name:`
    BioName,
    /// `bio_location:`
    BioLocation,
    /// `url:`
    Url,
    /// `url_title:`
    UrlTitle,
    /// `url_description:`
    UrlDescription,
    /// `alt:`
    Alt,
    /// `cw:`
    Warning,
    /// `source:`
    Source,
}

/// Operators that compare an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdField {
    /// `in_reply_to_tweet_id:`
    InReplyTo,
    /// `retweets_of_tweet_id:`
    RetweetsOf,
    /// `quotes_of_tweet_id:`
    QuotesOf,
    /// `conversation_id:`
    Conversation,
}

/// Bounds of numeric ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdBound {
    /// `since_id:`, exclusive.
    Since,
    /// `max_id:`, inclusive.
    Max,
}

/// Values of `is:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is named like its value")]
pub enum IsFlag {
    Retweet,
    Reply,
    Quote,
    Verified,
    Sensitive,
    Edited,
    SelfThread,
    Bot,
    Protected,
    Nullcast,
}

/// Values of `has:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is named like its value")]
pub enum HasFlag {
    Links,
    Media,
    Images,
    Videos,
    Gifs,
    Hashtags,
    Mentions,
    Cashtags,
    Geo,
    ProfileGeo,
    Polls,
    Alt,
    Lang,
}

/// Operators that name a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceField {
    /// `place:`
    Place,
    /// `place_country:`
    Country,
    /// `profile_country:`
    ProfileCountry,
    /// `profile_region:`
    ProfileRegion,
    /// `profile_locality:`
    ProfileLocality,
}

/// Unit of a radius.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DistanceUnit {
    /// Kilometres.
    Km,
    /// Statute miles of 1.609344 km.
    Mi,
}

/// Operators that compare a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberField {
    /// `followers:`, of the author.
    Followers,
    /// `following:`
    Following,
    /// `posts:`
    Posts,
    /// `listed:`
    Listed,
    /// `likes:`, of the content.
    Likes,
    /// `retweets:`
    Retweets,
    /// `replies:`
    Replies,
    /// `quotes:`
    Quotes,
    /// `length:`, grapheme clusters of the content text.
    Length,
    /// `hashtags:`, distinct.
    Hashtags,
    /// `mentions:`, distinct.
    Mentions,
    /// `links:`, distinct.
    Links,
    /// `emoji:`, with repeats.
    Emoji,
    /// `caps:`, per cent of letters that are capitals.
    Caps,
}

impl NumberField {
    /// Whether it counts what others did with a post: 0 when the post is new.
    #[must_use]
    pub fn is_engagement(self) -> bool {
        matches!(self, Self::Likes | Self::Retweets | Self::Replies | Self::Quotes)
    }
}

/// An inclusive range of numbers, as written with `=`, `>`, `>=`, `<`, `<=` or `a..b`.
///
/// Never empty in a parsed expression, except where no number can be smaller (`<0`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    /// `N` or `=N`.
    Eq(f64),
    /// `>N`
    Gt(f64),
    /// `>=N`
    Ge(f64),
    /// `<N`
    Lt(f64),
    /// `<=N`
    Le(f64),
    /// `a..b`, both included.
    Between(f64, f64),
}

impl Comparison {
    /// Whether `x` lies in the range.
    #[must_use]
    pub fn holds(self, x: f64) -> bool {
        match self {
            Self::Eq(n) => x == n,
            Self::Gt(n) => x > n,
            Self::Ge(n) => x >= n,
            Self::Lt(n) => x < n,
            Self::Le(n) => x <= n,
            Self::Between(a, b) => a <= x && x <= b,
        }
    }
}

/// `since:` and `until:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeBound {
    /// At this time or later.
    Since,
    /// Before this time.
    Until,
}

/// A time, and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeValue {
    /// As typed (`2021-01-01`, RFC 3339, Unix seconds).
    pub text: String,
    /// Milliseconds since 1970 UTC.
    pub millis: i64,
}

/// `account_age:<30d`: the age of the author's account when the post was made.
#[derive(Clone, Debug, PartialEq)]
pub struct AgeComparison {
    /// As typed, with its sign and unit (`<30d`, `1y..2y`).
    pub text: String,
    /// The range in milliseconds.
    pub range: Comparison,
}

/// `context:D.E`; at least one of the two is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContextId {
    /// `None` is `*`.
    pub domain: Option<String>,
    /// `None` is `*`.
    pub entity: Option<String>,
}

/// What `attr.NAME:` asks.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeTest {
    /// Words.
    Words(Vec<Value<TextPattern>>),
    /// A number.
    Number(Comparison),
}
