//! Dead letters: what no attempt could store, for people to look at.

use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::{Batch, Buffer, BufferError, Encoded, Fence};
use tweetfilter_stream::entry::{Change, Content, Entry};
use tweetfilter_stream::gather::key;
use tweetfilter_stream::store::{DeadLetter, StoreError};

use crate::commit::LOCK;
use crate::database::Database;
use crate::lists::numbers;
use crate::sql::{Row, Sql, Tx, args, list, statements};

/// The source under which dead letters are put back. What came of them counts for those that they are of.
pub const PUT_BACK: &str = "dead letters";

statements! {
    PAGE = Sql::both(
        "SELECT id, source, reason, at, entry FROM dead_letter WHERE id > ? ORDER BY id LIMIT ?",
    );
    OUTLINES = Sql::both(
        "SELECT id, source, reason, at, LENGTH(entry) FROM dead_letter WHERE id > ? ORDER BY id LIMIT ?",
    );
    SIZES = Sql::each(
        "SELECT id, LENGTH(entry) FROM dead_letter WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        concat!(
            "SELECT d.id, LENGTH(d.entry) FROM ", numbers!(),
            " STRAIGHT_JOIN dead_letter d ON d.id = j.n ORDER BY d.id"
        ),
    );
    ONES = Sql::each(
        "SELECT id, source, reason, at, entry FROM dead_letter WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
        concat!(
            "SELECT d.id, d.source, d.reason, d.at, d.entry FROM ", numbers!(),
            " STRAIGHT_JOIN dead_letter d ON d.id = j.n ORDER BY d.id"
        ),
    );
    COUNT = Sql::both("SELECT COUNT(*) FROM dead_letter");
    OLD = Sql::both("SELECT id FROM dead_letter WHERE at < ? ORDER BY id LIMIT ?");
    REMOVE = Sql::both("DELETE FROM dead_letter WHERE id = ?");
    REMOVE_ALL = Sql::each(
        "DELETE FROM dead_letter WHERE id IN (SELECT value FROM json_each(?))",
        concat!("DELETE d FROM ", numbers!(), " STRAIGHT_JOIN dead_letter d ON d.id = j.n"),
    );
    FORGET = Sql::each(
        "DELETE FROM dead_post WHERE letter IN (SELECT value FROM json_each(?))",
        concat!("DELETE d FROM ", numbers!(), " STRAIGHT_JOIN dead_post d ON d.letter = j.n"),
    );
    REVIVE = Sql::both("UPDATE outcome_count SET dead = dead - ?, suppressed = suppressed + ? WHERE source = ?");
}

/// A dead letter, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLetter {
    /// Its number.
    pub id: i64,
    /// What it is. The entry is empty if its post was deleted since.
    pub letter: DeadLetter,
}

/// A dead letter without its entry, which may be as large as any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterOutline {
    /// Its number.
    pub id: i64,
    /// The source that it came from, if that could be read.
    pub source: String,
    /// What was wrong.
    pub reason: String,
    /// When it was given up.
    pub at: Millis,
    /// Bytes of its entry; 0 if its post was deleted since.
    pub bytes: u64,
}

/// Bytes of entries that are put back at once, and how many: they are all in memory then.
const PIECE: (u64, usize) = (4 << 20, 256);
/// How often they are taken off where somebody else is in the way, who each time gets on.
const TRIES: u32 = 20;

impl Database {
    /// Dead letters behind a number, oldest first, without their entries.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn dead_letter_outlines(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<LetterOutline>, StoreError> {
        self.rows(OUTLINES, args![after, i64::from(limit)]).await?.iter().map(outline).collect()
    }

    /// Dead letters behind a number, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn dead_letters(&self, after: i64, limit: u32) -> Result<Vec<StoredLetter>, StoreError> {
        self.rows(PAGE, args![after, i64::from(limit)]).await?.iter().map(letter).collect()
    }

    /// How many dead letters there are.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn count_dead_letters(&self) -> Result<u64, StoreError> {
        let rows = self.rows(COUNT, args![]).await?;
        rows.first().map_or(Ok(0), |row| row.int(0)).map(i64::cast_unsigned)
    }

    /// Puts dead letters back into a buffer, under a source that the caller has claimed, and takes them off the list, some
    /// at a time. Cut off in between, they stand in both, which does no harm. Returns how many went back.
    ///
    /// They are counted as dead no longer, but as whatever becomes of them; one whose post was deleted meanwhile as
    /// deleted before it came.
    ///
    /// # Errors
    /// Of the buffer; an error of the store is [`BufferError::Away`].
    pub async fn retry_dead_letters(
        &self,
        ids: &[i64],
        buffer: &impl Buffer,
        source: &str,
        fence: Fence,
    ) -> Result<usize, BufferError> {
        let rows = self.rows(SIZES, args![list(ids).map_err(away)?]).await.map_err(away)?;
        let size = |row: &Row| Ok((row.int(0)?, row.int(1)?.cast_unsigned()));
        let sizes = rows.iter().map(size).collect::<Result<Vec<_>, StoreError>>().map_err(away)?;
        let mut count = 0;
        for piece in pieces(&sizes) {
            count += self.retry_piece(&piece, buffer, source, fence).await?;
        }
        Ok(count)
    }

    async fn retry_piece(
        &self,
        ids: &[i64],
        buffer: &impl Buffer,
        source: &str,
        fence: Fence,
    ) -> Result<usize, BufferError> {
        let rows = self.rows(ONES, args![list(ids).map_err(away)?]).await.map_err(away)?;
        let letters = rows.iter().map(letter).collect::<Result<Vec<_>, _>>().map_err(away)?;
        let entries: Vec<_> = letters
            .iter()
            .map(|stored| &stored.letter.entry)
            .filter(|entry| !entry.is_empty())
            .map(|entry| Encoded { key: key_of(entry), bytes: entry.clone() })
            .collect();
        let count = entries.len();
        buffer.append(&Batch { source: source.to_owned(), fence, entries, ..Batch::default() }).await?;
        self.take_off(&letters).await.map_err(away)?;
        Ok(count)
    }

    /// Takes off what is in the buffer by now, so that nobody puts it there again.
    async fn take_off(&self, letters: &[StoredLetter]) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            match self.try_take_off(letters).await {
                // Whoever was in the way is done.
                Err(StoreError::Retry(_)) if tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    async fn try_take_off(&self, letters: &[StoredLetter]) -> Result<(), StoreError> {
        let mut turn = self.write().await?;
        // Between what a commit knows of a letter and what it makes of it nobody takes it off, or it would be counted wrongly.
        turn.tx.rows(LOCK, args![]).await?;
        for stored in letters {
            // Somebody else may have done it, or it died again meanwhile and has another number.
            if turn.tx.run(REMOVE, args![stored.id]).await? > 0 {
                revive(&mut turn.tx, &stored.letter).await?;
            }
        }
        let ids: Vec<i64> = letters.iter().map(|stored| stored.id).collect();
        turn.tx.run(FORGET, args![list(&ids)?]).await?;
        turn.commit().await
    }
}

fn away(error: StoreError) -> BufferError {
    BufferError::Away(error.to_string())
}

/// Cuts letters, of which the sizes are known, into pieces that memory holds at once, of one letter at least.
fn pieces(sizes: &[(i64, u64)]) -> Vec<Vec<i64>> {
    let (mut pieces, mut piece, mut bytes) = (Vec::new(), Vec::new(), 0);
    for &(id, size) in sizes {
        if !piece.is_empty() && (bytes + size > PIECE.0 || piece.len() >= PIECE.1) {
            pieces.push(std::mem::take(&mut piece));
            bytes = 0;
        }
        piece.push(id);
        bytes += size;
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

/// Removes some that are older than a time; gives how many.
pub(crate) async fn forget_older(tx: &mut Tx, time: Millis, most: i64) -> Result<u64, StoreError> {
    let rows = tx.rows(OLD, args![time, most]).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let ids = list(&rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()?)?;
    tx.run(FORGET, args![ids.clone()]).await?;
    tx.run(REMOVE_ALL, args![ids]).await
}

/// Counts a letter as dead no longer, if it was.
async fn revive(tx: &mut Tx, letter: &DeadLetter) -> Result<(), StoreError> {
    // Nothing but posts is emptied.
    let deleted = letter.entry.is_empty();
    if deleted || letter.is_post() {
        tx.run(REVIVE, args![1, i64::from(deleted), letter.source.as_str()]).await?;
    }
    Ok(())
}

fn outline(row: &Row) -> Result<LetterOutline, StoreError> {
    Ok(LetterOutline {
        id: row.int(0)?,
        source: row.text(1)?,
        reason: row.text(2)?,
        at: row.int(3)?,
        bytes: row.int(4)?.cast_unsigned(),
    })
}

fn letter(row: &Row) -> Result<StoredLetter, StoreError> {
    let letter = DeadLetter {
        entry: row.bytes(4)?,
        source: row.text(1)?,
        reason: row.text(2)?,
        at: Millis::from(row.int(3)?),
    };
    Ok(StoredLetter { id: row.int(0)?, letter })
}

/// The key under which an entry was appended, as far as it can be read.
fn key_of(entry: &[u8]) -> u64 {
    match Entry::from_slice(entry).map(|entry| entry.content) {
        Ok(Content::Post(post) | Content::Edit(post)) => key(&post.network, &post.id),
        Ok(Content::Change(Change::Delete { network, id } | Change::StatusWithheld { network, id, .. })) => {
            key(&network, &id)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_few_large_letters_or_many_small_ones() {
        let lengths = |sizes: &[u64]| {
            let sizes: Vec<(i64, u64)> = (1..).zip(sizes.iter().copied()).collect();
            let pieces = pieces(&sizes);
            let ids: Vec<i64> = sizes.iter().map(|(id, _)| *id).collect();
            assert_eq!(pieces.concat(), ids);
            pieces.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&[PIECE.0 * 2, 1, PIECE.0 / 2, PIECE.0 / 2, 0]), [1, 2, 2]);
        assert_eq!(lengths(&[10; 600]), [PIECE.1, PIECE.1, 600 - 2 * PIECE.1]);
    }
}
