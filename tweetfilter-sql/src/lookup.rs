//! Who is who: the profiles of authors, each with the date of the answer. For handles it is the [other way round](crate::handles).
//!
//! A network whose posts give ids alone is asked for what stands behind them, by whoever reads here what is to be
//! asked. What is handed out is claimed for a minute, so that several who ask do not ask the same.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tweetfilter_core::post::{Account, Author, Millis};
use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::handles::FRESH;
use crate::lists::{keys, numbers, text};
use crate::pack::Item;
use crate::sql::{Sql, Tx, args, list, statements};

/// How long what was handed out is not handed out again.
pub(crate) const CLAIM: Duration = Duration::from_secs(60);
/// Commits that are looked through at once.
const COMMITS: i64 = 256;

statements! {
    RENAME = Sql::both("UPDATE profile SET handle = ? WHERE network = ? AND author_id = ?");
    FORGET_ONE = Sql::both("DELETE FROM profile WHERE network = ? AND author_id = ?");
    FORGET = Sql::each(
        "DELETE FROM profile WHERE rowid IN (SELECT rowid FROM profile WHERE asked_at < ? AND wanted = 0 LIMIT ?)",
        "DELETE FROM profile WHERE asked_at < ? AND wanted = 0 LIMIT ?",
    );
    ANY_POST = Sql::both("SELECT 1 FROM post WHERE network = ? LIMIT 1");
    PLACES = Sql::both("SELECT name, value FROM state WHERE name IN ('commit', 'profiles')");
    PACKS = Sql::both("SELECT items FROM delivery_pack WHERE commit_no > ? AND commit_no <= ?");
    AUTHORS = Sql::each(
        "SELECT DISTINCT p.author_id FROM json_each(?) j CROSS JOIN post p
         WHERE p.num = j.value AND p.network = ? AND p.author_handle = '' AND p.body IS NOT NULL",
        concat!(
            "SELECT DISTINCT p.author_id FROM ", numbers!(), " STRAIGHT_JOIN post p ON p.num = j.n
             WHERE p.network = ? AND p.author_handle = '' AND p.body IS NOT NULL"
        ),
    );
    // What is old is wanted again.
    WANT = Sql::each(
        "INSERT INTO profile (network, author_id, wanted, asked_at, claimed_at)
         SELECT ?1, value, 1, 0, 0 FROM json_each(?2) WHERE true
         ON CONFLICT DO UPDATE SET wanted = 1 WHERE profile.asked_at <= ?3",
        concat!(
            "INSERT INTO profile (network, author_id, wanted, asked_at, claimed_at)
             SELECT ?, j.id, 1, 0, 0 FROM JSON_TABLE(?, '$[*]' COLUMNS (", text!("id", "VARCHAR(500)", "$"), ")) j
             ON DUPLICATE KEY UPDATE wanted = IF(profile.asked_at <= ?, 1, profile.wanted)"
        ),
    );
    LOOKED = Sql::both("UPDATE state SET value = ? WHERE name = 'profiles' AND value < ?");
    DUE_AUTHORS = Sql::each(
        "SELECT author_id FROM profile WHERE wanted = 1 AND claimed_at <= ? AND network = ? ORDER BY claimed_at LIMIT ?",
        "SELECT author_id FROM profile WHERE wanted = 1 AND claimed_at <= ? AND network = ? ORDER BY claimed_at LIMIT ?
         FOR UPDATE",
    );
    CLAIM_AUTHORS = Sql::each(
        "UPDATE profile SET claimed_at = ? WHERE network = ? AND author_id IN (SELECT value FROM json_each(?))",
        concat!(
            "UPDATE profile SET claimed_at = ? WHERE network = ? AND author_id IN (
             SELECT j.id FROM JSON_TABLE(?, '$[*]' COLUMNS (", text!("id", "VARCHAR(500)", "$"), ")) j)"
        ),
    );
    PROFILE = Sql::both(
        "UPDATE profile SET handle = ?, name = ?, wanted = 0, asked_at = ?, claimed_at = 0
         WHERE network = ? AND author_id = ?",
    );
    PROFILES = Sql::each(
        "SELECT p.network, p.author_id, p.handle, p.name, p.asked_at FROM json_each(?) k
         CROSS JOIN profile p ON p.network = k.value ->> 0 AND p.author_id = k.value ->> 1
         WHERE p.handle IS NOT NULL OR p.name IS NOT NULL",
        concat!(
            "SELECT p.network, p.author_id, p.handle, p.name, p.asked_at FROM ", keys!(),
            " STRAIGHT_JOIN profile p ON p.network = k.network AND p.author_id = k.native_id
             WHERE p.handle IS NOT NULL OR p.name IS NOT NULL"
        ),
    );
}

/// What is known of an author beside what their posts tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The handle, without `@`.
    pub handle: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// When it was asked for.
    pub asked_at: Millis,
}

impl Database {
    /// Notes whose profiles are wanted: authors whom their delivered or matched posts give by id alone. Goes on
    /// where it ended before; whether there is more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn want_profiles(&self, network: &str) -> Result<bool, StoreError> {
        let mut tx = self.read().await?;
        let mut places = HashMap::new();
        for row in tx.rows(PLACES, args![]).await? {
            places.insert(row.text(0)?, row.int(1)?);
        }
        let place = |name: &str| places.get(name).copied().unwrap_or_default();
        let (last, from) = (place("commit"), place("profiles"));
        let any = from < last && tx.row(ANY_POST, args![network]).await?.is_some();
        let to = if any { last.min(from + COMMITS) } else { last };
        let mut wanted = Vec::new();
        if any {
            let mut posts = BTreeSet::new();
            for row in tx.rows(PACKS, args![from, to]).await? {
                posts.extend(row.json::<Vec<Item>>(0)?.into_iter().map(|item| item.0));
            }
            let posts: Vec<_> = posts.into_iter().collect();
            for part in posts.chunks(5_000) {
                for row in tx.rows(AUTHORS, args![list(part)?, network]).await? {
                    wanted.push(row.text(0)?);
                }
            }
        }
        tx.commit().await?;
        // Where nothing is wanted, the place is kept now and then.
        if wanted.is_empty() && to == last && last - from < COMMITS {
            return Ok(false);
        }
        let old = before(self.now(), FRESH);
        let mut turn = self.write_lightly().await?;
        for part in wanted.chunks(5_000) {
            turn.tx.run(WANT, args![network, list(part)?, old]).await?;
        }
        turn.tx.run(LOOKED, args![to, to]).await?;
        turn.commit().await?;
        Ok(to < last)
    }

    /// Hands out authors whose profiles are wanted.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn due_profiles(&self, network: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let now = self.now();
        let values = args![before(now, CLAIM), network, i64::from(limit)];
        self.due((DUE_AUTHORS, values), CLAIM_AUTHORS, network, now).await
    }

    /// Stores the profiles that were found of those that were asked for; the others are kept as asked for.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn profiles_answered(
        &self,
        network: &str,
        asked: &[String],
        found: &[Author],
    ) -> Result<(), StoreError> {
        let found: HashMap<&str, &Author> =
            found.iter().map(|author| (author.account.id.as_str(), author)).collect();
        let now = self.now();
        let mut turn = self.write_lightly().await?;
        for id in asked {
            let profile = found.get(id.as_str());
            let handle = profile.map(|profile| profile.account.handle.as_str());
            let name = profile.and_then(|profile| profile.name.as_deref());
            let values =
                args![maybe(handle.filter(|h| !h.is_empty())), maybe(name), now, network, id.as_str()];
            turn.tx.run(PROFILE, values).await?;
        }
        turn.commit().await
    }

    /// What is known of authors, by network and id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn profiles(
        &self,
        authors: &BTreeSet<(String, String)>,
    ) -> Result<HashMap<(String, String), Profile>, StoreError> {
        let authors: Vec<_> = authors.iter().collect();
        let mut profiles = HashMap::new();
        for part in authors.chunks(500) {
            for row in self.rows(PROFILES, args![list(part)?]).await? {
                let (handle, name) = (row.maybe_text(2)?, row.maybe_text(3)?);
                let profile = Profile { handle, name, asked_at: row.int(4)? };
                profiles.insert((row.text(0)?, row.text(1)?), profile);
            }
        }
        Ok(profiles)
    }

    /// What is due, claimed.
    async fn due(
        &self,
        (sql, values): (Sql, Vec<crate::sql::Arg>),
        claim: Sql,
        network: &str,
        now: Millis,
    ) -> Result<Vec<String>, StoreError> {
        // Mostly nothing is, and that takes no turn of those who write.
        if matches!(self.engine, crate::database::Engine::Sqlite(_))
            && self.rows(sql, values.clone()).await?.is_empty()
        {
            return Ok(Vec::new());
        }
        let mut turn = self.write_lightly().await?;
        let rows = turn.tx.rows(sql, values).await?;
        let due = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        if !due.is_empty() {
            turn.tx.run(claim, args![now, network, list(&due)?]).await?;
        }
        turn.commit().await?;
        Ok(due)
    }
}

/// An author has another handle.
pub(crate) async fn renamed(tx: &mut Tx, network: &str, account: &Account) -> Result<(), StoreError> {
    let handle = account.handle.to_ascii_lowercase();
    if !handle.is_empty() {
        tx.run(RENAME, args![handle, network, account.id.as_str()]).await?;
    }
    Ok(())
}

/// Forgets the profile of an author who is gone.
pub(crate) async fn forget_profile(tx: &mut Tx, network: &str, id: &str) -> Result<(), StoreError> {
    tx.run(FORGET_ONE, args![network, id]).await.map(|_| ())
}

/// Forgets profiles that nobody wanted since; how many.
pub(crate) async fn forget_profiles(tx: &mut Tx, time: Millis, most: i64) -> Result<u64, StoreError> {
    tx.run(FORGET, args![time, most]).await
}

fn before(now: Millis, time: Duration) -> Millis {
    now.saturating_sub(Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX))
}

fn maybe(text: Option<&str>) -> crate::sql::Arg {
    text.map_or(crate::sql::Arg::Null, crate::sql::Arg::from)
}
