//! By which it is known whether an account's filters are still those that were read.

use tweetfilter_stream::store::StoreError;

use crate::filters::FilterRow;
use crate::sql::{Sql, Tx, args, statements};

statements! {
    BASIS = Sql::both("SELECT COUNT(*), COALESCE(MAX(revision), 0) FROM filter WHERE account = ?");
}

/// What an account's filters were when they were read, to know whether they are others now: each change of one raises
/// the highest revision, and a removal lowers the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    count: usize,
    revision: u64,
}

impl Basis {
    /// Of all filters of an account, as they were read.
    #[must_use]
    pub fn of(rows: &[FilterRow]) -> Self {
        Self { count: rows.len(), revision: rows.iter().map(|row| row.revision).max().unwrap_or_default() }
    }

    /// Two numbers that are others as soon as the filters are.
    #[must_use]
    pub fn numbers(&self) -> [u64; 2] {
        [self.count as u64, self.revision]
    }

    pub(crate) async fn read(tx: &mut Tx, account: i64) -> Result<Self, StoreError> {
        let Some(row) = tx.row(BASIS, args![account]).await? else { return Ok(Self::of(&[])) };
        let count = usize::try_from(row.int(0)?).unwrap_or(usize::MAX);
        Ok(Self { count, revision: row.int(1)?.cast_unsigned() })
    }
}
