//! Stored posts that lose their place are tried anew.
//!
//! A scrub is to filters what an edit is: whoever has the post has it with what their filters say of what is left, as if
//! it had come without a place. Filters are compiled for that before the transaction, and only where something is stored
//! that may be meant.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use tweetfilter_core::budget::Price;
use tweetfilter_core::{Post, Scratch};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Delivery, Said, Snapshot, Store, StoreError, Verdict};
use tweetfilter_stream::worker::Compiled;

use crate::database::Database;
use crate::lists::numbers;
use crate::pack::{self, Item};
use crate::reapply::{Changes, PACKS};
use crate::sql::{Sql, Tx, args, list, statements};
use crate::timeline::AFTER;

statements! {
    PLACED = Sql::both("SELECT post FROM placed WHERE network = ? AND author_id = ? LIMIT 1");
    MATCHED = Sql::each(
        "SELECT m.post, m.account, m.commit_no, m.filter FROM json_each(?) j CROSS JOIN matches m ON m.post = j.value",
        concat!(
            "SELECT m.post, m.account, m.commit_no, m.filter FROM ",
            numbers!(),
            " STRAIGHT_JOIN matches m ON m.post = j.n"
        ),
    );
}

/// Packs of an account that are looked through at once.
const STEP_PACKS: i64 = 32;

/// The filters of the moment.
pub(super) struct Anew {
    compiled: Compiled,
    /// All of them, in order.
    accounts: Vec<i64>,
    scratch: Scratch,
}

/// A stored post that lost its place.
pub(super) struct Stripped {
    pub(super) num: i64,
    /// The commit that stored this version.
    pub(super) since: i64,
    pub(super) public: bool,
    pub(super) audience: Vec<i64>,
    pub(super) post: Post,
}

/// By post and account, the commit that delivered it and the filters that matched.
type Before = HashMap<i64, BTreeMap<i64, (i64, Vec<i64>)>>;

/// Of a place that was stored since the filters were looked up.
pub(super) fn late() -> StoreError {
    StoreError::Retry("a place that has to be forgotten was stored meanwhile".to_owned())
}

impl Anew {
    /// Compiles the filters, if any change takes places from what is stored.
    pub(super) async fn new(database: &Database, changes: &[Said]) -> Result<Option<Self>, StoreError> {
        let authors = changes.iter().filter_map(|said| match &said.change {
            Change::ScrubGeo { network, author, .. } => Some((network.as_str(), author.as_str())),
            _ => None,
        });
        for (network, author) in authors.collect::<BTreeSet<_>>() {
            if !database.rows(PLACED, args![network, author]).await?.is_empty() {
                let snapshot = database.filters(None).await?.unwrap_or_default();
                let budget = database.owner_budget();
                let made = tokio::task::spawn_blocking(move || Self::of(&snapshot, budget)).await;
                return made
                    .map(Some)
                    .map_err(|error| StoreError::Retry(format!("compiling broke off: {error}")));
            }
        }
        Ok(None)
    }

    fn of(snapshot: &Snapshot, budget: Price) -> Self {
        let accounts = snapshot.accounts.iter().map(|account| account.id).collect();
        Self { compiled: Compiled::new(snapshot, budget), accounts, scratch: Scratch::default() }
    }

    /// Decides the deliveries of some posts anew. What no filter says otherwise of stays as it is.
    pub(super) async fn deliver(&mut self, tx: &mut Tx, posts: Vec<Stripped>) -> Result<(), StoreError> {
        let mut matched = Before::new();
        let nums: Vec<i64> = posts.iter().map(|post| post.num).collect();
        for row in tx.rows(MATCHED, args![list(&nums)?]).await? {
            let of = matched.entry(row.int(0)?).or_default();
            of.entry(row.int(1)?).or_insert((row.int(2)?, Vec::new())).1.push(row.int(3)?);
        }
        let mut changes = Changes::default();
        for post in posts {
            let before = matched.remove(&post.num).unwrap_or_default();
            self.decide(tx, &mut changes, &post, before).await?;
        }
        changes.write(tx).await
    }

    async fn decide(
        &mut self,
        tx: &mut Tx,
        changes: &mut Changes,
        post: &Stripped,
        mut before: BTreeMap<i64, (i64, Vec<i64>)>,
    ) -> Result<(), StoreError> {
        let tried = if post.public {
            self.accounts.clone()
        } else {
            let is_there = |id: &i64| self.accounts.binary_search(id).is_ok();
            let mut ids: Vec<i64> = post.audience.iter().map(|id| id.abs()).filter(is_there).collect();
            ids.sort_unstable();
            ids
        };
        let found = self.compiled.evaluate(&mut self.scratch, &post.post, &tried);
        let mut found: BTreeMap<i64, Delivery> = found.into_iter().map(|one| (one.account, one)).collect();
        for account in tried {
            let (commit, had) =
                before.remove(&account).map_or((None, Vec::new()), |(commit, had)| (Some(commit), had));
            let (verdict, now) = found
                .remove(&account)
                .map_or((Verdict::default(), Vec::new()), |one| (one.verdict, one.filters));
            if had.len() == now.len() && had.iter().all(|filter| now.contains(filter)) {
                continue;
            }
            let (has, saw) = (post.audience.contains(&-account), post.audience.contains(&account));
            let commit = match commit {
                Some(commit) => commit,
                // It is part of everybody's timeline, and no filter of theirs matched it.
                None if !has && !saw => post.since,
                None => match find(tx, changes, account, post).await? {
                    Some(commit) => commit,
                    None => continue,
                },
            };
            let revision = self.compiled.revision().cast_signed();
            let items = pack_of(tx, changes, (commit, account), revision).await?;
            let goes = now.is_empty() && has;
            let stands = items.iter().position(|item| item.0 == post.num);
            if let Some(place) = stands {
                items.remove(place);
            }
            let place = stands.unwrap_or_else(|| items.partition_point(|item| item.0 < post.num));
            if !goes {
                items.insert(place, (post.num, pack::bits(verdict), now.clone()));
            }
            changes.matches(account, commit, post.num, &had, &now);
            if goes || (!has && !saw) {
                let audience = changes.audiences.entry(post.num).or_insert_with(|| post.audience.clone());
                audience.retain(|id| *id != -account);
                audience.extend((!goes).then_some(-account));
            }
        }
        Ok(())
    }
}

/// The pack of a commit for an account, read once; an empty one if there is none.
async fn pack_of<'c>(
    tx: &mut Tx,
    changes: &'c mut Changes,
    key: (i64, i64),
    revision: i64,
) -> Result<&'c mut Vec<Item>, StoreError> {
    let pack = match changes.packs.entry(key) {
        Entry::Occupied(read) => read.into_mut(),
        Entry::Vacant(unread) => {
            let stored = match tx.rows(PACKS, args![list(&[key])?]).await?.first() {
                Some(row) => (row.int(2)?, row.json(3)?),
                None => (revision, Vec::new()),
            };
            unread.insert(stored)
        }
    };
    Ok(&mut pack.1)
}

/// The commit that delivered a version of a post to an account. Mostly that is the one which stored it.
async fn find(
    tx: &mut Tx,
    changes: &mut Changes,
    account: i64,
    post: &Stripped,
) -> Result<Option<i64>, StoreError> {
    let mut after = post.since - 1;
    loop {
        let rows = tx.rows(AFTER, args![account, after, STEP_PACKS]).await?;
        for row in &rows {
            after = row.int(0)?;
            let items: Vec<Item> = row.json(3)?;
            if items.iter().any(|item| item.0 == post.num) {
                changes.packs.entry((after, account)).or_insert((row.int(2)?, items));
                return Ok(Some(after));
            }
        }
        if rows.len() < STEP_PACKS as usize {
            return Ok(None);
        }
    }
}
