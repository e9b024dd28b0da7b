//! Posts, their deliveries and matches.

use std::collections::{BTreeMap, HashSet};

use tweetfilter_stream::store::{Committed, Delivery, StoreError};

use super::CountBySource;
use super::prepare::Prepared;
use super::said::{Known, Said};
use super::versions;
use crate::lists::{numbers, text};
use crate::pack;
use crate::sql::{Arg, Many, Sql, Tx, args, list, many, row, statements};
use crate::withdrawn::{self, Fate};

statements! {
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
         source, is_public, audience, withheld, body, version_at) VALUES",
    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "ON CONFLICT (num) DO UPDATE SET version = excluded.version, since = excluded.since,
         version_at = excluded.version_at, created_at = excluded.created_at, author_id = excluded.author_id, author_handle = excluded.author_handle,
         is_public = excluded.is_public, audience = excluded.audience, withheld = excluded.withheld,
         body = excluded.body",
    "ON DUPLICATE KEY UPDATE version = VALUES(version), since = VALUES(since),
         version_at = VALUES(version_at), created_at = VALUES(created_at), author_id = VALUES(author_id), author_handle = VALUES(author_handle), is_public = VALUES(is_public),
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

/// The rows of a commit.
#[derive(Default)]
struct Rows {
    posts: Vec<[Arg; 15]>,
    replaced: Vec<i64>,
    /// Posts whose content is another, of the same version.
    changed: Vec<i64>,
    audiences: Vec<(i64, String, i64)>,
    packs: BTreeMap<i64, pack::Writer>,
    matches: Vec<(i64, i64, i64)>,
    carried: Vec<(String, String, String, i64)>,
    placed: Vec<(String, String, String, i64)>,
}

/// Stores posts, and gives those who had not seen them a delivery.
///
/// # Errors
/// [`StoreError::Outdated`] for those that have to be evaluated for others, too.
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
    let said = Said::of(tx, posts).await?;
    versions::check(tx, posts, &said).await?;
    let mut rows = Rows::default();
    let mut seen = HashSet::new();
    for post in posts {
        let evaluated = post.evaluated;
        let count = counts.entry(evaluated.source.clone()).or_default();
        count.strangers += i64::from(evaluated.strangers);
        let known = said.known.get(&post.key);
        if said.deleted.has(&post.key.0, &post.key.1) || known.is_some_and(|known| known.gone) {
            committed.suppressed += 1;
            count.suppressed += 1;
            continue;
        }
        if !seen.insert(&post.key) {
            count.repeated += 1;
            continue;
        }
        let num = match known {
            Some(known) if known.version > evaluated.version => {
                count.stale += 1;
                // Else it is for nobody who is left, and says nothing of the text that is stored.
                if versions::is_of_stored(evaluated, known) {
                    rows.widen(post, known, committed);
                }
                continue;
            }
            Some(known) if known.version == evaluated.version => {
                count.repeated += 1;
                rows.join(post, known, &said, committed)?;
                continue;
            }
            Some(known) => known.num,
            None => *last + 1,
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
        let audience = rows.deliver(post, num, &[], false, committed);
        let mark = said.countries(post)?;
        rows.add(post, num, committed.number, evaluated.public, body, &audience, mark);
        rows.name(post, num, &said);
    }
    rows.write(tx, committed, revision).await
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

    /// Adds those who saw another copy of a version that is stored.
    fn join(
        &mut self,
        post: &Prepared<'_>,
        known: &Known,
        said: &Said,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        let Some(body) = said.later(post, known)? else {
            self.widen(post, known, committed);
            return Ok(());
        };
        let public = known.public || post.evaluated.public;
        let audience = self.deliver(post, known.num, &known.audience, known.public, committed);
        self.changed.push(known.num);
        self.add(post, known.num, known.since, public, body, &audience, said.countries(post)?);
        self.name(post, known.num, said);
        Ok(())
    }

    /// Gives what is stored to those who come with a copy or an older version of it, for whom it was evaluated.
    fn widen(&mut self, post: &Prepared<'_>, known: &Known, committed: &mut Committed) {
        let public = known.public || post.evaluated.public;
        let audience = self.deliver(post, known.num, &known.audience, known.public, committed);
        if audience != known.audience || public != known.public {
            self.audiences.push((known.num, pack::accounts(&audience), i64::from(public)));
        }
    }

    /// Notes what a post carries and has, so that it is found by that.
    fn name(&mut self, post: &Prepared<'_>, num: i64, said: &Said) {
        for ((network, id), author) in &post.carried {
            if !said.deleted.has(network, id) {
                self.carried.push((network.clone(), id.clone(), author.clone(), num));
            }
        }
        for (network, author, id) in &post.placed {
            if !said.scrubbed.has(network, author, id) {
                self.placed.push((network.clone(), author.clone(), id.clone(), num));
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // A row.
    fn add(
        &mut self,
        post: &Prepared<'_>,
        num: i64,
        since: i64,
        public: bool,
        body: String,
        audience: &[i64],
        withheld: Option<String>,
    ) {
        let (evaluated, (network, id)) = (post.evaluated, &post.key);
        let author = &evaluated.post.author.account;
        self.posts.push(row![
            num,
            network.as_str(),
            id.as_str(),
            evaluated.version,
            since,
            evaluated.post.created_at,
            evaluated.at,
            author.id.as_str(),
            author.handle.as_str(),
            evaluated.source.as_str(),
            public,
            pack::accounts(audience),
            withheld.as_deref(),
            body,
            evaluated.at,
        ]);
    }

    async fn write(mut self, tx: &mut Tx, committed: &Committed, revision: u64) -> Result<(), StoreError> {
        let number = committed.number;
        if !self.replaced.is_empty() {
            withdrawn::note(tx, number, &self.replaced, Fate::Removed).await?;
            forget(tx, &self.replaced).await?;
        }
        if !self.changed.is_empty() {
            withdrawn::note(tx, number, &self.changed, Fate::Changed).await?;
            forget_content(tx, list(&self.changed)?).await?;
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
    forget_content(tx, posts).await
}

/// Removes what is known of what they carry and have.
async fn forget_content(tx: &mut Tx, posts: Arg) -> Result<(), StoreError> {
    tx.run(FORGET_CARRIED, args![posts.clone()]).await?;
    tx.run(FORGET_PLACED, args![posts]).await?;
    Ok(())
}
