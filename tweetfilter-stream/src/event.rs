//! What the messages of a stream say.

use std::sync::Arc;

use tweetfilter_core::post::{Account, Millis, Post};

use crate::wire::DecodeError;

/// What one message of a stream says.
///
/// Ids are the network's own, as text; absent ones are empty. New kinds may be added.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A post.
    Post(Box<Post>),
    /// A post, and what its message says beside it: the versions that it takes the place of, as [`Event::Delete`], and
    /// where it, its author, or what it carries is withheld.
    PostAnd {
        /// The post.
        post: Box<Post>,
        /// What holds beside it; at least one.
        also: Vec<Event>,
    },
    /// A post in a new version, where the network sends it under the id of the first (Mastodon, Bluesky); when that was
    /// made stands in [`Post::edited_at`]. X gives each version an id of its own, so there it is a [`Event::PostAnd`].
    Edit(Box<Post>),
    /// An event of a site stream, for one of the users that it follows.
    ForUser {
        /// The id of the user who saw it.
        user: String,
        /// What happened.
        event: Box<Event>,
    },
    /// Several messages in one, such as a page of search results, or deletes of the versions before an edit; in order.
    Several(Vec<Event>),
    /// A post was deleted; it may never have been seen here.
    Delete {
        /// `x` or `bluesky`; empty where the message does not tell, and of Mastodon, whose posts may be stored under another
        /// host than the server's.
        network: String,
        /// The post's id.
        id: String,
        /// Its author.
        author: Account,
        /// When it was deleted.
        at: Option<Millis>,
    },
    /// A direct message was deleted.
    DeleteMessage {
        /// The message's id.
        id: String,
        /// Whose it was.
        user: Account,
    },
    /// Coordinates of an author's posts must be forgotten.
    ScrubGeo {
        /// The author.
        author: Account,
        /// The last post that it holds for.
        up_to: String,
    },
    /// A post is withheld in some countries.
    StatusWithheld {
        /// The post's id.
        id: String,
        /// Its author.
        author: Account,
        /// Two-letter codes.
        countries: Vec<String>,
        /// When that was said, if the message tells.
        at: Option<Millis>,
    },
    /// All posts of an author are withheld in some countries.
    UserWithheld {
        /// The author.
        author: Account,
        /// Two-letter codes.
        countries: Vec<String>,
        /// When that was said, if the message tells.
        at: Option<Millis>,
    },
    /// Matching posts that were not sent, since the connection was made.
    Limit {
        /// How many.
        undelivered: u64,
    },
    /// The stream ends, and why.
    Disconnect {
        /// X's code, 1 to 12.
        code: u64,
        /// The stream's name.
        stream: String,
        /// A sentence for people.
        reason: String,
    },
    /// Something is about to go wrong (`FALLING_BEHIND`, `FOLLOWS_OVER_LIMIT`).
    Warning {
        /// X's code.
        code: String,
        /// A sentence for people.
        message: String,
        /// How full the queue of undelivered messages is.
        percent_full: Option<u64>,
    },
    /// Whom the user of the stream follows, sent at its start.
    Friends {
        /// Their ids.
        ids: Vec<String>,
    },
    /// Something happened between two accounts: `follow`, `favorite`, `list_created`, `user_update`, ….
    Activity {
        /// X's name of what happened; unknown ones occur.
        kind: String,
        /// Who did it.
        source: Account,
        /// To whom.
        target: Account,
        /// The post that it is about, where the message carries it.
        post: Option<Box<Post>>,
        /// When.
        at: Option<Millis>,
    },
    /// A direct message; its text is not kept.
    DirectMessage {
        /// The message's id.
        id: String,
        /// Who wrote it.
        sender: Account,
        /// To whom.
        recipient: Account,
    },
    /// A site stream's address for changing it while it runs.
    Control {
        /// Path on the stream's host.
        uri: String,
    },
    /// An account vanished, or can be seen again (Bluesky, and X's compliance streams).
    AccountStatus {
        /// `x` or `bluesky`.
        network: String,
        /// Whose.
        account: Account,
        /// Whether it can be seen.
        active: bool,
        /// Why not (`deactivated`, `takendown`, …). X says `deleted`, `protected` or `suspended`, each by itself, so there
        /// it is also told for which of them it can be seen again.
        status: String,
        /// When the stream said so. The time that the account's own server gives is not taken: it could put it ahead of
        /// what others say later.
        at: Option<Millis>,
    },
    /// An account changed its handle or keys (Bluesky).
    Identity {
        /// Id and new handle.
        account: Account,
        /// When the stream said so.
        at: Option<Millis>,
    },
    /// An error that was sent in place of a post (X's API v2 and enterprise streams).
    Failure {
        /// A sentence for people.
        message: String,
    },
    /// A message in a page that can't be read; those beside it can.
    Unreadable(DecodeError),
    /// A message of a known network that is no post and needs nothing done (a Bluesky like, a user object).
    Other {
        /// What it is, in the network's word.
        kind: String,
    },
}

impl Event {
    /// The messages in envelopes and pages, one after the other, each with the user of its envelope; of any other message
    /// itself. Pages are taken apart where they are, since all of their messages may be many.
    ///
    /// ```
    /// use tweetfilter_stream::wire::decode;
    /// let event = decode(br#"{"for_user": 7, "message": [{"text": "one"}, {"text": "two"}]}"#)?;
    /// assert_eq!(event.messages().filter(|(user, _)| user.as_deref() == Some("7")).count(), 2);
    /// # Ok::<(), tweetfilter_stream::wire::DecodeError>(())
    /// ```
    pub fn messages(self) -> impl Iterator<Item = (Option<Arc<str>>, Self)> {
        let mut next = Some((None::<Arc<str>>, self));
        let mut pages: Vec<(Option<Arc<str>>, std::vec::IntoIter<Self>)> = Vec::new();
        std::iter::from_fn(move || {
            loop {
                let (viewer, event) = match next.take() {
                    Some(next) => next,
                    None => {
                        let (viewer, page) = pages.last_mut()?;
                        let Some(event) = page.next() else {
                            drop(pages.pop());
                            continue;
                        };
                        (viewer.clone(), event)
                    }
                };
                match event {
                    Self::ForUser { user, event } => next = Some((Some(user.into()), *event)),
                    Self::Several(events) => pages.push((viewer, events.into_iter())),
                    event => return Some((viewer, event)),
                }
            }
        })
    }

    /// All posts in it, new versions and those in envelopes and pages included, with the user of the envelope.
    ///
    /// ```
    /// use tweetfilter_stream::wire::decode;
    /// let event = decode(br#"{"id_str": "1", "text": "hi", "user": {"id": 3}}"#)?;
    /// let posts: Vec<_> = event.into_posts().collect();
    /// assert_eq!(posts[0].0, None);
    /// assert_eq!(posts[0].1.text, "hi");
    /// # Ok::<(), tweetfilter_stream::wire::DecodeError>(())
    /// ```
    pub fn into_posts(self) -> impl Iterator<Item = (Option<String>, Post)> {
        self.messages().filter_map(|(viewer, event)| match event {
            Self::Post(post) | Self::Edit(post) | Self::PostAnd { post, .. } => {
                Some((viewer.map(|user| user.to_string()), *post))
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Event;

    #[test]
    fn messages_come_in_order_each_with_the_user_of_its_envelope() {
        let said = |kind: &str| Event::Other { kind: kind.to_owned() };
        let for_user =
            |user: &str, event: Event| Event::ForUser { user: user.to_owned(), event: Box::new(event) };
        let inner = Event::Several(vec![said("b"), for_user("2", said("c")), said("d")]);
        let page =
            Event::Several(vec![said("a"), for_user("1", inner), Event::Several(Vec::new()), said("e")]);
        let found = |event: Event| -> Vec<(Option<String>, String)> {
            let kind = |event: Event| if let Event::Other { kind } = event { kind } else { String::new() };
            event.messages().map(|(user, event)| (user.map(|user| user.to_string()), kind(event))).collect()
        };
        let expected = |all: &[(Option<&str>, &str)]| -> Vec<(Option<String>, String)> {
            all.iter().map(|(user, kind)| (user.map(str::to_owned), (*kind).to_owned())).collect()
        };
        let one = Some("1");
        assert_eq!(
            found(page),
            expected(&[(None, "a"), (one, "b"), (Some("2"), "c"), (one, "d"), (None, "e")])
        );
        assert_eq!(found(said("x")), expected(&[(None, "x")]));
        assert_eq!(found(for_user("1", said("x"))), expected(&[(one, "x")]));
    }
}
