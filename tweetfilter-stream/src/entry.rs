//! What the buffer holds: one thing that a source said, and whom it reached.
//!
//! An [`Entry`] is JSON with a version, documented in FORMATS.md: `{"v":1,"source":…,"at":…,"to":…,"post":{…}}`,
//! where the last key is its kind. A reader accepts every version up to its own; what is newer it refuses by name,
//! so that nobody acknowledges what he did not understand.
//!
//! ```
//! use tweetfilter_core::Post;
//! use tweetfilter_stream::entry::{Audience, Content, Entry};
//! let entry = Entry {
//!     source: "site".into(),
//!     at: 1_700_000_000_000,
//!     to: Audience::Viewers(vec!["1888".into()]),
//!     place: None,
//!     content: Content::Post(Box::new(Post::from_text("Snow"))),
//! };
//! let bytes = entry.to_vec()?;
//! assert!(bytes.starts_with(br#"{"v":1,"source":"site","at":1700000000000,"to":{"viewers":["1888"]},"post":{"#));
//! assert_eq!(Entry::from_slice(&bytes)?, entry);
//! # Ok::<(), tweetfilter_stream::entry::EntryError>(())
//! ```

mod lacking;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tweetfilter_core::post::{Account, Millis, Post};

use crate::shrunk;

/// The version that is written.
pub const VERSION: u32 = 1;

/// One thing to evaluate or to apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The name of the source that it came from.
    pub source: String,
    /// When it was received.
    pub at: Millis,
    /// Whom it reached.
    pub to: Audience,
    /// Where a post that has no id stands in its source, by which it is told from others of the same text, and is known
    /// again. Without it, [`at`](Self::at) takes its place.
    pub place: Option<String>,
    /// What was said.
    pub content: Content,
}

/// Whom a source's messages reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody: each account's filters are tried, and only what they match is delivered.
    Public,
    /// The accounts that follow the author, or that the post mentions or answers.
    Follows,
    /// One account of this system, by its name: it is their home timeline.
    Account(String),
    /// Users of the post's network, by the network's ids, in the order in which they were named.
    Viewers(Vec<String>),
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// A post.
    Post(Box<Post>),
    /// A new version of a post under the id of the first: the one that was made at its `edited_at`, or else received at
    /// the entry's time.
    Edit(Box<Post>),
    /// Something that changes what is stored.
    Change(Change),
}

/// A message that changes stored posts, of whatever order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Change {
    /// A post was deleted.
    Delete {
        /// Its network; empty if the message does not tell.
        network: String,
        /// Its id.
        id: String,
    },
    /// Places of an author's posts up to an id must be forgotten.
    ScrubGeo {
        /// The author's network.
        network: String,
        /// The author's id.
        author: String,
        /// The last post that it holds for.
        up_to: String,
    },
    /// A post is withheld in some countries.
    StatusWithheld {
        /// Its network.
        network: String,
        /// Its id.
        id: String,
        /// Two-letter codes; `XX` is everywhere, `XY` for copyright.
        countries: Vec<String>,
    },
    /// All posts of an author are withheld in some countries.
    UserWithheld {
        /// The author's network.
        network: String,
        /// The author's id.
        author: String,
        /// Two-letter codes.
        countries: Vec<String>,
    },
    /// An author's account appeared, vanished, or was suspended.
    AccountStatus {
        /// The author's network.
        network: String,
        /// The author's id.
        author: String,
        /// Whether its posts can be seen, as far as this status goes.
        active: bool,
        /// Why not, or for what no longer; empty: for anything.
        status: String,
    },
    /// An author has a new handle.
    Identity {
        /// The author's network.
        network: String,
        /// Id and new handle.
        account: Account,
    },
    /// Whom those whom the entry reached follow on this network, all of them.
    Friends {
        /// The network.
        network: String,
        /// The ids of those whom they follow.
        ids: Vec<String>,
    },
}

/// Why bytes are no entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Written by a newer version of this library: it must stay in the buffer.
    #[error("an entry of version {found}; {VERSION} is the newest that is known here. Upgrade this worker")]
    NewerVersion {
        /// The version that was found.
        found: u64,
    },
    /// Not an entry.
    #[error("not an entry: {0}")]
    Malformed(String),
    /// A post that could not be read again.
    #[error(transparent)]
    Post(#[from] shrunk::Error),
}

impl From<serde_json::Error> for EntryError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(without_content(&error.to_string()))
    }
}

/// Characters that an error may have, and a word of the entry that it names.
const ERROR: usize = 300;
const WORD: usize = 32;

/// What is wrong, without what the entry says: errors are logged, and posts are not.
fn without_content(error: &str) -> String {
    let mut error = error.to_owned();
    for (begin, end, hides) in
        [(": string \"", "\", expected", true), ("unknown variant `", "`, expected", false)]
    {
        let (Some(from), Some(to)) = (error.find(begin).map(|at| at + begin.len()), error.rfind(end)) else {
            continue;
        };
        let Some(said) = error.get(from..to) else { continue };
        let is_word =
            said.len() <= WORD && said.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if hides || !is_word {
            error.replace_range(from..to, "…");
        }
    }
    if error.chars().count() > ERROR {
        error = error.chars().take(ERROR).chain(['…']).collect();
    }
    error
}

#[derive(Serialize)]
struct Out<'e, P> {
    v: u32,
    source: &'e str,
    at: Millis,
    to: &'e Audience,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<P>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edit: Option<P>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'e Change>,
}

#[derive(Deserialize)]
struct Version {
    v: serde_json::Number,
}

#[derive(Deserialize)]
struct In {
    source: String,
    at: Millis,
    to: Audience,
    place: Option<String>,
    post: Option<Box<Post>>,
    edit: Option<Box<Post>>,
    change: Option<Change>,
}

impl Entry {
    /// Writes it.
    ///
    /// # Errors
    /// [`EntryError::Post`], which no decoder's post has.
    pub fn to_vec(&self) -> Result<Vec<u8>, EntryError> {
        let out = Out::new(&self.source, self.at, &self.to, self.place.as_deref());
        let written = match &self.content {
            Content::Post(post) => serde_json::to_vec(&Out { post: Some(sound(post)?), ..out }),
            Content::Edit(post) => serde_json::to_vec(&Out { edit: Some(sound(post)?), ..out }),
            Content::Change(change) => serde_json::to_vec(&Out::<&Post> { change: Some(change), ..out }),
        };
        Ok(written?)
    }

    /// Reads one.
    ///
    /// # Errors
    /// See [`EntryError`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, EntryError> {
        let Version { v } = serde_json::from_slice(bytes)?;
        match v.as_u64() {
            Some(found) if found > u64::from(VERSION) => return Err(EntryError::NewerVersion { found }),
            Some(1..) => {}
            _ => return Err(EntryError::Malformed(format!("there is no version {v} of entries"))),
        }
        let read: In = serde_json::from_slice(bytes)?;
        let content = match (read.post, read.edit, read.change) {
            (Some(post), None, None) => Content::Post(post),
            (None, Some(post), None) => Content::Edit(post),
            (None, None, Some(change)) => Content::Change(change),
            _ => {
                return Err(EntryError::Malformed(
                    "it says neither one post, one edit nor one change".into(),
                ));
            }
        };
        let post = match &content {
            Content::Post(post) | Content::Edit(post) => Some(post),
            Content::Change(_) => None,
        };
        if post.is_some_and(|post| !shrunk::is_sound(post)) {
            return Err(EntryError::Malformed("a span of the post is not one of its text".into()));
        }
        let entry = Self { source: read.source, at: read.at, to: read.to, place: read.place, content };
        match lacking::of(&entry) {
            Some(reason) => Err(EntryError::Malformed(reason.to_owned())),
            None => Ok(entry),
        }
    }
}

/// A post that is written already, so that copies for further audiences need not be.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    json: Box<RawValue>,
    edit: bool,
}

impl Written {
    pub(crate) fn new(post: &Post, edit: bool) -> Result<Self, EntryError> {
        Ok(Self { json: serde_json::value::to_raw_value(sound(post)?)?, edit })
    }

    pub(crate) fn len(&self) -> usize {
        self.json.get().len()
    }

    pub(crate) fn is_edit(&self) -> bool {
        self.edit
    }

    /// The entry of this post.
    pub(crate) fn entry(
        &self,
        source: &str,
        at: Millis,
        to: &Audience,
        place: Option<&str>,
    ) -> Result<Vec<u8>, EntryError> {
        let (out, json) = (Out::new(source, at, to, place), Some(&*self.json));
        let out = if self.edit { Out { edit: json, ..out } } else { Out { post: json, ..out } };
        Ok(serde_json::to_vec(&out)?)
    }
}

impl<'e, P> Out<'e, P> {
    fn new(source: &'e str, at: Millis, to: &'e Audience, place: Option<&'e str>) -> Self {
        Self { v: VERSION, source, at, to, place, post: None, edit: None, change: None }
    }
}

fn sound(post: &Post) -> Result<&Post, EntryError> {
    shrunk::check(post)?;
    Ok(post)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(content: Content) -> Entry {
        Entry { source: "s".into(), at: 1, to: Audience::Public, place: None, content }
    }

    #[test]
    fn every_kind_is_read_as_it_was_written() {
        let post = || Box::new(Post { id: "7".into(), ..Post::from_text("Snow in #Oslo") });
        let delete = Change::Delete { network: "x".into(), id: "7".into() };
        for to in [
            Audience::Public,
            Audience::Follows,
            Audience::Account("ann".into()),
            Audience::Viewers(vec!["1".into(), "2".into()]),
        ] {
            for content in [Content::Post(post()), Content::Edit(post()), Content::Change(delete.clone())] {
                for place in [None, Some("a:1".to_owned())] {
                    let entry = Entry { to: to.clone(), place, ..entry(content.clone()) };
                    assert_eq!(Entry::from_slice(&entry.to_vec().unwrap()).unwrap(), entry);
                }
            }
        }
        for (edit, place) in [(false, None), (true, None), (false, Some("a:1"))] {
            let written = Written::new(&post(), edit).unwrap();
            let written = written.entry("s", 1, &Audience::Public, place).unwrap();
            let content = if edit { Content::Edit(post()) } else { Content::Post(post()) };
            let entry = Entry { place: place.map(str::to_owned), ..entry(content) };
            assert_eq!(written, entry.to_vec().unwrap());
        }
    }

    #[test]
    fn an_error_tells_nothing_of_what_an_entry_says() {
        let long = "T".repeat(200_000);
        let odd = r#"secret\", expected secret"#;
        for (of, entry) in [
            ("a post", r#"{"v":1,"source":"s","at":1,"to":"public","post":"Secret text"}"#.to_owned()),
            ("an audience", format!(r#"{{"v":1,"source":"s","at":1,"to":"{long}","post":{{}}}}"#)),
            (
                "a time",
                r#"{"v":1,"source":"s","at":1,"to":"public","post":{"created_at":"Secret"}}"#.to_owned(),
            ),
            ("quotes", format!(r#"{{"v":1,"source":"s","at":"{odd}","to":"public","post":{{}}}}"#)),
            ("a version", r#"{"v":"Secret"}"#.to_owned()),
        ] {
            let error = Entry::from_slice(entry.as_bytes()).expect_err(of).to_string();
            assert!(!error.to_lowercase().contains("secret") && error.len() < 500, "{of}: {error}");
            assert!(error.contains("expected") && error.contains("line 1"), "{of}: {error}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_reason() {
        for (bytes, expected) in [
            (r#"{"v":2,"mood":"new"}"#, "an entry of version 2; 1 is the newest"),
            (r#"{"v":1,"source":"s","at":1,"to":"public"}"#, "neither one post"),
            (r#"{"v":1,"source":"s","at":1,"to":"everyone","post":{}}"#, "unknown variant `everyone`"),
            (
                r#"{"v":1,"source":"s","at":1,"to":"public","post":{"text":"é","entities":{"other_links":[[1,2]]}}}"#,
                "a span of the post",
            ),
            ("[]", "not an entry"),
        ] {
            let error = Entry::from_slice(bytes.as_bytes()).expect_err(bytes).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
