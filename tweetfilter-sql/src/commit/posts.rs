//! Posts, their deliveries and matches.

use std::collections::{BTreeMap, HashMap, HashSet};

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::{Committed, Delivery, StoreError};

use super::CountBySource;
use super::prepare::{Key, Prepared, scrub, strip, up_to};
use crate::lists::{ids, keys, numbers, text};
use crate::pack;
use crate::sql::{Arg, Many, Sql, Tx, args, list, many, row, statements};
use crate::withdrawn::{self, Fate};

statements! {
    // Of the second parameter, a network.
    KNOWN = Sql::each(
        "SELECT p.network, p.native_id, p.num, p.version, p.is_public, p.audience, p.body IS NULL
         FROM json_each(?1) k CROSS JOIN post p ON p.network = ?2 AND p.native_id = k.value",
        concat!(
            "SELECT p.network, p.native_id, p.num, p.version, p.is_public, p.audience, p.body IS NULL FROM ",
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
    AUDIENCES = Sql::each(
        "UPDATE post SET audience = j.value ->> 1, is_public = j.value ->> 2 FROM json_each(?) j
         WHERE num = j.value ->> 0",
        concat!(
            "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (num BIGINT PATH '$[0]', ",
            text!("audience", "LONGTEXT", "$[1]"),
            ", is_public INT PATH '$[2]')) j STRAIGHT_JOIN post p ON p.num = j.num
             SET p.audience = j.audience, p.is_public = j.is_public"
        ),
    );
    SPANS = Sql::each(
        "INSERT INTO delivery_span (account, span) SELECT value, ? FROM json_each(?) WHERE true
         ON CONFLICT DO NOTHING",
        "",
    );
    FORGET_MATCHES = Sql::each(
        "DELETE FROM matches WHERE post IN (SELECT value FROM json_each(?))",
        concat!("DELETE m FROM ", numbers!(), " STRAIGHT_JOIN matches m ON m.post = j.n"),
    );
    FORGET_CARRIED = Sql::each(
        "DELETE FROM carried WHERE post IN (SELECT value FROM json_each(?))",
        concat!("DELETE c FROM ", numbers!(), " STRAIGHT_JOIN carried c ON c.post = j.n"),
    );
    FORGET_PLACED = Sql::each(
        "DELETE FROM placed WHERE post IN (SELECT value FROM json_each(?))",
        concat!("DELETE p FROM ", numbers!(), " STRAIGHT_JOIN placed p ON p.post = j.n"),
    );
}

/// Inserts of many rows.
pub(crate) const MANY: &[Many] = &[POSTS, PACKS, MATCHES, CARRIED, PLACED];

const POSTS: Many = many!(
    "INSERT INTO post (num, network, native_id, version, since, created_at, received_at, author_id, author_handle,
         source, is_public, audience, withheld, body) VALUES",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "ON CONFLICT (num) DO UPDATE SET version = excluded.version, since = excluded.since,
         created_at = excluded.created_at, author_id = excluded.author_id, author_handle = excluded.author_handle,
         is_public = excluded.is_public, audience = excluded.audience, withheld = excluded.withheld,
         body = excluded.body",
    "ON DUPLICATE KEY UPDATE version = VALUES(version), since = VALUES(since), created_at = VALUES(created_at),
         author_id = VALUES(author_id), author_handle = VALUES(author_handle), is_public = VALUES(is_public),
         audience = VALUES(audience), withheld = VALUES(withheld), body = VALUES(body)"
);
const PACKS: Many =
    many!("INSERT INTO delivery_pack (commit_no, account, revision, items) VALUES", "(?,?,?,?)", "", "");
const MATCHES: Many = many!(
    "INSERT INTO matches (account, filter, commit_no, post) VALUES",
    "(?,?,?,?)",
    "ON CONFLICT DO NOTHING",
    "ON DUPLICATE KEY UPDATE post = VALUES(post)"
);
const CARRIED: Many = many!(
    "INSERT INTO carried (network, native_id, author_id, post) VALUES",
    "(?,?,?,?)",
    "ON CONFLICT DO NOTHING",
    "ON DUPLICATE KEY UPDATE post = VALUES(post)"
);
const PLACED: Many = many!(
    "INSERT INTO placed (network, author_id, native_id, post) VALUES",
    "(?,?,?,?)",
    "ON CONFLICT DO NOTHING",
    "ON DUPLICATE KEY UPDATE post = VALUES(post)"
);

/// A post that is stored already.
struct Known {
    num: i64,
    version: Millis,
    public: bool,
    audience: Vec<i64>,
    gone: bool,
}

/// What was said of the posts of a batch, before or with it.
struct Said {
    known: HashMap<Key, Known>,
    deleted: HashSet<Key>,
    withheld: HashMap<Key, String>,
    scrubbed: HashMap<Key, String>,
}

/// The rows of a commit.
#[derive(Default)]
struct Rows {
    posts: Vec<[Arg; 14]>,
    replaced: Vec<i64>,
    audiences: Vec<(i64, String, i64)>,
    packs: BTreeMap<i64, pack::Writer>,
    matches: Vec<(i64, i64, i64)>,
    carried: Vec<(String, String, String, i64)>,
    placed: Vec<(String, String, String, i64)>,
}

/// Stores posts, and gives those who had not seen them a delivery.
pub(super) async fn store(
    tx: &mut Tx,
    posts: &[Prepared<'_>],
    revision: u64,
    last: &mut i64,
    committed: &mut Committed,
    counts: &mut CountBySource,
) -> Result<(), StoreError> {
    if posts.is_empty() {
        return Ok(());
    }
    let said = said(tx, posts).await?;
    let mut rows = Rows::default();
    let mut seen = HashSet::new();
    for post in posts {
        let evaluated = post.evaluated;
        let count = counts.entry(evaluated.source.clone()).or_default();
        count.strangers += i64::from(evaluated.strangers);
        let known = said.known.get(&post.key);
        if said.is_deleted(&post.key.0, &post.key.1) || known.is_some_and(|known| known.gone) {
            committed.suppressed += 1;
            count.suppressed += 1;
            continue;
        }
        if !seen.insert(&post.key) {
            count.repeated += 1;
            continue;
        }
        let (num, before): (i64, &[i64]) = match known {
            Some(known) if known.version > evaluated.version => {
                count.stale += 1;
                continue;
            }
            Some(known) if known.version == evaluated.version => {
                count.repeated += 1;
                let public = known.public || evaluated.public;
                let audience = rows.deliver(post, known.num, &known.audience, known.public, committed);
                if audience != known.audience || public != known.public {
                    rows.audiences.push((known.num, pack::accounts(&audience), i64::from(public)));
                }
                continue;
            }
            Some(known) => (known.num, &[]),
            None => (*last + 1, &[]),
        };
        let Some(body) = said.body(post)? else {
            committed.suppressed += 1;
            count.suppressed += 1;
            continue;
        };
        if known.is_some() {
            rows.replaced.push(num);
            // The one before it, which was counted as stored.
            count.stale += 1;
        } else {
            *last = num;
            committed.new += 1;
            count.stored += 1;
        }
        let audience = rows.deliver(post, num, before, false, committed);
        rows.add(post, num, committed.number, body, &audience, said.countries(post));
        for ((network, id), author) in &post.carried {
            if !said.is_deleted(network, id) {
                rows.carried.push((network.clone(), id.clone(), author.clone(), num));
            }
        }
        for (network, author, id) in &post.placed {
            if !said.is_scrubbed(network, author, id) {
                rows.placed.push((network.clone(), author.clone(), id.clone(), num));
            }
        }
    }
    rows.write(tx, committed, revision).await
}

async fn said(tx: &mut Tx, posts: &[Prepared<'_>]) -> Result<Said, StoreError> {
    let mut known = HashMap::new();
    for (network, ids) in by_network(posts.iter().map(|post| &post.key))? {
        for row in tx.rows(KNOWN, args![ids, network]).await? {
            let of = Known {
                num: row.int(2)?,
                version: row.int(3)?,
                public: row.int(4)? != 0,
                audience: row.json(5)?,
                gone: row.int(6)? != 0,
            };
            known.insert((row.text(0)?, row.text(1)?), of);
        }
    }
    let carried = posts.iter().flat_map(|post| post.carried.iter().map(|(key, _)| key));
    let keys: Vec<&Key> = posts.iter().map(|post| &post.key).chain(carried).collect();
    let unnamed: Vec<Key> = keys
        .iter()
        .filter(|(network, _)| !tells(network))
        .map(|(_, id)| (String::new(), id.clone()))
        .collect();
    let (mut deleted, mut withheld) = (HashSet::new(), HashMap::new());
    for (network, ids) in by_network(keys.into_iter().chain(&unnamed))? {
        for row in tx.rows(TOMBSTONES, args![ids.clone(), network]).await? {
            deleted.insert((row.text(0)?, row.text(1)?));
        }
        for row in tx.rows(WITHHELD, args![ids, network]).await? {
            withheld.insert((row.text(0)?, row.text(1)?), row.text(2)?);
        }
    }
    let authors: HashSet<_> =
        posts.iter().flat_map(|post| &post.placed).map(|(network, author, _)| (network, author)).collect();
    let mut scrubbed = HashMap::new();
    if !authors.is_empty() {
        let authors: Vec<_> = authors.into_iter().collect();
        for row in tx.rows(SCRUBBED, args![list(&authors)?]).await? {
            scrubbed.insert((row.text(0)?, row.text(1)?), row.text(2)?);
        }
    }
    Ok(Said { known, deleted, withheld, scrubbed })
}

/// Ids as a list for each network.
fn by_network<'k>(keys: impl Iterator<Item = &'k Key>) -> Result<Vec<(&'k str, Arg)>, StoreError> {
    let mut networks: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (network, id) in keys {
        networks.entry(network).or_default().push(id);
    }
    networks.into_iter().map(|(network, ids)| Ok((network, list(&ids)?))).collect()
}

/// Whether deletes on this network name it.
pub(super) fn tells(network: &str) -> bool {
    matches!(network, "x" | "bluesky" | "")
}

impl Said {
    fn is_deleted(&self, network: &str, id: &str) -> bool {
        let has = |network: &str| self.deleted.contains(&(network.to_owned(), id.to_owned()));
        !self.deleted.is_empty() && (has(network) || (!tells(network) && has("")))
    }

    fn is_scrubbed(&self, network: &str, author: &str, id: &str) -> bool {
        let last = self.scrubbed.get(&(network.to_owned(), author.to_owned()));
        last.is_some_and(|last| up_to(id, last))
    }

    /// What may be stored of a post; `None` if it is a retweet of a deleted one.
    fn body(&self, post: &Prepared<'_>) -> Result<Option<String>, StoreError> {
        let stripped = post.carried.iter().any(|((network, id), _)| self.is_deleted(network, id));
        let scrubbed = post.placed.iter().any(|(network, author, id)| self.is_scrubbed(network, author, id));
        if !stripped && !scrubbed {
            return Ok(Some(post.body.clone()));
        }
        let mut changed = post.evaluated.post.clone();
        if !strip(&mut changed, &post.key.0, &|network, id| self.is_deleted(network, id)) {
            return Ok(None);
        }
        scrub(&mut changed, &post.key, &|network, author, id| self.is_scrubbed(network, author, id));
        Ok(Some(post.with_post(&changed)?))
    }

    /// Where a post, or one that it carries, is withheld.
    fn countries(&self, post: &Prepared<'_>) -> Option<&str> {
        let keys = std::iter::once(&post.key).chain(post.carried.iter().map(|(key, _)| key));
        keys.filter_map(|key| self.withheld.get(key)).map(String::as_str).next()
    }
}

impl Rows {
    /// Gives a delivery to those who have none; returns who has one now.
    fn deliver(
        &mut self,
        post: &Prepared<'_>,
        num: i64,
        before: &[i64],
        was_public: bool,
        committed: &mut Committed,
    ) -> Vec<i64> {
        let mut audience = before.to_vec();
        for Delivery { account, verdict, filters, seen } in &post.evaluated.deliveries {
            // Who has it only since a filter of theirs matched what everybody sees stands there with a minus.
            if let Some(known) = audience.iter_mut().find(|known| known.abs() == *account) {
                if *seen {
                    *known = *account;
                }
                continue;
            }
            // What everybody sees was tried on all filters when it came first.
            if was_public && !seen {
                continue;
            }
            audience.push(if *seen { *account } else { -*account });
            committed.deliveries += 1;
            committed.matches += u32::try_from(filters.len()).unwrap_or(u32::MAX);
            self.packs.entry(*account).or_default().add(num, *verdict, filters);
            self.matches.extend(filters.iter().map(|&filter| (*account, filter, num)));
        }
        audience
    }

    fn add(
        &mut self,
        post: &Prepared<'_>,
        num: i64,
        commit: i64,
        body: String,
        audience: &[i64],
        withheld: Option<&str>,
    ) {
        let (evaluated, (network, id)) = (post.evaluated, &post.key);
        let author = &evaluated.post.author.account;
        let public = evaluated.public;
        self.posts.push(row![
            num,
            network.as_str(),
            id.as_str(),
            evaluated.version,
            commit,
            evaluated.post.created_at,
            evaluated.at,
            author.id.as_str(),
            author.handle.as_str(),
            evaluated.source.as_str(),
            public,
            pack::accounts(audience),
            withheld,
            body,
        ]);
    }

    async fn write(mut self, tx: &mut Tx, committed: &Committed, revision: u64) -> Result<(), StoreError> {
        let number = committed.number;
        if !self.replaced.is_empty() {
            withdrawn::note(tx, number, &self.replaced, Fate::Removed).await?;
            forget(tx, &self.replaced).await?;
        }
        if !self.posts.is_empty() {
            tx.run_many(&POSTS, self.posts).await?;
        }
        if !self.audiences.is_empty() {
            tx.run(AUDIENCES, args![list(&self.audiences)?]).await?;
        }
        if !self.packs.is_empty() {
            let accounts: Vec<_> = self.packs.keys().copied().collect();
            let revision = revision.cast_signed();
            let packs = self.packs.into_iter().map(|(of, items)| row![number, of, revision, items.finish()]);
            tx.run_many(&PACKS, packs.collect()).await?;
            if tx.is_sqlite() {
                tx.run(SPANS, args![number / pack::SPAN, list(&accounts)?]).await?;
            }
        }
        self.matches.sort_unstable();
        let matches =
            self.matches.into_iter().map(|(account, filter, post)| row![account, filter, number, post]);
        tx.run_many(&MATCHES, matches.collect()).await?;
        let texts = |(a, b, c, post): (String, String, String, i64)| row![a, b, c, post];
        self.carried.sort_unstable();
        tx.run_many(&CARRIED, self.carried.into_iter().map(texts).collect()).await?;
        self.placed.sort_unstable();
        tx.run_many(&PLACED, self.placed.into_iter().map(texts).collect()).await
    }
}

/// Removes what is known of posts beside their rows.
pub(crate) async fn forget(tx: &mut Tx, posts: &[i64]) -> Result<(), StoreError> {
    let posts = list(posts)?;
    tx.run(FORGET_MATCHES, args![posts.clone()]).await?;
    tx.run(FORGET_CARRIED, args![posts.clone()]).await?;
    tx.run(FORGET_PLACED, args![posts]).await?;
    Ok(())
}
