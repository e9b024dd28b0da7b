//! What stands in the database: counts, sources, gaps, crashes.

use std::collections::BTreeMap;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::{Counts, Gap, Stats};
use tweetfilter_stream::store::StoreError;

use crate::buffer::{self, RECOUNTED_AT, source_counts};
use crate::database::Database;
use crate::dead::PUT_BACK;
use crate::gaps::GAPS_DROPPED;
use crate::retention::{FORGOTTEN, FORGOTTEN_AT, FORGOTTEN_UP_TO};
use crate::sql::{Sql, Tx, args, statements};

statements! {
    // A post's number counts; the table itself is too long for it.
    COUNTS = Sql::both(
        "SELECT (SELECT COUNT(*) FROM account), (SELECT COUNT(*) FROM filter),
             (SELECT COUNT(*) FROM named_set) + (SELECT COUNT(*) FROM account_set),
             COALESCE((SELECT MAX(num) FROM post) - (SELECT MIN(num) FROM post) + 1, 0),
             (SELECT COUNT(*) FROM dead_letter), (SELECT COUNT(*) FROM gap), (SELECT COUNT(*) FROM crash_event)",
    );
    STATE = Sql::both("SELECT name, value FROM state");
    DELIVERIES = Sql::each(
        "SELECT COALESCE(SUM(json_array_length(items)), 0) FROM delivery_pack",
        "SELECT CAST(COALESCE(SUM(JSON_LENGTH(items)), 0) AS SIGNED) FROM delivery_pack",
    );
    MATCHES = Sql::both("SELECT filter, COUNT(*) FROM matches GROUP BY filter ORDER BY filter");
    OUTCOMES = Sql::both(
        "SELECT source, stored, suppressed, repeated, stale, dead, strangers, unmatched FROM outcome_count ORDER BY source",
    );
    LAST_OUTCOME = Sql::both("SELECT last_at FROM outcome_count WHERE source = ?");
    SOURCES = Sql::both("SELECT name, holder, fence, lease_until, cursor_at, counts FROM source ORDER BY name");
    GAPS = Sql::both("SELECT source, from_at, to_at, reason, missing FROM gap ORDER BY id DESC LIMIT ?");
    CRASH = Sql::both("INSERT INTO crash_event (part, at, reason, backtrace) VALUES (?, ?, ?, ?)");
    CRASHES = Sql::both("SELECT part, at, reason, backtrace FROM crash_event ORDER BY id DESC LIMIT ?");
}

/// How much there is of everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// Accounts.
    pub accounts: u64,
    /// Filters, those that are switched off included.
    pub filters: u64,
    /// Named sets.
    pub sets: u64,
    /// Posts, deleted ones included.
    pub posts: u64,
    /// Dead letters.
    pub dead: u64,
    /// Gaps that are kept.
    pub gaps: u64,
    /// Older gaps that were let go, since their sources had too many.
    pub gaps_dropped: u64,
    /// Crash events.
    pub crashes: u64,
    /// The last commit.
    pub commit: i64,
    /// The revision of accounts and filters.
    pub revision: u64,
    /// Deleted posts that are remembered.
    pub tombstones: u64,
    /// Deleted posts that were forgotten since there were too many.
    pub tombstones_dropped: u64,
    /// Posts that were forgotten early, since the disk was short of room.
    pub forgotten_for_room: u64,
    /// When the newest of them was received.
    pub forgotten_up_to: Option<Millis>,
    /// When that was done last.
    pub forgotten_at: Option<Millis>,
    /// Of the embedded buffer.
    pub buffer: Option<Stats>,
    /// When its entries were counted anew last, since what was counted could not be so.
    pub recounted_at: Option<Millis>,
    /// By source.
    pub sources: Vec<SourceStatus>,
}

/// What became of the posts of a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceStatus {
    /// Its name.
    pub name: String,
    /// Posts that were stored.
    pub stored: u64,
    /// Posts that were deleted before they came.
    pub suppressed: u64,
    /// Copies of stored posts, for further viewers or none.
    pub repeated: u64,
    /// Versions that a newer one replaced, or had replaced when they came.
    pub stale: u64,
    /// Posts that no attempt could store; one that is put back into the buffer is none of them any more.
    pub dead: u64,
    /// Viewers without an account here.
    pub strangers: u64,
    /// Posts that no filter matched, where only others are kept.
    pub unmatched: u64,
    /// What ingest counted, if it appends to the embedded buffer.
    pub counts: Counts,
    /// The instance that reads it, and until when.
    pub holder: Option<(String, Millis)>,
    /// Where it is read on from.
    pub cursor: Option<String>,
}

impl SourceStatus {
    /// Entries whose post has come to an end that is known: `stored + suppressed + repeated + stale + dead + unmatched`.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.stored + self.suppressed + self.repeated + self.stale + self.dead + self.unmatched
    }

    /// Whether all entries of a source have come to an end, once none of them waits in the buffer.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.counts.balance() && self.counts.entries == self.ended()
    }
}

/// Results that stand in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Posts in timelines of accounts, deleted ones included.
    pub deliveries: u64,
    /// By filter, posts that it matched and that are not deleted.
    pub matches: BTreeMap<i64, u64>,
}

/// A gap of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGap {
    /// The source.
    pub source: String,
    /// What is missing.
    pub gap: Gap,
}

/// A part that ended without saying so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrashEvent {
    /// Which part of the product.
    pub part: String,
    /// When it ended, or when that was found out.
    pub at: Millis,
    /// Why, as far as is known.
    pub reason: String,
    /// Where, if it panicked.
    pub backtrace: String,
}

impl Database {
    /// How much there is of everything.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn status(&self) -> Result<Status, StoreError> {
        let mut status = Status::default();
        let mut tx = self.read().await?;
        if let Some(row) = tx.row(COUNTS, args![]).await? {
            let count = |column| row.int(column).map(i64::cast_unsigned);
            (status.accounts, status.filters, status.sets) = (count(0)?, count(1)?, count(2)?);
            (status.posts, status.dead) = (count(3)?, count(4)?);
            (status.gaps, status.crashes) = (count(5)?, count(6)?);
        }
        for row in tx.rows(STATE, args![]).await? {
            let value = row.int(1)?;
            match row.text(0)?.as_str() {
                "commit" => status.commit = value,
                "revision" => status.revision = value.cast_unsigned(),
                "tombstones" => status.tombstones = value.cast_unsigned(),
                FORGOTTEN => status.forgotten_for_room = value.cast_unsigned(),
                FORGOTTEN_AT => status.forgotten_at = Some(value),
                RECOUNTED_AT => status.recounted_at = Some(value),
                FORGOTTEN_UP_TO => status.forgotten_up_to = Some(value),
                GAPS_DROPPED => status.gaps_dropped = value.cast_unsigned(),
                "tombstones_dropped" => status.tombstones_dropped = value.cast_unsigned(),
                _ => {}
            }
        }
        for row in tx.rows(OUTCOMES, args![]).await? {
            // Below 0 while a batch that was cut off is being done again.
            let count = |column| row.int(column).map(|count| count.max(0).cast_unsigned());
            status.sources.push(SourceStatus {
                name: row.text(0)?,
                stored: count(1)?,
                suppressed: count(2)?,
                repeated: count(3)?,
                stale: count(4)?,
                dead: count(5)?,
                strangers: count(6)?,
                unmatched: count(7)?,
                ..SourceStatus::default()
            });
        }
        for row in tx.rows(SOURCES, args![]).await? {
            let name = row.text(0)?;
            let known = status.sources.iter().position(|source| source.name == name);
            let place = known.unwrap_or_else(|| {
                status.sources.push(SourceStatus { name, ..SourceStatus::default() });
                status.sources.len() - 1
            });
            let source = &mut status.sources[place];
            source.holder = Some((row.text(1)?, row.int(3)?));
            source.cursor = row.maybe_text(4)?;
            source.counts = source_counts(&row.text(5)?);
        }
        status.sources.retain(|source| source.name != PUT_BACK || source.counts.entries > 0);
        // Of the same moment as the counts: what is acked is counted with it.
        if self.buffer().is_some() {
            status.buffer = Some(buffer::stats(&mut tx, self.now()).await?);
        }
        tx.commit().await?;
        Ok(status)
    }

    /// When the newest of a source's posts was received that were stored, or otherwise came to their end; `None` if none
    /// ever did, 0 if that is all that is known.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn last_outcome(&self, source: &str) -> Result<Option<Millis>, StoreError> {
        let rows = self.rows(LAST_OUTCOME, args![source]).await?;
        rows.first().map(|row| row.int(0)).transpose()
    }

    /// Counts what stands in the store. Reads all of it: for small stores.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn results(&self) -> Result<Results, StoreError> {
        let mut tx = self.read().await?;
        let deliveries = tx.row(DELIVERIES, args![]).await?.map_or(Ok(0), |row| row.int(0))?;
        let mut results = Results { deliveries: deliveries.cast_unsigned(), ..Results::default() };
        for row in tx.rows(MATCHES, args![]).await? {
            results.matches.insert(row.int(0)?, row.int(1)?.cast_unsigned());
        }
        tx.commit().await?;
        Ok(results)
    }

    /// The newest gaps.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn gaps(&self, limit: u32) -> Result<Vec<StoredGap>, StoreError> {
        let rows = self.rows(GAPS, args![i64::from(limit)]).await?;
        let gap = |row: &crate::sql::Row| {
            let missing = row.maybe_int(4)?.map(i64::cast_unsigned);
            let gap = Gap { from: row.int(1)?, to: row.int(2)?, reason: row.text(3)?, missing };
            Ok(StoredGap { source: row.text(0)?, gap })
        };
        rows.iter().map(gap).collect()
    }

    /// Keeps that a part crashed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record_crash(&self, event: &CrashEvent) -> Result<(), StoreError> {
        let mut turn = self.write().await?;
        record(&mut turn.tx, event).await?;
        turn.commit().await
    }

    /// The newest crashes.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn crashes(&self, limit: u32) -> Result<Vec<CrashEvent>, StoreError> {
        let rows = self.rows(CRASHES, args![i64::from(limit)]).await?;
        let event = |row: &crate::sql::Row| {
            Ok(CrashEvent {
                part: row.text(0)?,
                at: row.int(1)?,
                reason: row.text(2)?,
                backtrace: row.text(3)?,
            })
        };
        rows.iter().map(event).collect()
    }
}

/// Records a crash.
pub(crate) async fn record(tx: &mut Tx, event: &CrashEvent) -> Result<(), StoreError> {
    let values = args![event.part.as_str(), event.at, event.reason.as_str(), event.backtrace.as_str()];
    tx.run(CRASH, values).await?;
    Ok(())
}
