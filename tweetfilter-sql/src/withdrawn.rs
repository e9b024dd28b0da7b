//! What commits took back of what was shown before, for those who follow the commits.
//!
//! A commit notes the posts that it deleted, withheld, replaced by a newer version or rewrote, with whom they were for,
//! and the authors of whom nothing is shown any more. The notes are kept as long as the commits.

use std::collections::BTreeMap;

use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::lists::numbers;
use crate::sql::{Sql, Tx, args, list, statements};

statements! {
    // Before the post itself is changed: afterwards it no longer says whom it was for.
    NOTE = Sql::each(
        "INSERT INTO withdrawn_post (commit_no, stays, post, is_public, audience)
         SELECT ?, ?, p.num, p.is_public, p.audience FROM json_each(?) j CROSS JOIN post p
         WHERE p.num = j.value AND p.body IS NOT NULL
         ON CONFLICT DO UPDATE SET stays = MIN(stays, excluded.stays)",
        concat!(
            "INSERT INTO withdrawn_post (commit_no, stays, post, is_public, audience)
             SELECT ?, ?, p.num, p.is_public, p.audience FROM ", numbers!(),
            " STRAIGHT_JOIN post p ON p.num = j.n WHERE p.body IS NOT NULL
             ON DUPLICATE KEY UPDATE stays = LEAST(withdrawn_post.stays, VALUES(stays))"
        ),
    );
    NOTE_AUTHOR = Sql::each(
        "INSERT INTO withdrawn_author (commit_no, network, author_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        "INSERT INTO withdrawn_author (commit_no, network, author_id) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE author_id = VALUES(author_id)",
    );
    POSTS = Sql::each(
        "SELECT w.commit_no, w.post, w.stays FROM withdrawn_post w WHERE w.commit_no > ? AND w.commit_no <= ?
             AND (w.is_public = 1 OR EXISTS (SELECT 1 FROM json_each(w.audience) j WHERE j.value IN (?, ?)))
         ORDER BY w.commit_no, w.post",
        "SELECT w.commit_no, w.post, w.stays FROM withdrawn_post w WHERE w.commit_no > ? AND w.commit_no <= ?
             AND (w.is_public = 1 OR JSON_CONTAINS(w.audience, CAST(? AS CHAR))
                  OR JSON_CONTAINS(w.audience, CAST(? AS CHAR)))
         ORDER BY w.commit_no, w.post",
    );
    AUTHORS = Sql::both(
        "SELECT commit_no, network, author_id FROM withdrawn_author WHERE commit_no > ? AND commit_no <= ?
         ORDER BY commit_no, network, author_id",
    );
    ANY = Sql::both(
        "SELECT EXISTS (SELECT 1 FROM withdrawn_post WHERE commit_no > ? AND commit_no <= ?)
             OR EXISTS (SELECT 1 FROM withdrawn_author WHERE commit_no > ? AND commit_no <= ?)",
    );
    FORGET_POSTS = Sql::both("DELETE FROM withdrawn_post WHERE commit_no <= ?");
    FORGET_AUTHORS = Sql::both("DELETE FROM withdrawn_author WHERE commit_no <= ?");
}

/// What a commit took back of what an account could see before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// The commit.
    pub commit: i64,
    /// Numbers of posts that are not to be shown as they were before this commit: deleted, withheld, or edited. An
    /// edited one is delivered anew, to whoever sees it, by the same commit.
    pub removed: Vec<i64>,
    /// Numbers of posts that lost a part: a quoted post that was deleted, a place.
    pub changed: Vec<i64>,
    /// Network and id of authors of whom nothing is shown any more, nor what carries something by them.
    pub authors: Vec<(String, String)>,
}

impl Database {
    /// What commits after one, up to another, took back from an account, in their order; and the first commit of which that
    /// is still known.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn taken_back(
        &self,
        account: i64,
        after: i64,
        up_to: i64,
    ) -> Result<(Vec<Withdrawn>, i64), StoreError> {
        let mut tx = self.read().await?;
        let taken = between(&mut tx, account, after, up_to).await?;
        tx.commit().await?;
        // At last: what was forgotten while this was read may be missing too.
        Ok((taken, self.first_commit().await?))
    }

    /// Whether commits after one, up to another, took anything back from anybody.
    pub(crate) async fn withdrew(&self, after: i64, up_to: i64) -> Result<bool, StoreError> {
        let rows = self.rows(ANY, args![after, up_to, after, up_to]).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))? != 0)
    }
}

/// What becomes of posts that a commit takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They are not shown any more, or not as they were delivered.
    Removed,
    /// They stay where they are, and lost a part.
    Changed,
}

/// Notes what is about to happen to posts.
pub(crate) async fn note(tx: &mut Tx, commit: i64, posts: &[i64], fate: Fate) -> Result<(), StoreError> {
    if !posts.is_empty() {
        tx.run(NOTE, args![commit, fate == Fate::Changed, list(posts)?]).await?;
    }
    Ok(())
}

/// Notes that nothing of an author is shown any more.
pub(crate) async fn note_author(
    tx: &mut Tx,
    commit: i64,
    network: &str,
    author: &str,
) -> Result<(), StoreError> {
    tx.run(NOTE_AUTHOR, args![commit, network, author]).await?;
    Ok(())
}

/// What commits after one, up to another, took back from an account, in their order.
pub(crate) async fn between(
    tx: &mut Tx,
    account: i64,
    after: i64,
    up_to: i64,
) -> Result<Vec<Withdrawn>, StoreError> {
    let mut commits: BTreeMap<i64, Withdrawn> = BTreeMap::new();
    for row in tx.rows(POSTS, args![after, up_to, account, -account]).await? {
        let of = commits.entry(row.int(0)?).or_default();
        let list = if row.int(2)? == 0 { &mut of.removed } else { &mut of.changed };
        list.push(row.int(1)?);
    }
    for row in tx.rows(AUTHORS, args![after, up_to]).await? {
        commits.entry(row.int(0)?).or_default().authors.push((row.text(1)?, row.text(2)?));
    }
    Ok(commits.into_iter().map(|(commit, of)| Withdrawn { commit, ..of }).collect())
}

/// Forgets what commits up to one took back.
pub(crate) async fn forget(tx: &mut Tx, up_to: i64) -> Result<(), StoreError> {
    tx.run(FORGET_POSTS, args![up_to]).await?;
    tx.run(FORGET_AUTHORS, args![up_to]).await?;
    Ok(())
}
