//! Gaps of sources: those of the embedded buffer are written with its batches, and those that a buffer elsewhere noted are
//! taken from there, since whoever empties that would take them along. So is where a source stood, by which the gap begins
//! that this leaves.

use std::collections::HashSet;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::MOST_GAPS;
use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::lists::text;
use crate::retention::ADD;
use crate::sql::{Row, Sql, Tx, args, list, statements};
use crate::status::StoredGap;

statements! {
    KEEP = Sql::each(
        "INSERT INTO gap (source, from_at, to_at, reason, missing, told_at)
         SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, NULLIF(j.value ->> 4, -1), ?
         FROM json_each(?) j
         WHERE NOT EXISTS (SELECT 1 FROM gap g WHERE g.source = j.value ->> 0 AND g.from_at = j.value ->> 1
             AND g.to_at = j.value ->> 2 AND g.reason = j.value ->> 3 AND COALESCE(g.missing, -1) = j.value ->> 4)",
        concat!(
            "INSERT INTO gap (source, from_at, to_at, reason, missing, told_at)
             SELECT j.source, j.from_at, j.to_at, j.reason, NULLIF(j.missing, -1), ?
             FROM JSON_TABLE(?, '$[*]' COLUMNS (",
            text!("source", "VARCHAR(190)", "$[0]"),
            ", from_at BIGINT PATH '$[1]', to_at BIGINT PATH '$[2]', ",
            text!("reason", "TEXT", "$[3]"),
            ", missing BIGINT PATH '$[4]')) j
             WHERE NOT EXISTS (SELECT 1 FROM gap g WHERE g.source = j.source AND g.from_at = j.from_at
                 AND g.to_at = j.to_at AND g.reason = j.reason AND COALESCE(g.missing, -1) = j.missing)"
        ),
    );
    // MariaDB reads no table that it deletes from, but what was read of it before.
    OLD = Sql::both(
        "DELETE FROM gap WHERE source = ? AND id <= (
             SELECT id FROM (SELECT id FROM gap WHERE source = ? ORDER BY id DESC LIMIT 1 OFFSET ?) newest)",
    );
    STANDS = Sql::each(
        "INSERT INTO source_place (name, cursor_at, since) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET cursor_at = excluded.cursor_at, since = excluded.since",
        "INSERT INTO source_place (name, cursor_at, since) VALUES (?, ?, ?)
         ON DUPLICATE KEY UPDATE cursor_at = VALUES(cursor_at), since = VALUES(since)",
    );
    STOOD = Sql::both("SELECT cursor_at, since FROM source_place WHERE name = ?");
}

/// Where a source stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourcePlace {
    /// Where it can be read on from, if it has a cursor.
    pub cursor: Option<String>,
    /// What was received since then was not done, or may be lost with the buffer.
    pub since: Millis,
}

/// Where `state` counts gaps that were let go.
pub(crate) const GAPS_DROPPED: &str = "gaps_dropped";

impl Database {
    /// Keeps gaps of a source; those that are there already are passed over, so that they may be told again. The newest
    /// [`MOST_GAPS`] of a source stay, and older ones are counted.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keep_gaps(&self, gaps: &[StoredGap]) -> Result<(), StoreError> {
        let Some(first) = gaps.first() else { return Ok(()) };
        // The statement sees what stood in the table before it, not what it is about to write.
        let mut told = HashSet::new();
        let rows: Vec<Told<'_>> = gaps.iter().map(row).filter(|row| told.insert(*row)).collect();
        let mut turn = self.write().await?;
        // One at a time: of several who know of the same gap, the others find it there.
        turn.tx.run(ADD, args![GAPS_DROPPED, 0_i64]).await?;
        turn.tx.run(KEEP, args![self.now(), list(&rows)?]).await?;
        let_go(&mut turn.tx, &first.source).await?;
        turn.commit().await
    }

    /// Keeps where a source stands whose buffer is elsewhere.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keep_source_place(&self, source: &str, place: &SourcePlace) -> Result<(), StoreError> {
        // What the power takes along is a few seconds old.
        let mut turn = self.write_lightly().await?;
        turn.tx.run(STANDS, args![source, place.cursor.as_deref(), place.since]).await?;
        turn.commit().await
    }

    /// Where a source stood when that was kept last.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn source_place(&self, source: &str) -> Result<Option<SourcePlace>, StoreError> {
        let rows = self.rows(STOOD, args![source]).await?;
        let place = |row: &Row| Ok(SourcePlace { cursor: row.maybe_text(0)?, since: row.int(1)? });
        rows.first().map(place).transpose()
    }
}

/// A gap as it is bound: its source, from, to, reason, and how many are missing.
type Told<'g> = (&'g str, Millis, Millis, &'g str, i64);

/// -1 where nobody knows how many are missing, for a null of JSON is not one of SQL everywhere.
fn row(stored: &StoredGap) -> Told<'_> {
    let gap = &stored.gap;
    let missing = gap.missing.map_or(-1, |missing| i64::try_from(missing).unwrap_or(i64::MAX));
    (stored.source.as_str(), gap.from, gap.to, gap.reason.as_str(), missing)
}

/// Lets go of the oldest gaps of a source, if it has too many.
pub(crate) async fn let_go(tx: &mut Tx, source: &str) -> Result<(), StoreError> {
    let most = i64::try_from(MOST_GAPS).unwrap_or(i64::MAX);
    let dropped = tx.run(OLD, args![source, source, most]).await?;
    if dropped > 0 {
        tx.run(ADD, args![GAPS_DROPPED, dropped.cast_signed()]).await?;
    }
    Ok(())
}
