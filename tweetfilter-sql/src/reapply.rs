//! Looking back: stored posts are tried on the present filters.
//!
//! It goes in small steps, each a transaction that also says how far it came, so one that is killed goes on where it
//! stood. First the deliveries of each account are decided anew, where they are; then what everybody sees is tried
//! for those who have no delivery of it. Deleted posts have nothing left to be tried. When filters change
//! meanwhile, it begins again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_core::{Post, Scratch};
use tweetfilter_stream::shrunk;
use tweetfilter_stream::store::{Delivery, Snapshot, Store, StoreError};
use tweetfilter_stream::worker::Compiled;

use crate::database::Database;
use crate::digest::digest;
use crate::known::handles_in;
use crate::lists::{numbers, text};
use crate::pack::{self, Item};
use crate::pulse;
use crate::sql::{Row, Sql, Tx, args, list, statements};
use crate::timeline;

statements! {
    // The lock of commits, so that none stands between what is read and what is written.
    LOCK = Sql::each(
        "SELECT name, value FROM state WHERE name IN ('commit', 'post') ORDER BY name",
        "SELECT name, value FROM state WHERE name IN ('commit', 'post') ORDER BY name FOR UPDATE",
    );
    BEGUN = Sql::both("SELECT digest, revision, phase, account, place FROM reapply WHERE name = ?");
    MARK = Sql::each(
        "INSERT INTO reapply (name, digest, revision, phase, account, place) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET digest = excluded.digest, revision = excluded.revision, phase = excluded.phase,
             account = excluded.account, place = excluded.place",
        "INSERT INTO reapply (name, digest, revision, phase, account, place) VALUES (?, ?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE digest = VALUES(digest), revision = VALUES(revision), phase = VALUES(phase),
             account = VALUES(account), place = VALUES(place)",
    );
    DONE = Sql::both("DELETE FROM reapply WHERE name = ?");
    LAST_AT = Sql::both("SELECT COALESCE(MAX(at), 0) FROM commit_log WHERE no >= (SELECT value FROM state WHERE name = 'commit')");
    POSTS = Sql::each(
        "SELECT p.num, p.since, p.received_at, p.audience, p.body, p.is_public
         FROM json_each(?) j CROSS JOIN post p WHERE p.num = j.value AND p.body IS NOT NULL",
        concat!(
            "SELECT p.num, p.since, p.received_at, p.audience, p.body, p.is_public FROM ", numbers!(),
            " STRAIGHT_JOIN post p ON p.num = j.n WHERE p.body IS NOT NULL"
        ),
    );
    PUBLIC = Sql::both(
        "SELECT num, since, received_at, audience, body, is_public FROM post
         WHERE num > ? AND num <= ? AND is_public = 1 AND body IS NOT NULL ORDER BY num",
    );
    PACKS = Sql::each(
        "SELECT d.commit_no, d.account, d.revision, d.items FROM json_each(?) j
         CROSS JOIN delivery_pack d ON d.commit_no = j.value ->> 0 AND d.account = j.value ->> 1",
        "SELECT d.commit_no, d.account, d.revision, d.items
         FROM JSON_TABLE(?, '$[*]' COLUMNS (commit_no BIGINT PATH '$[0]', account BIGINT PATH '$[1]')) j
         STRAIGHT_JOIN delivery_pack d ON d.account = j.account AND d.commit_no = j.commit_no",
    );
    KEEP = Sql::each(
        "INSERT INTO delivery_pack (commit_no, account, revision, items)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
         ON CONFLICT DO UPDATE SET revision = excluded.revision, items = excluded.items",
        concat!(
            "INSERT INTO delivery_pack (commit_no, account, revision, items)
             SELECT j.* FROM JSON_TABLE(?, '$[*]' COLUMNS (commit_no BIGINT PATH '$[0]', account BIGINT PATH '$[1]',
                revision BIGINT PATH '$[2]', ",
            text!("items", "LONGTEXT", "$[3]"),
            ")) j ON DUPLICATE KEY UPDATE revision = VALUES(revision), items = VALUES(items)"
        ),
    );
    DROP = Sql::each(
        "DELETE FROM delivery_pack WHERE (commit_no, account) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        "DELETE d FROM JSON_TABLE(?, '$[*]' COLUMNS (commit_no BIGINT PATH '$[0]', account BIGINT PATH '$[1]')) j
         STRAIGHT_JOIN delivery_pack d ON d.account = j.account AND d.commit_no = j.commit_no",
    );
    SPANS = Sql::each(
        "INSERT INTO delivery_span (account, span) SELECT value ->> 1, (value ->> 0) / 256 FROM json_each(?)
         WHERE true ON CONFLICT DO NOTHING",
        "",
    );
    AUDIENCE = Sql::both("UPDATE post SET audience = ? WHERE num = ?");
    MATCH = Sql::each(
        "INSERT INTO matches (account, filter, commit_no, post)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO matches (account, filter, commit_no, post)
         SELECT j.* FROM JSON_TABLE(?, '$[*]' COLUMNS (account BIGINT PATH '$[0]', filter BIGINT PATH '$[1]',
            commit_no BIGINT PATH '$[2]', post BIGINT PATH '$[3]')) j ON DUPLICATE KEY UPDATE post = VALUES(post)",
    );
    UNMATCH = Sql::each(
        "DELETE FROM matches WHERE (account, filter, commit_no, post) IN
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))",
        "DELETE m FROM JSON_TABLE(?, '$[*]' COLUMNS (account BIGINT PATH '$[0]', filter BIGINT PATH '$[1]',
            commit_no BIGINT PATH '$[2]', post BIGINT PATH '$[3]')) j
         STRAIGHT_JOIN matches m ON m.account = j.account AND m.filter = j.filter AND m.commit_no = j.commit_no
            AND m.post = j.post",
    );
}

/// Packs, and numbers of posts, of one step.
const STEP_PACKS: i64 = 32;
const STEP_POSTS: i64 = 256;
/// How long a worker may still use the filters from before.
const STALE: Duration = Duration::from_millis(2_500);

/// Which posts are tried again, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookBack {
    /// These accounts; `None`: all of them.
    pub accounts: Option<Vec<i64>>,
    /// Posts that were received at this time or later.
    pub since: Option<Millis>,
    /// Posts that were received before this time.
    pub until: Option<Millis>,
    /// Only what this filter matches is decided anew; what others matched stays.
    pub filter: Option<i64>,
}

/// A look back that is under way; see [`Database::reapply`].
#[derive(Debug)]
pub struct Reapply {
    look: LookBack,
    name: String,
    digest: String,
    accounts: Vec<i64>,
    compiled: Compiled,
    scratch: Scratch,
    /// The newest revision of accounts and filters that was looked at.
    known: u64,
    /// The one that is recorded.
    revision: i64,
    phase: i64,
    account: i64,
    place: i64,
    /// When workers surely use these filters.
    settled_at: Millis,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stepped {
    /// Deliveries and posts that were tried.
    pub tried: u64,
    /// Deliveries that are another now.
    pub changed: u64,
    /// Deliveries of what everybody sees that are new.
    pub added: u64,
    /// Those that no filter asks for any more.
    pub removed: u64,
    /// How much of everything is done, from 0 to 1.
    pub share: f64,
    /// Wait so long before the next step: commits of workers that use the filters from before may still come.
    pub wait: Option<Duration>,
    /// Whether the filters were changed, so that it begins again.
    pub again: bool,
    /// Whether this was the last step.
    pub done: bool,
}

/// A stored post.
struct Stored {
    num: i64,
    since: i64,
    received_at: Millis,
    public: bool,
    audience: Vec<i64>,
    post: Post,
}

/// What a step changes.
#[derive(Default)]
pub(crate) struct Changes {
    /// Items by commit and account, with the revision.
    pub(crate) packs: BTreeMap<(i64, i64), (i64, Vec<Item>)>,
    pub(crate) audiences: BTreeMap<i64, Vec<i64>>,
    matched: Vec<(i64, i64, i64, i64)>,
    unmatched: Vec<(i64, i64, i64, i64)>,
}

impl Database {
    /// Begins to look back, or goes on where the same one stood when it broke off.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn reapply(&self, mut look: LookBack) -> Result<Reapply, StoreError> {
        if let Some(accounts) = &mut look.accounts {
            accounts.sort_unstable();
            accounts.dedup();
        }
        let snapshot = self.filters(None).await?.unwrap_or_default();
        let said = format!("{look:?}");
        let mut reapply = Reapply {
            name: digest([said.as_bytes()]),
            digest: String::new(),
            accounts: Vec::new(),
            compiled: Compiled::new(&Snapshot::default(), self.budget),
            scratch: Scratch::default(),
            look,
            known: 0,
            revision: 0,
            phase: 0,
            account: 0,
            place: 0,
            settled_at: 0,
        };
        reapply.begin(&snapshot, self);
        if let Some(row) = self.rows(BEGUN, args![reapply.name.as_str()]).await?.first()
            && row.text(0)? == reapply.digest
        {
            reapply.revision = row.int(1)?;
            (reapply.phase, reapply.account, reapply.place) = (row.int(2)?, row.int(3)?, row.int(4)?);
        }
        Ok(reapply)
    }

    /// Does a small step; call it until it is done, and let others work in between.
    ///
    /// # Errors
    /// See [`StoreError`]; after any, the same step may be tried again.
    pub async fn reapply_step(&self, reapply: &mut Reapply) -> Result<Stepped, StoreError> {
        let mut stepped = Stepped::default();
        if let Some(snapshot) = self.filters(Some(reapply.known)).await? {
            if reapply.state(&snapshot) == reapply.digest {
                reapply.known = snapshot.revision;
            } else {
                reapply.begin(&snapshot, self);
                stepped.again = true;
            }
        }
        if let Some(wait) = self.unsettled(reapply).await? {
            return Ok(Stepped { wait: Some(wait), ..stepped });
        }
        let mut turn = self.write().await?;
        let mut last = HashMap::new();
        for row in turn.tx.rows(LOCK, args![]).await? {
            last.insert(row.text(0)?, row.int(1)?);
        }
        let last = |name: &str| last.get(name).copied().unwrap_or_default();
        let next = match reapply.phase {
            0 => reapply.deliveries(&mut turn.tx, last("commit"), &mut stepped).await?,
            _ => reapply.public(&mut turn.tx, last("post"), &mut stepped).await?,
        };
        let name = reapply.name.as_str();
        if stepped.done {
            turn.tx.run(DONE, args![name]).await?;
        } else {
            let (digest, (phase, account, place)) = (reapply.digest.as_str(), next);
            turn.tx.run(MARK, args![name, digest, reapply.revision, phase, account, place]).await?;
        }
        turn.commit().await?;
        (reapply.phase, reapply.account, reapply.place) = next;
        Ok(stepped)
    }

    /// How long a worker may still commit what it tried on the filters from before.
    async fn unsettled(&self, reapply: &mut Reapply) -> Result<Option<Duration>, StoreError> {
        let left = reapply.settled_at - self.now();
        if left <= 0 {
            return Ok(None);
        }
        let last = self.rows(LAST_AT, args![]).await?.first().map_or(Ok(0), |row| row.int(0))?;
        let stale = Millis::try_from(STALE.as_millis()).unwrap_or(Millis::MAX);
        if last < reapply.settled_at - 2 * stale {
            // Nobody works, and who begins to will ask for the filters first.
            return Ok(None);
        }
        Ok(Some(Duration::from_millis(left.min(stale).cast_unsigned())))
    }
}

impl Reapply {
    /// Begins anew with filters.
    fn begin(&mut self, snapshot: &Snapshot, database: &Database) {
        self.digest = self.state(snapshot);
        let all = snapshot.accounts.iter().map(|account| account.id);
        let wanted = |id: &i64| self.look.accounts.as_ref().is_none_or(|some| some.binary_search(id).is_ok());
        self.accounts = all.filter(wanted).collect();
        self.compiled = Compiled::new(snapshot, database.budget);
        self.known = snapshot.revision;
        self.revision = snapshot.revision.cast_signed();
        (self.phase, self.account, self.place) = (0, 0, 0);
        self.settled_at = database.now() + Millis::try_from(STALE.as_millis()).unwrap_or_default();
    }

    /// A short name for all that the results depend on.
    fn state(&self, snapshot: &Snapshot) -> String {
        let wanted = |id: i64| self.look.accounts.as_ref().is_none_or(|some| some.binary_search(&id).is_ok());
        let accounts = snapshot.accounts.iter().filter(|one| wanted(one.id)).map(|one| format!("{one:?}"));
        let filters = || snapshot.filters.iter().filter(|one| wanted(one.account));
        let own_sets = || snapshot.own_sets.iter().filter(|set| wanted(set.0));
        let lists = snapshot.sets.iter().map(|set| &set.1).chain(own_sets().map(|set| &set.2));
        let handles = handles_in(&snapshot.handles, filters().map(|one| &one.text).chain(lists));
        let handles = handles.into_iter().map(|handle| format!("{handle:?}"));
        let filters = filters().map(|one| format!("{one:?}"));
        let sets = snapshot.sets.iter().map(|set| format!("{set:?}"));
        let own = own_sets().map(|set| format!("{set:?}"));
        let parts: Vec<String> = accounts.chain(filters).chain(sets).chain(own).chain(handles).collect();
        digest(parts.iter().map(|part| part.as_bytes()))
    }

    fn is_meant(&self, stored: &Stored) -> bool {
        self.look.since.is_none_or(|since| stored.received_at >= since)
            && self.look.until.is_none_or(|until| stored.received_at < until)
    }

    /// What the filters say of a post for an account that has this of it already.
    fn decide(&mut self, account: i64, post: &Post, before: &[i64]) -> Delivery {
        let mut found = self.compiled.evaluate(&mut self.scratch, post, &[account]);
        let nothing = Delivery { account, verdict: Default::default(), filters: Vec::new(), seen: false };
        let found = found.pop().unwrap_or(nothing);
        self.only(found, before)
    }

    /// Where one filter is meant, what others said before stays.
    fn only(&self, found: Delivery, before: &[i64]) -> Delivery {
        let Some(filter) = self.look.filter else { return found };
        let mut filters: Vec<i64> = before.iter().copied().filter(|id| *id != filter).collect();
        filters.extend(found.filters.contains(&filter).then_some(filter));
        let verdict = self.compiled.decide(&mut filters);
        Delivery { verdict, filters, ..found }
    }

    /// Some packs of an account; returns where to go on.
    async fn deliveries(
        &mut self,
        tx: &mut Tx,
        last: i64,
        stepped: &mut Stepped,
    ) -> Result<(i64, i64, i64), StoreError> {
        let index = self.accounts.partition_point(|id| *id < self.account);
        let Some(&account) = self.accounts.get(index) else { return Ok((1, 0, 0)) };
        let after = if account == self.account { self.place } else { 0 };
        let rows = tx.rows(timeline::AFTER, args![account, after, STEP_PACKS]).await?;
        let done = index as f64 + if last > 0 { after as f64 / last as f64 } else { 1.0 };
        stepped.share = done / self.accounts.len() as f64 / 2.0;
        let Some(up_to) = rows.last().map(|row| row.int(0)).transpose()? else {
            return Ok((0, account + 1, 0));
        };
        let mut packs = Vec::new();
        for row in &rows {
            packs.push((row.int(0)?, row.int(2)?, row.json::<Vec<Item>>(3)?));
        }
        let mut nums: Vec<i64> = packs.iter().flat_map(|pack| pack.2.iter().map(|item| item.0)).collect();
        nums.sort_unstable();
        nums.dedup();
        let mut posts = HashMap::new();
        for row in tx.rows(POSTS, args![list(&nums)?]).await? {
            let stored = stored(&row)?;
            posts.insert(stored.num, stored);
        }
        let mut changes = Changes::default();
        for (commit, revision, items) in packs {
            let mut whole = self.look.filter.is_none();
            let mut kept = Vec::new();
            let before = items.clone();
            for (num, bits, filters) in items {
                // Gone, or delivered in a version that is gone: nobody is shown it.
                let Some(stored) = posts.get(&num).filter(|stored| stored.since <= commit) else {
                    kept.push((num, bits, filters));
                    continue;
                };
                if !self.is_meant(stored) {
                    whole = false;
                    kept.push((num, bits, filters));
                    continue;
                }
                stepped.tried += 1;
                let now = self.decide(account, &stored.post, &filters);
                changes.matches(account, commit, num, &filters, &now.filters);
                if now.filters.is_empty() && stored.public && stored.audience.contains(&-account) {
                    stepped.removed += 1;
                    let audience = changes.audiences.entry(num).or_insert_with(|| stored.audience.clone());
                    audience.retain(|id| *id != -account);
                    continue;
                }
                let now = (num, pack::bits(now.verdict), now.filters);
                stepped.changed += u64::from(now != (num, bits, filters));
                kept.push(now);
            }
            let at = if whole { revision.max(self.revision) } else { revision };
            if at != revision || kept != before {
                changes.packs.insert((commit, account), (at, kept));
            }
        }
        changes.write(tx).await?;
        Ok((0, account, up_to))
    }

    /// Some of what everybody sees, for those who have no delivery of it; returns where to go on.
    async fn public(
        &mut self,
        tx: &mut Tx,
        last: i64,
        stepped: &mut Stepped,
    ) -> Result<(i64, i64, i64), StoreError> {
        let up_to = (self.place + STEP_POSTS).min(last);
        stepped.share = 0.5 + if last > 0 { up_to as f64 / last as f64 / 2.0 } else { 0.5 };
        stepped.done = up_to >= last;
        let mut new = Vec::new();
        for row in tx.rows(PUBLIC, args![self.place, up_to]).await? {
            let stored = stored(&row)?;
            if !self.is_meant(&stored) {
                continue;
            }
            stepped.tried += 1;
            let found = self.compiled.evaluate(&mut self.scratch, &stored.post, &self.accounts);
            let has = |account: i64| stored.audience.iter().any(|id| id.abs() == account);
            let found: Vec<Delivery> = found.into_iter().filter(|one| !has(one.account)).collect();
            let found =
                found.into_iter().map(|one| self.only(one, &[])).filter(|one| !one.filters.is_empty());
            let found: Vec<Delivery> = found.collect();
            if !found.is_empty() {
                new.push((stored, found));
            }
        }
        let keys = new.iter().flat_map(|(stored, found)| found.iter().map(|one| (stored.since, one.account)));
        let mut keys: Vec<(i64, i64)> = keys.collect();
        keys.sort_unstable();
        keys.dedup();
        let mut changes = Changes::default();
        if !keys.is_empty() {
            for row in tx.rows(PACKS, args![list(&keys)?]).await? {
                changes.packs.insert((row.int(0)?, row.int(1)?), (row.int(2)?, row.json(3)?));
            }
        }
        for (stored, found) in new {
            let mut audience = stored.audience.clone();
            for Delivery { account, verdict, filters, .. } in found {
                stepped.added += 1;
                audience.push(-account);
                changes.matches(account, stored.since, stored.num, &[], &filters);
                let empty = || (self.revision, Vec::new());
                let (_, items) = changes.packs.entry((stored.since, account)).or_insert_with(empty);
                let place = items.partition_point(|item| item.0 < stored.num);
                items.insert(place, (stored.num, pack::bits(verdict), filters));
            }
            changes.audiences.insert(stored.num, audience);
        }
        changes.write(tx).await?;
        Ok((1, 0, up_to))
    }
}

impl Changes {
    /// Notes which filters match a post now, and which no longer.
    pub(crate) fn matches(&mut self, account: i64, commit: i64, num: i64, before: &[i64], now: &[i64]) {
        let row = |filter: &i64| (account, *filter, commit, num);
        self.matched.extend(now.iter().filter(|id| !before.contains(id)).map(row));
        self.unmatched.extend(before.iter().filter(|id| !now.contains(id)).map(row));
    }

    pub(crate) async fn write(mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let is_any = !self.packs.is_empty();
        let (empty, kept): (Vec<_>, Vec<_>) = self.packs.into_iter().partition(|(_, pack)| pack.1.is_empty());
        if !empty.is_empty() {
            let keys: Vec<(i64, i64)> = empty.into_iter().map(|(key, _)| key).collect();
            tx.run(DROP, args![list(&keys)?]).await?;
        }
        if !kept.is_empty() {
            let rows = kept.into_iter().map(|((commit, account), (revision, items))| {
                let items = serde_json::to_string(&items).unwrap_or_else(|_| "[]".to_owned());
                (commit, account, revision, items)
            });
            let rows = list(&rows.collect::<Vec<_>>())?;
            tx.run(KEEP, args![rows.clone()]).await?;
            if tx.is_sqlite() {
                tx.run(SPANS, args![rows]).await?;
            }
        }
        for (num, audience) in self.audiences {
            tx.run(AUDIENCE, args![pack::accounts(&audience), num]).await?;
        }
        for (sql, rows) in [(MATCH, &mut self.matched), (UNMATCH, &mut self.unmatched)] {
            rows.sort_unstable();
            if !rows.is_empty() {
                tx.run(sql, args![list(rows)?]).await?;
            }
        }
        if is_any {
            pulse::rewrote(tx).await?;
        }
        Ok(())
    }
}

fn stored(row: &Row) -> Result<Stored, StoreError> {
    let post = shrunk::from_slice(&row.bytes(4)?);
    Ok(Stored {
        num: row.int(0)?,
        since: row.int(1)?,
        received_at: row.int(2)?,
        audience: row.json(3)?,
        public: row.int(5)? != 0,
        post: post.map_err(|error| StoreError::Unfit(format!("a stored post: {error}")))?,
    })
}
