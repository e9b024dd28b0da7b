//! The small form in which a decoded post is kept and passed on: JSON with a version.
//!
//! `{"v":1,"post":{…}}`, where absent and empty fields are left out. A reader accepts every version up to its
//! own, and unknown fields of those; a newer version it refuses by name, since what it would leave out may be
//! what makes a filter match.
//!
//! ```
//! use tweetfilter_core::Post;
//! use tweetfilter_stream::shrunk;
//! let post = Post::from_text("Snow in #Oslo");
//! let bytes = shrunk::to_vec(&post)?;
//! assert!(bytes.starts_with(br#"{"v":1,"post":{"text":"Snow in #Oslo","#));
//! assert_eq!(shrunk::from_slice(&bytes)?, post);
//! # Ok::<(), shrunk::Error>(())
//! ```

use serde::{Deserialize, Serialize};
use tweetfilter_core::post::{Attribute, AttributeValue};
use tweetfilter_core::{Post, Span};

/// The version that is written.
pub const VERSION: u32 = 1;

/// How everything begins that is written.
const BEGIN: &[u8] = b"{\"v\":1,\"post\":";

/// Posts inside each other (a quote of a retweet of a quote …) that are written: readers of JSON have a bound.
pub const DEEPEST: usize = 32;

/// Why a post can't be written, or why bytes are no post in this form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Written by a newer version of this library.
    #[error("version {found} of the form of posts is newer than {VERSION}, the newest that is known here")]
    NewerVersion {
        /// The version that was found.
        found: u64,
    },
    /// No version that ever was.
    #[error("the form of posts has no version {found}")]
    NoVersion {
        /// What stands in place of a version.
        found: String,
    },
    /// A span that is not one of its text.
    #[error("a span of the post lies outside of its text or within a character")]
    Span,
    /// A number that JSON can't hold.
    #[error("a number of the post is not finite")]
    NotFinite,
    /// Posts inside each other, deeper than a reader follows.
    #[error("the post has more than {DEEPEST} posts inside each other")]
    Nested,
    /// Not a post in this form at all.
    #[error("not a post in its small form: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Out<'p> {
    v: u32,
    post: &'p Post,
}

#[derive(Deserialize)]
struct Version {
    v: serde_json::Number,
}

#[derive(Deserialize)]
struct In {
    post: Post,
}

/// Writes a post; what is written can be read.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::Span`] and [`Error::Nested`], of the post or of one inside it. No decoder's post
/// has these; one that was made or changed by an embedder may.
pub fn to_vec(post: &Post) -> Result<Vec<u8>, Error> {
    check(post)?;
    Ok(serde_json::to_vec(&Out { v: VERSION, post })?)
}

/// Whether what is written of a post can be read again.
pub(crate) fn check(post: &Post) -> Result<(), Error> {
    match post {
        post if !is_nested_within(post, DEEPEST) => Err(Error::Nested),
        post if !is_finite(post) => Err(Error::NotFinite),
        post if !is_sound(post) => Err(Error::Span),
        _ => Ok(()),
    }
}

/// Reads a post.
///
/// # Errors
/// See [`Error`].
pub fn from_slice(bytes: &[u8]) -> Result<Post, Error> {
    check_version(bytes)?;
    sound(serde_json::from_slice::<In>(bytes)?.post)
}

/// Reads a post from what is known to be UTF-8, which is faster.
///
/// # Errors
/// See [`Error`].
pub fn from_text(text: &str) -> Result<Post, Error> {
    check_version(text.as_bytes())?;
    sound(serde_json::from_str::<In>(text)?.post)
}

fn check_version(bytes: &[u8]) -> Result<(), Error> {
    // What this library wrote is read once; of anything else the version is looked for first.
    if bytes.starts_with(BEGIN) {
        return Ok(());
    }
    let Version { v } = serde_json::from_slice(bytes)?;
    match v.as_u64() {
        Some(found) if found > u64::from(VERSION) => Err(Error::NewerVersion { found }),
        Some(1..) => Ok(()),
        _ => Err(Error::NoVersion { found: v.to_string() }),
    }
}

fn sound(post: Post) -> Result<Post, Error> {
    if is_sound(&post) { Ok(post) } else { Err(Error::Span) }
}

/// The posts that a post carries.
pub(crate) fn carried(post: &Post) -> impl Iterator<Item = &Post> {
    [&post.retweet_of, &post.quote_of].into_iter().flatten().filter_map(|reference| reference.post.as_ref())
}

fn is_nested_within(post: &Post, levels: usize) -> bool {
    carried(post).all(|inner| levels > 0 && is_nested_within(inner, levels - 1))
}

/// Whether JSON can hold all numbers, those of posts inside included.
fn is_finite(post: &Post) -> bool {
    let of_attribute = |attribute: &Attribute| match attribute.value {
        AttributeValue::Number(number) => number.is_finite(),
        AttributeValue::Text(_) => true,
    };
    let center = post.place.as_ref().and_then(|place| place.center);
    [post.coordinates, center].into_iter().flatten().all(|p| p.lon.is_finite() && p.lat.is_finite())
        && post.attributes.iter().all(of_attribute)
        && carried(post).all(is_finite)
}

/// Whether all spans are of their texts, those of posts inside included.
pub(crate) fn is_sound(post: &Post) -> bool {
    let within = |text: &str, span: Span| text.get(span.range()).is_some();
    let entities = &post.entities;
    let tags = entities.hashtags.iter().chain(&entities.cashtags).filter_map(|tag| tag.span);
    let mentions = entities.mentions.iter().filter_map(|mention| mention.span);
    let links =
        entities.links.iter().filter_map(|link| link.span).chain(entities.other_links.iter().copied());
    let bio = post.author.bio.as_deref().unwrap_or_default();
    tags.chain(mentions).chain(links).all(|span| within(&post.text, span))
        && post.author.bio_links.iter().filter_map(|link| link.span).all(|span| within(bio, span))
        && carried(post).all(is_sound)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tweetfilter_core::post::{Author, Entities, Link, Place, Point, Reference, ReplyTo, Tag};
    use tweetfilter_core::{Post, Span};

    use super::{DEEPEST, Error, from_slice, from_text, to_vec};

    /// Posts with any of their fields filled.
    fn posts() -> impl Strategy<Value = Post> {
        let text = "[a-z #@é😀日\"\\\\\n.:/$]{0,30}";
        let leaf =
            (text, any::<(u16, Option<u64>, Option<i64>, bool)>(), prop::option::of(text), -180.0..180.0_f64);
        let leaf = leaf.prop_map(|(text, (bits, count, time, flag), option, lon)| {
            let has = |n: u16| bits & (1 << n) != 0;
            let mut post = Post::from_text(text);
            post.created_at = time;
            post.author.bio.clone_from(&option);
            post.author.account.id = bits.to_string();
            post.author.followers = count;
            post.author.verified = has(0);
            post.lang = option.clone().filter(|_| has(1));
            post.warning = option.clone().filter(|_| has(2));
            post.coordinates = has(3).then_some(Point { lon, lat: lon / 2.0 });
            post.reply_to = has(4).then(|| ReplyTo { id: text_id(bits), ..ReplyTo::default() });
            post.flags.sensitive = flag;
            post.counts.likes = count.filter(|_| has(5));
            if has(6) { post.with_number("load", lon).with_text("host", "a") } else { post }
        });
        leaf.prop_recursive(2, 6, 2, |inner| {
            (inner.clone(), inner, any::<(bool, bool)>()).prop_map(|(mut outer, inner, (quote, carried))| {
                let post = Some(inner).filter(|_| carried);
                let reference =
                    Some(Box::new(Reference { id: "9".to_owned(), post, ..Reference::default() }));
                *(if quote { &mut outer.quote_of } else { &mut outer.retweet_of }) = reference;
                outer
            })
        })
    }

    fn text_id(bits: u16) -> String {
        format!("at://did:plc:{bits}/x/y")
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(post in posts()) {
            let bytes = to_vec(&post).expect("written");
            prop_assert_eq!(&from_slice(&bytes).expect("read"), &post);
            let text = String::from_utf8(bytes).expect("UTF-8");
            prop_assert_eq!(from_text(&text).expect("read"), post);
        }
    }

    #[test]
    fn what_is_absent_takes_no_place() {
        let bytes = to_vec(&Post { text: "hi".to_owned(), ..Post::default() }).expect("written");
        assert_eq!(String::from_utf8_lossy(&bytes), r#"{"v":1,"post":{"text":"hi"}}"#);
        assert!(bytes.starts_with(super::BEGIN));
    }

    #[test]
    fn refusals_say_why() {
        for (bytes, expected) in [
            (
                r#"{"v":2,"post":{"text":"hi","mood":"new"}}"#,
                "version 2 of the form of posts is newer than 1",
            ),
            (r#"{"v":4294967296,"post":{}}"#, "version 4294967296 of the form of posts is newer than 1"),
            (r#"{"v":0,"post":{}}"#, "the form of posts has no version 0"),
            (r#"{"v":-1,"post":{}}"#, "the form of posts has no version -1"),
            (r#"{"v":1.5,"post":{}}"#, "the form of posts has no version 1.5"),
            (
                r#"{"v":1,"post":{"text":"é","entities":{"other_links":[[1,2]]}}}"#,
                "a span of the post lies outside",
            ),
            (r#"{"v":1}"#, "not a post in its small form"),
            ("[]", "not a post in its small form"),
        ] {
            let error = from_slice(bytes.as_bytes()).expect_err(bytes).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let known =
            from_slice(br#"{"v":1,"post":{"text":"hi","mood":"old"},"by":7}"#).expect("unknown fields pass");
        assert_eq!(known.text, "hi");
    }

    /// A post that is inside another one.
    fn inside(inner: Post, quote: bool) -> Post {
        let reference = Some(Box::new(Reference { post: Some(inner), ..Reference::default() }));
        match quote {
            true => Post { quote_of: reference, ..Post::default() },
            false => Post { retweet_of: reference, ..Post::default() },
        }
    }

    #[test]
    fn what_could_not_be_read_is_not_written() {
        let point = |lon| Some(Point { lon, lat: 1.0 });
        let outside = Some(Span { start: 0, end: 9 });
        let tag = Tag { text: "x".into(), span: outside };
        let link = Link { span: outside, ..Link::default() };
        let place = Place { center: point(f64::INFINITY), ..Place::default() };
        let author = Author { bio: Some("x".into()), bio_links: vec![link], ..Author::default() };
        let entities = Entities { hashtags: vec![tag], ..Entities::default() };
        for (post, finite) in [
            (Post::from_text("x").with_number("load", f64::NAN), true),
            (Post { coordinates: point(f64::NAN), ..Post::default() }, true),
            (Post { place: Some(place), ..Post::default() }, true),
            (Post { text: "x".into(), entities, ..Post::default() }, false),
            (Post { author, ..Post::default() }, false),
        ] {
            for post in [post.clone(), inside(post.clone(), true), inside(inside(post, true), false)] {
                let error = to_vec(&post).expect_err("not written");
                assert!(
                    matches!((error, finite), (Error::NotFinite, true) | (Error::Span, false)),
                    "{post:?}"
                );
            }
        }
        let nested = |levels| (0..levels).fold(Post::from_text("#x"), |post, n| inside(post, n % 2 == 0));
        let deep = to_vec(&nested(DEEPEST)).expect("written");
        assert_eq!(from_slice(&deep).expect("read"), nested(DEEPEST));
        assert!(matches!(to_vec(&nested(DEEPEST + 1)), Err(Error::Nested)));
    }
}
