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

/// Why bytes are no post in this form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Written by a newer version of this library.
    #[error("version {found} of the form of posts is newer than {VERSION}, the newest that is known here")]
    NewerVersion {
        /// The version that was found.
        found: u32,
    },
    /// A span that is not one of its text.
    #[error("a span of the post lies outside of its text or within a character")]
    Span,
    /// A number that JSON can't hold.
    #[error("a number of the post is not finite")]
    NotFinite,
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
    v: u32,
}

#[derive(Deserialize)]
struct In {
    post: Post,
}

/// Writes a post.
///
/// # Errors
/// [`Error::NotFinite`], which no decoder's post has: a field of the embedder's own may.
pub fn to_vec(post: &Post) -> Result<Vec<u8>, Error> {
    if !is_finite(post) {
        return Err(Error::NotFinite);
    }
    Ok(serde_json::to_vec(&Out { v: VERSION, post })?)
}

/// Reads a post.
///
/// # Errors
/// See [`Error`].
pub fn from_slice(bytes: &[u8]) -> Result<Post, Error> {
    let Version { v } = serde_json::from_slice(bytes)?;
    if v > VERSION {
        return Err(Error::NewerVersion { found: v });
    }
    let post = serde_json::from_slice::<In>(bytes)?.post;
    if is_sound(&post) { Ok(post) } else { Err(Error::Span) }
}

/// Whether JSON can hold all of its numbers.
pub(crate) fn is_finite(post: &Post) -> bool {
    let finite = |a: &Attribute| !matches!(a.value, AttributeValue::Number(n) if !n.is_finite());
    post.attributes.iter().all(finite)
}

/// Whether all spans are of their texts.
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
        && [&post.retweet_of, &post.quote_of]
            .into_iter()
            .flatten()
            .filter_map(|r| r.post.as_ref())
            .all(is_sound)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tweetfilter_core::Post;
    use tweetfilter_core::post::{Point, Reference, ReplyTo};

    use super::{Error, from_slice, to_vec};

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
            prop_assert_eq!(from_slice(&bytes).expect("read"), post);
        }
    }

    #[test]
    fn what_is_absent_takes_no_place() {
        let bytes = to_vec(&Post { text: "hi".to_owned(), ..Post::default() }).expect("written");
        assert_eq!(String::from_utf8_lossy(&bytes), r#"{"v":1,"post":{"text":"hi"}}"#);
    }

    #[test]
    fn refusals_say_why() {
        for (bytes, expected) in [
            (
                r#"{"v":2,"post":{"text":"hi","mood":"new"}}"#,
                "version 2 of the form of posts is newer than 1",
            ),
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
        let post = Post::from_text("x").with_number("load", f64::NAN);
        assert!(matches!(to_vec(&post), Err(Error::NotFinite)));
    }
}
