//! The buffer of the embedded server, in the same SQLite file as the store.
//!
//! Leases stand in a table of their own, so that leasing does not write entries again, and are not forced to the disk:
//! who loses one with the power gets the entry anew. Appended entries can be leased before they are durable, for they
//! are so at the latest with the commit of what became of them.

use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::{
    Batch, Buffer, BufferError, Claim, Counts, Encoded, EntryId, Fence, LONGEST_LEASE, Leased, Most, Stats,
};
use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::disk::Room;
use crate::error::buffer_error;
use crate::gaps;
use crate::sql::{Arg, Many, Sql, Tx, args, list, many, row, statements};

/// SQLite alone has them.
const fn sqlite(text: &'static str) -> Sql {
    Sql::each(text, "")
}

statements! {
    SOURCE = sqlite("SELECT holder, fence, lease_until, cursor_at, counts FROM source WHERE name = ?");
    CLAIM = sqlite(
        "INSERT INTO source (name, holder, fence, lease_until, cursor_at, counts) VALUES (?1, ?2, ?3, ?4, NULL, '')
         ON CONFLICT (name) DO UPDATE SET holder = ?2, fence = ?3, lease_until = ?4",
    );
    RENEW = sqlite("UPDATE source SET lease_until = ? WHERE name = ? AND fence = ?");
    PROGRESS = sqlite("UPDATE source SET cursor_at = COALESCE(?, cursor_at), counts = ? WHERE name = ?");
    // One that is there already is that of a file which is read again.
    GAPS = sqlite(
        "INSERT INTO gap (source, from_at, to_at, reason, missing, told_at)
         SELECT ?1, value ->> 'from', value ->> 'to', value ->> 'reason', value ->> 'missing', ?2 FROM json_each(?3)
         WHERE NOT EXISTS (SELECT 1 FROM gap g WHERE g.source = ?1 AND g.from_at = value ->> 'from'
             AND g.to_at = value ->> 'to' AND g.reason = value ->> 'reason' AND g.missing IS value ->> 'missing')",
    );
    COUNT = sqlite("UPDATE state SET value = value + ?2 WHERE name = ?1");
    // The sizes stand in the headers of the rows, so that of an entry which is one too many no more than that is read.
    FREE = sqlite(
        "SELECT f.seq, e.bytes, f.attempts FROM (
             SELECT seq, attempts, size, SUM(size) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS with_it FROM (
                 SELECT e.seq AS seq, COALESCE(l.attempts, 0) AS attempts, length(e.bytes) AS size
                 FROM buffer_entry e LEFT JOIN buffer_lease l ON l.seq = e.seq
                 WHERE l.seq IS NULL OR l.lease_until <= ? ORDER BY e.seq LIMIT +?)) f
         CROSS JOIN buffer_entry e ON e.seq = f.seq WHERE f.with_it <= ? OR f.with_it = f.size ORDER BY f.seq",
    );
    LEASE = sqlite(
        "INSERT INTO buffer_lease (seq, holder, lease_until, attempts)
         SELECT value, ?, ?, 1 FROM json_each(?) WHERE true
         ON CONFLICT (seq) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until,
             attempts = attempts + 1",
    );
    EXTEND = sqlite(
        "UPDATE buffer_lease SET lease_until = ? WHERE holder = ? AND seq IN (SELECT value FROM json_each(?))",
    );
    RELEASE = sqlite(
        "UPDATE buffer_lease SET lease_until = 0, attempts = attempts - 1
         WHERE holder = ? AND seq IN (SELECT value FROM json_each(?))",
    );
    CUT = sqlite("UPDATE buffer_lease SET lease_until = ?1 WHERE lease_until > ?1");
    FORGET = sqlite("UPDATE buffer_lease SET lease_until = 0 WHERE holder = ? AND lease_until > 0");
    SIZES = sqlite(
        "SELECT COUNT(*), COALESCE(SUM(length(bytes)), 0) FROM buffer_entry
         WHERE seq IN (SELECT value FROM json_each(?))",
    );
    GONE = sqlite("SELECT value FROM json_each(?) WHERE value NOT IN (SELECT seq FROM buffer_entry)");
    REMOVE = sqlite("DELETE FROM buffer_entry WHERE seq IN (SELECT value FROM json_each(?))");
    UNLEASE = sqlite("DELETE FROM buffer_lease WHERE seq IN (SELECT value FROM json_each(?))");
    SEEN_WRONG = sqlite(
        "SELECT 1 FROM state WHERE name IN ('buffer_entries', 'buffer_bytes')
             AND (value < 0 OR (value > 0) <> EXISTS (SELECT 1 FROM buffer_entry))",
    );
    RECOUNT_ENTRIES = sqlite(
        "UPDATE state SET value = (SELECT COUNT(*) FROM buffer_entry) WHERE name = 'buffer_entries'",
    );
    RECOUNT_BYTES = sqlite(
        "UPDATE state SET value = (SELECT COALESCE(SUM(length(bytes)), 0) FROM buffer_entry)
         WHERE name = 'buffer_bytes'",
    );
    RECOUNTED = sqlite(
        "INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
    STATS = sqlite(
        "SELECT (SELECT value FROM state WHERE name = 'buffer_entries'),
             (SELECT value FROM state WHERE name = 'buffer_bytes'),
             (SELECT value FROM state WHERE name = 'redelivered'),
             (SELECT COUNT(*) FROM buffer_lease WHERE lease_until > ?),
             (SELECT at FROM buffer_entry ORDER BY seq LIMIT 1)",
    );
}

/// Inserts of many rows.
pub(crate) const MANY: &[Many] = &[APPEND];

const APPEND: Many =
    many!("INSERT INTO buffer_entry (part, at, bytes) VALUES", "(?,?,?)", "", "").of_sqlite();

/// Where `state` says when the entries were counted anew last.
pub(crate) const RECOUNTED_AT: &str = "buffer_recounted_at";

/// The buffer in the file of a SQLite store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Embedded {
    database: Database,
    capacity: u64,
}

impl Embedded {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, capacity: u64::MAX }
    }

    /// Refuses what would make the entries take more bytes than this.
    #[must_use]
    pub fn with_capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self
    }

    /// Lets go of all leases of a worker that is known to be gone.
    ///
    /// # Errors
    /// As [`Buffer::lease`].
    pub async fn forget_leases(&self, worker: &str) -> Result<(), BufferError> {
        self.database.run(FORGET, args![worker]).await.map(|_| ()).map_err(buffer_error)
    }

    /// Counts the entries anew if what is counted can't be so: somebody put some in, or took some out, without counting
    /// them. It reads all of them for that, and [`Status`](crate::Status) says when it was done.
    ///
    /// # Errors
    /// As [`Buffer::append`].
    pub async fn recount(&self) -> Result<(), BufferError> {
        let count = async {
            let mut turn = self.database.write_lightly().await?;
            if turn.tx.row(SEEN_WRONG, args![]).await?.is_none() {
                return Ok(());
            }
            turn.tx.run(RECOUNT_ENTRIES, args![]).await?;
            turn.tx.run(RECOUNT_BYTES, args![]).await?;
            turn.tx.run(RECOUNTED, args![RECOUNTED_AT, self.database.now()]).await?;
            turn.commit().await
        };
        count.await.map_err(buffer_error)
    }

    async fn take(
        &self,
        source: &str,
        instance: &str,
        lease: Duration,
    ) -> Result<Result<Claim, BufferError>, StoreError> {
        let mut turn = self.database.write().await?;
        let (now, mut claim) = (self.database.now(), Claim { fence: Fence(1), cursor: None, is_new: true });
        if let Some(row) = turn.tx.row(SOURCE, args![source]).await? {
            let (holder, until) = (row.text(0)?, row.int(2)?);
            if holder != instance && until > now {
                // No lease lasts longer than one that begins now: what says so was written by a stranger, or before the
                // clock was set back. It is cut for good, so that it comes to an end; a holder that lives prolongs it.
                let most = after(now, lease);
                if until > most {
                    turn.tx.run(RENEW, args![most, source, row.int(1)?]).await?;
                    turn.commit().await?;
                }
                let free_in = Duration::from_millis(until.min(most).abs_diff(now));
                let (source_name, cursor) = (source.to_owned(), row.maybe_text(3)?);
                return Ok(Err(BufferError::Taken { source_name, holder, free_in, cursor }));
            }
            let fence = Fence(row.int(1)?.cast_unsigned() + 1);
            claim = Claim { fence, cursor: row.maybe_text(3)?, is_new: false };
        }
        let fence = claim.fence.0.cast_signed();
        turn.tx.run(CLAIM, args![source, instance, fence, after(now, lease)]).await?;
        turn.commit().await?;
        Ok(Ok(claim))
    }

    async fn add(&self, batch: &Batch) -> Result<Result<(), BufferError>, StoreError> {
        let size: usize = batch.entries.iter().map(|entry| entry.bytes.len()).sum();
        let (added, gaps) = (number(batch.entries.len()), list(&batch.gaps)?);

        let mut turn = self.database.write_lightly().await?;
        let tx = &mut turn.tx;
        let source = tx.row(SOURCE, args![batch.source.as_str()]).await?;
        let source = match source {
            Some(row) if row.int(1)?.cast_unsigned() == batch.fence.0 => row,
            _ => return Ok(Err(BufferError::Fenced { source_name: batch.source.clone() })),
        };
        let now = self.database.now();
        if added > 0 {
            if let Some(room) = self.database.room_in(tx).await?.filter(Room::is_full) {
                return Ok(Err(BufferError::Full(format!("{room}"))));
            }
            if self.capacity < u64::MAX {
                let held = tx.row(STATS, args![now]).await?.map_or(Ok(0), |row| row.int(1))?;
                let held = held.max(0).cast_unsigned();
                if held.saturating_add(size as u64) > self.capacity {
                    return Ok(Err(BufferError::Full(format!(
                        "{held} bytes wait, and {} may",
                        self.capacity
                    ))));
                }
            }
            let row = |entry: &Encoded| row![entry.key.cast_signed(), now, entry.bytes.clone()];
            tx.run_many(&APPEND, batch.entries.iter().map(row).collect()).await?;
            tx.run(COUNT, args!["buffer_entries", added]).await?;
            tx.run(COUNT, args!["buffer_bytes", number(size)]).await?;
        }
        if !batch.gaps.is_empty() {
            tx.run(GAPS, args![batch.source.as_str(), now, gaps]).await?;
            gaps::let_go(tx, &batch.source).await?;
        }
        let mut counts = source_counts(&source.text(4)?);
        counts.add(&batch.counts);
        let counts =
            serde_json::to_string(&counts).map_err(|error| StoreError::Refused(error.to_string()))?;
        let cursor = batch.cursor.as_deref().map_or(crate::sql::Arg::Null, Into::into);
        tx.run(PROGRESS, args![cursor, counts, batch.source.as_str()]).await?;
        turn.commit_together().await?;
        Ok(Ok(()))
    }

    async fn lend(&self, worker: &str, most: Most, lease: Duration) -> Result<Vec<Leased>, StoreError> {
        let mut turn = self.database.write_lightly().await?;
        let now = self.database.now();
        let (mut leased, mut seqs, mut again) = (Vec::new(), Vec::new(), 0);
        // Of a stranger, or from before the clock was set back.
        let cut = turn.tx.run(CUT, args![after(now, LONGEST_LEASE)]).await? > 0;
        for row in turn.tx.rows(FREE, args![now, number(most.entries), number(most.bytes)]).await? {
            let (seq, attempts) = (row.int(0)?, row.int(2)?);
            seqs.push(seq);
            again += i64::from(attempts == 1);
            leased.push(Leased {
                id: EntryId(seq.to_string()),
                bytes: row.bytes(1)?,
                attempts: u32::try_from(attempts + 1).unwrap_or(u32::MAX),
            });
        }
        if !seqs.is_empty() {
            let until = after(now, lease.min(LONGEST_LEASE));
            turn.tx.run(LEASE, args![worker, until, list(&seqs)?]).await?;
            if again > 0 {
                turn.tx.run(COUNT, args!["redelivered", again]).await?;
            }
        }
        if cut || !seqs.is_empty() {
            turn.commit().await?;
        }
        Ok(leased)
    }

    async fn lightly(&self, sql: Sql, args: Vec<crate::sql::Arg>) -> Result<(), BufferError> {
        let change = async {
            let mut turn = self.database.write_lightly().await?;
            turn.tx.run(sql, args).await?;
            turn.commit().await
        };
        change.await.map_err(buffer_error)
    }
}

impl Buffer for Embedded {
    async fn claim(&self, source: &str, instance: &str, lease: Duration) -> Result<Claim, BufferError> {
        self.take(source, instance, lease).await.map_err(buffer_error)?
    }

    async fn renew(&self, source: &str, fence: Fence, lease: Duration) -> Result<(), BufferError> {
        let until = after(self.database.now(), lease);
        let renewed = self.database.run(RENEW, args![until, source, fence.0.cast_signed()]).await;
        match renewed.map_err(buffer_error)? {
            0 => Err(BufferError::Fenced { source_name: source.to_owned() }),
            _ => Ok(()),
        }
    }

    async fn append(&self, batch: &Batch) -> Result<(), BufferError> {
        self.add(batch).await.map_err(buffer_error)?
    }

    async fn lease(&self, worker: &str, most: Most, lease: Duration) -> Result<Vec<Leased>, BufferError> {
        self.lend(worker, most, lease).await.map_err(buffer_error)
    }

    async fn extend(&self, worker: &str, entries: &[EntryId], lease: Duration) -> Result<(), BufferError> {
        let until = after(self.database.now(), lease.min(LONGEST_LEASE));
        let seqs = list(&seqs(entries)).map_err(buffer_error)?;
        self.lightly(EXTEND, args![until, worker, seqs]).await
    }

    async fn ack(&self, _worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        let acked = async {
            let seqs = list(&seqs(entries))?;
            let mut turn = self.database.write_lightly().await?;
            if let Some(row) = turn.tx.row(SIZES, args![seqs.clone()]).await? {
                remove(&mut turn.tx, seqs, row.int(0)?, row.int(1)?).await?;
            }
            turn.commit().await
        };
        acked.await.map_err(buffer_error)
    }

    async fn release(&self, worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        let seqs = list(&seqs(entries)).map_err(buffer_error)?;
        self.lightly(RELEASE, args![worker, seqs]).await
    }

    async fn stats(&self) -> Result<Stats, BufferError> {
        let read = async {
            let mut tx = self.database.read().await?;
            let found = stats(&mut tx, self.database.now()).await?;
            tx.commit().await?;
            Ok(found)
        };
        read.await.map_err(buffer_error)
    }
}

/// Removes entries within a transaction, whoever holds them.
///
/// # Errors
/// [`StoreError::Done`] for those that are not there any more, since what became of them was committed before.
pub(crate) async fn ack(tx: &mut Tx, entries: &[EntryId]) -> Result<(), StoreError> {
    let wanted = seqs(entries);
    let seqs = list(&wanted)?;
    let (mut count, mut bytes) = (0, 0);
    if let Some(row) = tx.row(SIZES, args![seqs.clone()]).await? {
        (count, bytes) = (row.int(0)?, row.int(1)?);
    }
    if count < number(wanted.len()) {
        let rows = tx.rows(GONE, args![seqs.clone()]).await?;
        let gone = rows.iter().map(|row| Ok(EntryId(row.int(0)?.to_string())));
        let gone = gone.collect::<Result<Vec<_>, StoreError>>()?;
        if !gone.is_empty() {
            return Err(StoreError::Done(gone));
        }
    }
    remove(tx, seqs, count, bytes).await
}

async fn remove(tx: &mut Tx, seqs: Arg, count: i64, bytes: i64) -> Result<(), StoreError> {
    tx.run(REMOVE, args![seqs.clone()]).await?;
    tx.run(UNLEASE, args![seqs]).await?;
    tx.run(COUNT, args!["buffer_entries", -count]).await?;
    tx.run(COUNT, args!["buffer_bytes", -bytes]).await?;
    Ok(())
}

/// Whether entries are of a buffer in the store's file: others have other names.
pub(crate) fn are_own(entries: &[EntryId]) -> bool {
    entries.iter().all(|entry| entry.0.parse::<i64>().is_ok())
}

/// How full the buffer of a SQLite file is.
pub(crate) async fn stats(tx: &mut Tx, now: Millis) -> Result<Stats, StoreError> {
    let Some(row) = tx.row(STATS, args![now]).await? else { return Ok(Stats::default()) };
    // Below 0 where somebody else put entries in and did not count them.
    let count = |column| row.int(column).map(|count| count.max(0).cast_unsigned());
    Ok(Stats {
        lost: 0,
        entries: count(0)?,
        bytes: count(1)?,
        redelivered: count(2)?,
        leased: count(3)?,
        oldest: row.maybe_int(4)?,
    })
}

/// What was counted of a source.
pub(crate) fn source_counts(json: &str) -> Counts {
    serde_json::from_str(json).unwrap_or_default()
}

/// The numbers of entries.
fn seqs(entries: &[EntryId]) -> Vec<i64> {
    entries.iter().filter_map(|entry| entry.0.parse().ok()).collect()
}

fn after(now: Millis, time: Duration) -> Millis {
    now.saturating_add(Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX))
}

fn number(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
