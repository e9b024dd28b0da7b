//! What was said of posts before they came, or with them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tweetfilter_core::Post;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use super::prepare::{Key, Prepared, scrub, strip, up_to};
use super::withheld;
use crate::lists::{ids, keys};
use crate::sql::{Arg, Sql, Tx, args, list, statements};

statements! {
    // Of the second parameter, a network. What a later copy of the same version is compared with is read of those alone
    // that have versions.
    KNOWN = Sql::each(
        "SELECT p.network, p.native_id, p.num, p.version, p.is_public, p.audience, p.body IS NULL, p.since, p.version_at,
             CASE WHEN p.version > 0 THEN p.body END
         FROM json_each(?1) k CROSS JOIN post p ON p.network = ?2 AND p.native_id = k.value",
        concat!(
            "SELECT p.network, p.native_id, p.num, p.version, p.is_public, p.audience, p.body IS NULL, p.since,
                 p.version_at, CASE WHEN p.version > 0 THEN p.body END FROM ",
            ids!(),
            " STRAIGHT_JOIN post p ON p.network = ? AND p.native_id = k.id"
        ),
    );
    TOMBSTONES = Sql::each(
        "SELECT t.network, t.native_id FROM json_each(?1) k
         CROSS JOIN tombstone t ON t.network = ?2 AND t.native_id = k.value",
        concat!(
            "SELECT t.network, t.native_id FROM ",
            ids!(),
            " STRAIGHT_JOIN tombstone t ON t.network = ? AND t.native_id = k.id"
        ),
    );
    WITHHELD = Sql::each(
        "SELECT w.network, w.native_id, w.countries FROM json_each(?1) k
         CROSS JOIN withheld w ON w.network = ?2 AND w.native_id = k.value",
        concat!(
            "SELECT w.network, w.native_id, w.countries FROM ",
            ids!(),
            " STRAIGHT_JOIN withheld w ON w.network = ? AND w.native_id = k.id"
        ),
    );
    SCRUBBED = Sql::each(
        "SELECT a.network, a.author_id, a.scrub_up_to FROM json_each(?) k
         CROSS JOIN author a ON a.network = k.value ->> 0 AND a.author_id = k.value ->> 1
         WHERE a.scrub_up_to IS NOT NULL",
        concat!(
            "SELECT a.network, a.author_id, a.scrub_up_to FROM ",
            keys!(),
            " STRAIGHT_JOIN author a ON a.network = k.network AND a.author_id = k.native_id
             WHERE a.scrub_up_to IS NOT NULL"
        ),
    );
}

/// A post that is stored already.
pub(super) struct Known {
    pub(super) num: i64,
    pub(super) version: Millis,
    pub(super) public: bool,
    pub(super) audience: Vec<i64>,
    pub(super) gone: bool,
    /// The commit that stored this version.
    pub(super) since: i64,
    /// When the content of this version was received.
    pub(super) version_at: Millis,
    /// What is stored, of a version that is not the first.
    pub(super) body: Option<String>,
}

/// What was said of the posts of a batch, before or with it.
pub(super) struct Said {
    pub(super) known: HashMap<Key, Known>,
    pub(super) deleted: Deleted,
    withheld: HashMap<Key, String>,
    pub(super) scrubbed: Scrubbed,
}

/// What may be stored of a post.
enum Left {
    Whole,
    Part(Box<Post>),
    Nothing,
}

/// Which of some posts were deleted.
#[derive(Default)]
pub(super) struct Deleted(HashSet<Key>);

/// Up to which post authors had their places forgotten.
#[derive(Default)]
pub(super) struct Scrubbed(HashMap<Key, String>);

/// Whether deletes on this network name it.
pub(super) fn tells(network: &str) -> bool {
    matches!(network, "x" | "bluesky" | "")
}

impl Deleted {
    /// Looks some posts up.
    pub(super) async fn of(tx: &mut Tx, posts: &[&Key]) -> Result<Self, StoreError> {
        let unnamed: Vec<Key> = posts
            .iter()
            .filter(|(network, _)| !tells(network))
            .map(|(_, id)| (String::new(), id.clone()))
            .collect();
        let mut deleted = HashSet::new();
        for (network, ids) in by_network(posts.iter().copied().chain(&unnamed))? {
            for row in tx.rows(TOMBSTONES, args![ids, network]).await? {
                deleted.insert((row.text(0)?, row.text(1)?));
            }
        }
        Ok(Self(deleted))
    }

    pub(super) fn has(&self, network: &str, id: &str) -> bool {
        let has = |network: &str| self.0.contains(&(network.to_owned(), id.to_owned()));
        !self.0.is_empty() && (has(network) || (!tells(network) && has("")))
    }
}

impl FromIterator<Key> for Deleted {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

impl Scrubbed {
    /// Looks some authors up, each by network and id.
    pub(super) async fn of(
        tx: &mut Tx,
        authors: impl Iterator<Item = (&str, &str)>,
    ) -> Result<Self, StoreError> {
        let authors: Vec<_> = authors.collect::<BTreeSet<_>>().into_iter().collect();
        let mut scrubbed = HashMap::new();
        if !authors.is_empty() {
            for row in tx.rows(SCRUBBED, args![list(&authors)?]).await? {
                scrubbed.insert((row.text(0)?, row.text(1)?), row.text(2)?);
            }
        }
        Ok(Self(scrubbed))
    }

    /// One author.
    pub(super) fn one(network: &str, author: &str, last: &str) -> Self {
        Self([((network.to_owned(), author.to_owned()), last.to_owned())].into())
    }

    pub(super) fn has(&self, network: &str, author: &str, id: &str) -> bool {
        let last = || self.0.get(&(network.to_owned(), author.to_owned()));
        !self.0.is_empty() && last().is_some_and(|last| up_to(id, last))
    }
}

impl Said {
    /// Looks up all that posts are checked against.
    pub(super) async fn of(tx: &mut Tx, posts: &[Prepared<'_>]) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        for (network, ids) in by_network(posts.iter().map(|post| &post.key))? {
            for row in tx.rows(KNOWN, args![ids, network]).await? {
                let of = Known {
                    num: row.int(2)?,
                    version: row.int(3)?,
                    public: row.int(4)? != 0,
                    audience: row.json(5)?,
                    gone: row.int(6)? != 0,
                    since: row.int(7)?,
                    version_at: row.int(8)?,
                    body: row.maybe_text(9)?,
                };
                known.insert((row.text(0)?, row.text(1)?), of);
            }
        }
        let carried = posts.iter().flat_map(|post| post.carried.iter().map(|(key, _)| key));
        let keys: Vec<&Key> = posts.iter().map(|post| &post.key).chain(carried).collect();
        let deleted = Deleted::of(tx, &keys).await?;
        let mut withheld = HashMap::new();
        for (network, ids) in by_network(keys.into_iter())? {
            for row in tx.rows(WITHHELD, args![ids, network]).await? {
                withheld.insert((row.text(0)?, row.text(1)?), row.text(2)?);
            }
        }
        let placed = posts.iter().flat_map(|post| &post.placed);
        let authors = placed.map(|(network, author, _)| (network.as_str(), author.as_str()));
        let scrubbed = Scrubbed::of(tx, authors).await?;
        Ok(Self { known, deleted, withheld, scrubbed })
    }

    /// What may be stored of a post; `None` if it is a retweet of a deleted one.
    pub(super) fn body(&self, post: &Prepared<'_>) -> Result<Option<String>, StoreError> {
        match self.left(post) {
            Left::Whole => Ok(Some(post.body.clone())),
            Left::Part(changed) => Ok(Some(post.with_post(&changed)?)),
            Left::Nothing => Ok(None),
        }
    }

    fn left(&self, post: &Prepared<'_>) -> Left {
        let is_deleted = |network: &str, id: &str| self.deleted.has(network, id);
        let is_scrubbed = |network: &str, author: &str, id: &str| self.scrubbed.has(network, author, id);
        let stripped = post.carried.iter().any(|((network, id), _)| is_deleted(network, id));
        if !stripped && !self.is_scrubbed(post) {
            return Left::Whole;
        }
        let mut changed = post.evaluated.post.clone();
        if !strip(&mut changed, &post.key.0, &is_deleted) {
            return Left::Nothing;
        }
        scrub(&mut changed, &post.key, &is_scrubbed);
        Left::Part(Box::new(changed))
    }

    /// Whether a post, or one that it carries, comes with a place that was to be forgotten.
    fn is_scrubbed(&self, post: &Prepared<'_>) -> bool {
        post.placed.iter().any(|(network, author, id)| self.scrubbed.has(network, author, id))
    }

    /// What is left of a post that comes with a place which was to be forgotten: filters are to be tried on that. What has
    /// no id can't be told of, and is none of those that a scrub names.
    pub(super) fn without_places(&self, post: &Prepared<'_>) -> Option<Post> {
        if post.evaluated.post.id.is_empty() || !self.is_scrubbed(post) {
            return None;
        }
        match self.left(post) {
            Left::Part(left) => Some(*left),
            Left::Whole | Left::Nothing => None,
        }
    }

    /// What takes the place of the content that is stored of the same version. Not every update of a post is a new
    /// version of it (a quote was approved, a poll ended): what was received last holds, in whatever order it comes.
    pub(super) fn later(&self, post: &Prepared<'_>, known: &Known) -> Result<Option<String>, StoreError> {
        if known.version == 0 || post.evaluated.at <= known.version_at {
            return Ok(None);
        }
        Ok(self.body(post)?.filter(|body| Some(body) != known.body.as_ref()))
    }

    /// Where a post, or one that it carries, is withheld.
    pub(super) fn countries(&self, post: &Prepared<'_>) -> Result<Option<String>, StoreError> {
        let carried = post.carried.iter().map(|(key, _)| key).filter(|key| !self.deleted.has(&key.0, &key.1));
        let keys = std::iter::once(&post.key).chain(carried);
        withheld::together(keys.filter_map(|key| self.withheld.get(key)).map(String::as_str))
    }
}

/// Ids as a list for each network.
fn by_network<'k>(keys: impl Iterator<Item = &'k Key>) -> Result<Vec<(&'k str, Arg)>, StoreError> {
    let mut networks: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (network, id) in keys {
        networks.entry(network).or_default().push(id);
    }
    networks.into_iter().map(|(network, ids)| Ok((network, list(&ids)?))).collect()
}
