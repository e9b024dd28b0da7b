//! Who people are whom posts give by an id alone: Bluesky's stream says no more, and what was looked up stands in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use tweetfilter_core::post::{Account, Author};
use tweetfilter_sql::{Database, Profile, TimelinePost};
use tweetfilter_stream::source::net::lookup::NETWORK;
use tweetfilter_stream::store::StoreError;

/// Whom some posts give by id alone, by network and id, and what is known of them.
#[derive(Clone, Debug, Default)]
pub struct People(BTreeMap<(String, String), Option<Profile>>);

/// Whom posts, and what they carry, give by id alone.
pub fn unnamed<'p>(posts: impl IntoIterator<Item = &'p TimelinePost>) -> BTreeSet<(String, String)> {
    let mut people = BTreeSet::new();
    for seen in posts.into_iter().filter(|seen| seen.network == NETWORK) {
        let mut open = vec![&seen.post];
        while let Some(post) = open.pop() {
            people.extend(person(&post.author.account));
            people.extend(post.reply_to.as_ref().and_then(|reply| person(&reply.account)));
            let carried = [&post.retweet_of, &post.quote_of].into_iter().flatten();
            open.extend(carried.filter_map(|reference| reference.post.as_ref()));
        }
    }
    people
}

/// Who sent posts that give them by id alone: they are the ones whom the server looks up.
pub fn unnamed_authors<'p>(posts: impl IntoIterator<Item = &'p TimelinePost>) -> BTreeSet<(String, String)> {
    let posts = posts.into_iter().filter(|seen| seen.network == NETWORK);
    posts.filter_map(|seen| person(&seen.post.author.account)).collect()
}

/// Somebody of the network who is known by id alone.
fn person(account: &Account) -> Option<(String, String)> {
    let is_unnamed = account.handle.is_empty() && !account.id.is_empty();
    is_unnamed.then(|| (NETWORK.to_owned(), account.id.clone()))
}

impl People {
    /// Looks them up, all at once; where there are none, nothing is asked.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn of(database: &Database, wanted: BTreeSet<(String, String)>) -> Result<Self, StoreError> {
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        let mut found = database.profiles(&wanted).await?;
        let known = |person: (String, String)| {
            let profile = found.remove(&person);
            (person, profile)
        };
        Ok(Self(wanted.into_iter().map(known).collect()))
    }

    /// Handle and display name of an author: what the post says itself, or else what was looked up.
    #[must_use]
    pub fn called<'a>(&'a self, network: &str, author: &'a Author) -> (Option<&'a str>, Option<&'a str>) {
        let (handle, name) = self.known(network, &author.account);
        (handle, author.name.as_deref().or(name))
    }

    /// The same of an account, whose name posts do not say.
    #[must_use]
    pub fn known<'a>(&'a self, network: &str, account: &'a Account) -> (Option<&'a str>, Option<&'a str>) {
        if !account.handle.is_empty() {
            return (Some(&account.handle), None);
        }
        let profile = match self.0.is_empty() {
            true => None,
            false => self.0.get(&(network.to_owned(), account.id.clone())).and_then(Option::as_ref),
        };
        let handle = profile.and_then(|profile| profile.handle.as_deref());
        (handle, profile.and_then(|profile| profile.name.as_deref()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of whom something is known, by network and id.
    pub fn found(&self) -> impl Iterator<Item = (&(String, String), &Profile)> {
        self.0.iter().filter_map(|(person, profile)| Some((person, profile.as_ref()?)))
    }

    /// Whether something is known of one of them.
    #[must_use]
    pub fn knows(&self, person: &(String, String)) -> bool {
        self.0.get(person).is_some_and(Option::is_some)
    }

    /// A number that is another as soon as one of them is called otherwise.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (person, profile) in &self.0 {
            let called = profile.as_ref().map(|profile| (&profile.handle, &profile.name));
            (person, called).hash(&mut hasher);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use tweetfilter_core::Post;
    use tweetfilter_core::post::{Reference, ReplyTo};
    use tweetfilter_sql::Cursor;

    use super::*;

    fn post(id: &str, handle: &str) -> Post {
        let mut post = Post::from_text("Snow");
        post.author.account = Account { id: id.into(), handle: handle.into() };
        post
    }

    fn of(network: &str, post: Post) -> TimelinePost {
        TimelinePost {
            cursor: Cursor { commit: 1, post: 1 },
            account: 1,
            network: network.into(),
            native_id: "1".into(),
            version: 0,
            received_at: 0,
            source: "s".into(),
            public: false,
            verdict: Default::default(),
            filters: Vec::new(),
            revision: 0,
            post,
        }
    }

    #[test]
    fn people_of_what_a_post_carries_are_looked_up_too_and_those_elsewhere_are_not() {
        let mut carries = post("did:plc:a", "");
        carries.reply_to = Some(ReplyTo {
            id: "at://1".into(),
            account: Account { id: "did:plc:b".into(), handle: String::new() },
        });
        let quoted = Reference { post: Some(post("did:plc:c", "")), ..Reference::default() };
        carries.quote_of = Some(Box::new(quoted));
        let named = post("did:plc:d", "dora.example");
        let posts = [of(NETWORK, carries), of(NETWORK, named), of("x", post("7", ""))];
        let ids = |people: BTreeSet<(String, String)>| -> Vec<String> {
            people.into_iter().map(|person| person.1).collect()
        };
        assert_eq!(ids(unnamed(&posts)), ["did:plc:a", "did:plc:b", "did:plc:c"]);
        assert_eq!(ids(unnamed_authors(&posts)), ["did:plc:a"]);
    }
}
