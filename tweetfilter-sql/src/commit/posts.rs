//! Posts, their deliveries and matches.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::value::RawValue;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::{Committed, Delivery, StoreError};

use super::CountBySource;
use super::prepare::{Key, Prepared, scrub, strip, up_to};
use crate::lists::{keys, numbers, text};
use crate::pack;
use crate::sql::{Sql, Tx, args, list, statements};

statements! {
    KNOWN = Sql::each(
        "SELECT p.network, p.native_id, p.num, p.version, p.is_public, p.audience, p.body IS NULL
         FROM json_each(?) k CROSS JOIN post p ON p.network = k.value ->> 0 AND p.native_id = k.value ->> 1",
        concat!(
            "SELECT p.network, p.native_id, p.num, p.version, p.is_public, p.audience, p.body IS NULL FROM ",
            keys!(),
            " STRAIGHT_JOIN post p ON p.network = k.network AND p.native_id = k.native_id"
        ),
    );
    TOMBSTONES = Sql::each(
        "SELECT t.network, t.native_id FROM json_each(?) k
         CROSS JOIN tombstone t ON t.network = k.value ->> 0 AND t.native_id = k.value ->> 1",
        concat!(
            "SELECT t.network, t.native_id FROM ",
            keys!(),
            " STRAIGHT_JOIN tombstone t ON t.network = k.network AND t.native_id = k.native_id"
        ),
    );
    WITHHELD = Sql::each(
        "SELECT w.network, w.native_id, w.countries FROM json_each(?) k
         CROSS JOIN withheld w ON w.network = k.value ->> 0 AND w.native_id = k.value ->> 1",
        concat!(
            "SELECT w.network, w.native_id, w.countries FROM ",
            keys!(),
            " STRAIGHT_JOIN withheld w ON w.network = k.network AND w.native_id = k.native_id"
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
    // Each body is a part of one blob, which nobody has to escape.
    POSTS = Sql::each(
        "INSERT INTO post (num, network, native_id, version, since, created_at, received_at, author_id,
             author_handle, source, is_public, audience, withheld, body)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
             value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12,
             CAST(substr(?1, value ->> 13, value ->> 14) AS TEXT)
         FROM json_each(?2) WHERE true
         ON CONFLICT (num) DO UPDATE SET version = excluded.version, since = excluded.since,
             created_at = excluded.created_at, author_id = excluded.author_id,
             author_handle = excluded.author_handle, is_public = excluded.is_public,
             audience = excluded.audience, withheld = excluded.withheld, body = excluded.body",
        concat!(
            "INSERT INTO post (num, network, native_id, version, since, created_at, received_at, author_id,
                author_handle, source, is_public, audience, withheld, body)
             SELECT r.num, r.network, r.native_id, r.version, r.since, r.created_at, r.received_at, r.author_id,
                r.author_handle, r.source, r.is_public, r.audience, r.withheld,
                CONVERT(SUBSTRING(?, r.start, r.size) USING utf8mb4)
             FROM JSON_TABLE(?, '$[*]' COLUMNS (num BIGINT PATH '$[0]', ",
            text!("network", "VARCHAR(190)", "$[1]"), ", ", text!("native_id", "VARCHAR(500)", "$[2]"),
            ", version BIGINT PATH '$[3]', since BIGINT PATH '$[4]', created_at BIGINT PATH '$[5]',
               received_at BIGINT PATH '$[6]', ",
            text!("author_id", "VARCHAR(500)", "$[7]"), ", ", text!("author_handle", "VARCHAR(500)", "$[8]"), ", ",
            text!("source", "VARCHAR(190)", "$[9]"), ", is_public INT PATH '$[10]', ",
            text!("audience", "LONGTEXT", "$[11]"), ", ", text!("withheld", "TEXT", "$[12]"),
            ", start BIGINT PATH '$[13]', size BIGINT PATH '$[14]')) r
             ON DUPLICATE KEY UPDATE version = VALUES(version), since = VALUES(since),
                created_at = VALUES(created_at), author_id = VALUES(author_id),
                author_handle = VALUES(author_handle), is_public = VALUES(is_public),
                audience = VALUES(audience), withheld = VALUES(withheld), body = VALUES(body)"
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
    PACKS = Sql::each(
        "INSERT INTO delivery_pack (commit_no, account, revision, items)
         SELECT ?, value ->> 0, ?, value ->> 1 FROM json_each(?)",
        concat!(
            "INSERT INTO delivery_pack (commit_no, account, revision, items) SELECT ?, j.account, ?, j.items
             FROM JSON_TABLE(?, '$[*]' COLUMNS (account BIGINT PATH '$[0]', ",
            text!("items", "LONGTEXT", "$[1]"), ")) j"
        ),
    );
    SPANS = Sql::each(
        "INSERT INTO delivery_span (account, span) SELECT value, ? FROM json_each(?) WHERE true
         ON CONFLICT DO NOTHING",
        "",
    );
    MATCHES = Sql::each(
        "INSERT INTO matches (account, filter, commit_no, post)
         SELECT value ->> 0, value ->> 1, ?, value ->> 2 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO matches (account, filter, commit_no, post) SELECT j.account, j.filter, ?, j.post
         FROM JSON_TABLE(?, '$[*]' COLUMNS (account BIGINT PATH '$[0]', filter BIGINT PATH '$[1]',
            post BIGINT PATH '$[2]')) j ON DUPLICATE KEY UPDATE post = VALUES(post)",
    );
    CARRIED = Sql::each(
        "INSERT INTO carried (network, native_id, author_id, post)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
         ON CONFLICT DO NOTHING",
        concat!(
            "INSERT INTO carried (network, native_id, author_id, post)
             SELECT j.* FROM JSON_TABLE(?, '$[*]' COLUMNS (",
            text!("network", "VARCHAR(190)", "$[0]"), ", ", text!("native_id", "VARCHAR(500)", "$[1]"), ", ",
            text!("author_id", "VARCHAR(500)", "$[2]"),
            ", post BIGINT PATH '$[3]')) j ON DUPLICATE KEY UPDATE post = carried.post"
        ),
    );
    PLACED = Sql::each(
        "INSERT INTO placed (network, author_id, native_id, post)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
         ON CONFLICT DO NOTHING",
        concat!(
            "INSERT INTO placed (network, author_id, native_id, post)
             SELECT j.* FROM JSON_TABLE(?, '$[*]' COLUMNS (",
            text!("network", "VARCHAR(190)", "$[0]"), ", ", text!("author_id", "VARCHAR(500)", "$[1]"), ", ",
            text!("native_id", "VARCHAR(500)", "$[2]"),
            ", post BIGINT PATH '$[3]')) j ON DUPLICATE KEY UPDATE post = placed.post"
        ),
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
    posts: Vec<Box<RawValue>>,
    bodies: Vec<u8>,
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
        for source in &evaluated.joined {
            counts.entry(source.clone()).or_default().repeated += 1;
        }
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
                if audience.len() > known.audience.len() || public != known.public {
                    rows.audiences.push((known.num, pack::accounts(&audience), i64::from(public)));
                }
                continue;
            }
            Some(known) => {
                rows.replaced.push(known.num);
                (known.num, &[])
            }
            None => (*last + 1, &[]),
        };
        let Some(body) = said.body(post)? else {
            committed.suppressed += 1;
            count.suppressed += 1;
            continue;
        };
        if known.is_none() {
            *last = num;
            committed.new += 1;
            count.stored += 1;
        }
        let audience = rows.deliver(post, num, before, false, committed);
        rows.add(post, num, committed.number, &body, &audience, said.countries(post))?;
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
    let own: Vec<_> = posts.iter().map(|post| &post.key).collect();
    let mut known = HashMap::new();
    for row in tx.rows(KNOWN, args![list(&own)?]).await? {
        let of = Known {
            num: row.int(2)?,
            version: row.int(3)?,
            public: row.int(4)? != 0,
            audience: row.json(5)?,
            gone: row.int(6)? != 0,
        };
        known.insert((row.text(0)?, row.text(1)?), of);
    }
    let mut keys: Vec<_> = posts.iter().flat_map(|post| post.carried.iter().map(|(key, _)| key)).collect();
    keys.extend(own);
    let unnamed: Vec<_> = keys
        .iter()
        .filter(|(network, _)| !tells(network))
        .map(|(_, id)| (String::new(), id.clone()))
        .collect();
    keys.extend(&unnamed);
    let keys = list(&keys)?;
    let mut deleted = HashSet::new();
    for row in tx.rows(TOMBSTONES, args![keys.clone()]).await? {
        deleted.insert((row.text(0)?, row.text(1)?));
    }
    let mut withheld = HashMap::new();
    for row in tx.rows(WITHHELD, args![keys]).await? {
        withheld.insert((row.text(0)?, row.text(1)?), row.text(2)?);
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
    fn body<'p>(&self, post: &'p Prepared<'_>) -> Result<Option<std::borrow::Cow<'p, [u8]>>, StoreError> {
        let stripped = post.carried.iter().any(|((network, id), _)| self.is_deleted(network, id));
        let scrubbed = post.placed.iter().any(|(network, author, id)| self.is_scrubbed(network, author, id));
        if !stripped && !scrubbed {
            return Ok(Some(post.body.as_slice().into()));
        }
        let mut changed = post.evaluated.post.clone();
        if !strip(&mut changed, &post.key.0, &|network, id| self.is_deleted(network, id)) {
            return Ok(None);
        }
        scrub(&mut changed, &post.key, &|network, author, id| self.is_scrubbed(network, author, id));
        Ok(Some(post.with_post(&changed)?.into()))
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
            // What everybody sees was tried on all filters when it came first.
            if (was_public && !seen) || audience.contains(account) {
                continue;
            }
            audience.push(*account);
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
        body: &[u8],
        audience: &[i64],
        withheld: Option<&str>,
    ) -> Result<(), StoreError> {
        let (evaluated, (network, id)) = (post.evaluated, &post.key);
        let author = &evaluated.post.author.account;
        let (public, start) = (i64::from(evaluated.public), self.bodies.len() + 1);
        let row = (
            num,
            network,
            id,
            evaluated.version,
            commit,
            evaluated.post.created_at,
            evaluated.at,
            &author.id,
            &author.handle,
            &evaluated.source,
            public,
            pack::accounts(audience),
            withheld,
            start,
            body.len(),
        );
        let row = serde_json::value::to_raw_value(&row);
        let row = row.map_err(|error| StoreError::Refused(error.to_string()))?;
        self.posts.push(row);
        self.bodies.extend_from_slice(body);
        Ok(())
    }

    async fn write(mut self, tx: &mut Tx, committed: &Committed, revision: u64) -> Result<(), StoreError> {
        let number = committed.number;
        if !self.replaced.is_empty() {
            forget(tx, &self.replaced).await?;
        }
        if !self.posts.is_empty() {
            tx.run(POSTS, args![self.bodies, list(&self.posts)?]).await?;
        }
        if !self.audiences.is_empty() {
            tx.run(AUDIENCES, args![list(&self.audiences)?]).await?;
        }
        if !self.packs.is_empty() {
            let accounts: Vec<_> = self.packs.keys().copied().collect();
            let packs: Vec<_> = self.packs.into_iter().map(|(of, items)| (of, items.finish())).collect();
            tx.run(PACKS, args![number, revision.cast_signed(), list(&packs)?]).await?;
            if tx.is_sqlite() {
                tx.run(SPANS, args![number / pack::SPAN, list(&accounts)?]).await?;
            }
        }
        self.matches.sort_unstable();
        if !self.matches.is_empty() {
            tx.run(MATCHES, args![number, list(&self.matches)?]).await?;
        }
        self.carried.sort_unstable();
        if !self.carried.is_empty() {
            tx.run(CARRIED, args![list(&self.carried)?]).await?;
        }
        self.placed.sort_unstable();
        if !self.placed.is_empty() {
            tx.run(PLACED, args![list(&self.placed)?]).await?;
        }
        Ok(())
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
