//! Entries of a buffer elsewhere that are committed and perhaps not acknowledged.
//!
//! A commit and the acknowledgement of its entries are two steps where the buffer is not in the same file, and a large
//! batch is several transactions. Whoever is cut off in between gets the entries again, and must not count them again. So
//! a batch is noted with its first transaction, under the name of its first entry, and crossed out when the worker says
//! that it is acknowledged. Who comes with a lease that has run out is turned away before: what another did may be crossed
//! out by then.

use std::collections::HashSet;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::EntryId;
use tweetfilter_stream::store::StoreError;

use super::{Count, CountBySource};
use crate::database::Database;
use crate::sql::{Row, Sql, Tx, args, list, statements};

statements! {
    ALL = Sql::both("SELECT name, is_whole, entries, counts FROM unacknowledged");
    NOTE = Sql::each(
        "INSERT INTO unacknowledged (name, at, is_whole, entries, counts) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET at = excluded.at, is_whole = excluded.is_whole, entries = excluded.entries,
             counts = excluded.counts",
        "INSERT INTO unacknowledged (name, at, is_whole, entries, counts) VALUES (?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE at = VALUES(at), is_whole = VALUES(is_whole), entries = VALUES(entries),
             counts = VALUES(counts)",
    );
    GO_ON = Sql::both("UPDATE unacknowledged SET is_whole = ?, counts = ? WHERE name = ?");
    CROSS_OUT = Sql::both("DELETE FROM unacknowledged WHERE name = ?");
    OLDER = Sql::both("SELECT entries FROM unacknowledged WHERE at < ? ORDER BY at, name");
    CROSS_OUT_OLDER = Sql::both("DELETE FROM unacknowledged WHERE name = ? AND at < ?");
    UNCOUNT = Sql::both(
        "UPDATE outcome_count SET repeated = repeated - ?, suppressed = suppressed - ?, stale = stale - ?,
             strangers = strangers - ?, unmatched = unmatched - ? WHERE source = ?",
    );
}

/// A batch that is being committed.
pub(super) struct Batch<'l> {
    entries: &'l [EntryId],
    /// What its transactions up to now have counted.
    counts: CountBySource,
}

impl<'l> Batch<'l> {
    /// `None` if there is nothing to acknowledge.
    pub(super) fn new(entries: &'l [EntryId]) -> Option<Self> {
        (!entries.is_empty()).then(|| Self { entries, counts: CountBySource::new() })
    }

    fn name(&self) -> &str {
        &self.entries[0].0
    }

    /// Looks whether some of its entries were committed before.
    ///
    /// # Errors
    /// [`StoreError::Done`] for those that were. Those of a batch that was cut off are evaluated again, and what it
    /// counted is taken back: what it stored will be found to be there.
    pub(super) async fn begin(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let mine: HashSet<&EntryId> = self.entries.iter().collect();
        let mut done = Vec::new();
        for row in tx.rows(ALL, args![]).await? {
            let entries: Vec<String> = row.json(2)?;
            let mut shared = entries.into_iter().map(EntryId).filter(|entry| mine.contains(entry)).peekable();
            if row.int(1)? != 0 {
                done.extend(shared);
            } else if shared.peek().is_some() {
                for (source, count) in row.json::<CountBySource>(3)? {
                    let Count { stored, suppressed, repeated, stale, strangers, unmatched, .. } = count;
                    let values = args![stored + repeated, suppressed, stale, strangers, unmatched, source];
                    tx.run(UNCOUNT, values).await?;
                }
                tx.run(CROSS_OUT, args![row.text(0)?]).await?;
            }
        }
        if done.is_empty() { Ok(()) } else { Err(StoreError::Done(done)) }
    }

    /// Notes what one of its transactions counted.
    ///
    /// # Errors
    /// [`StoreError::Retry`] if somebody else has the entries by now.
    pub(super) async fn note(
        &mut self,
        tx: &mut Tx,
        counts: &CountBySource,
        (is_first, is_last): (bool, bool),
        at: Millis,
    ) -> Result<(), StoreError> {
        for (source, count) in counts {
            self.counts.entry(source.clone()).or_default().add(count);
        }
        // Of a whole batch nothing is taken back.
        let counts = if is_last { Ok("{}".to_owned()) } else { serde_json::to_string(&self.counts) };
        let counts = counts.map_err(|error| StoreError::Refused(error.to_string()))?;
        if is_first {
            let ids: Vec<&str> = self.entries.iter().map(|entry| &*entry.0).collect();
            tx.run(NOTE, args![self.name(), at, is_last, list(&ids)?, counts]).await?;
        } else if tx.run(GO_ON, args![is_last, counts, self.name()]).await? == 0 {
            return Err(StoreError::Retry("another worker has its entries by now".to_owned()));
        }
        Ok(())
    }
}

impl Database {
    /// Batches that were noted before a time and are not crossed out: whoever committed them was killed, or its leases had run
    /// out.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unacknowledged(&self, before: Millis) -> Result<Vec<Vec<EntryId>>, StoreError> {
        let rows = self.rows(OLDER, args![before]).await?;
        let entries = |row: &Row| Ok(row.json::<Vec<String>>(0)?.into_iter().map(EntryId).collect());
        rows.iter().map(entries).collect()
    }

    /// Crosses out one of those, by its first entry. **The buffer must have none of its entries, and nobody may have leased one
    /// that commits it yet**: it would be counted once more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn cross_out(&self, first: &EntryId, before: Millis) -> Result<(), StoreError> {
        let mut turn = self.write().await?;
        turn.tx.run(CROSS_OUT_OLDER, args![first.0.as_str(), before]).await?;
        turn.commit().await
    }
}

/// Crosses out batches that are acknowledged, by their first entries.
pub(super) async fn cross_out(tx: &mut Tx, acknowledged: &[EntryId]) -> Result<(), StoreError> {
    for EntryId(name) in acknowledged {
        tx.run(CROSS_OUT, args![name.as_str()]).await?;
    }
    Ok(())
}
