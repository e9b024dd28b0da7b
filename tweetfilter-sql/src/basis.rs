//! By which it is known whether an account's filters are still those that were read.

use tweetfilter_stream::store::StoreError;

use crate::filters::FilterRow;
use crate::sql::{Row, Sql, Tx, args, statements};

statements! {
    BASIS = Sql::both("SELECT id, revision FROM filter WHERE account = ? ORDER BY position, id");
}

/// What an account's filters were when they were read, to know whether they are others now, or in another order: each change of
/// one raises the highest revision, and a removal lowers the count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    count: u64,
    revision: u64,
    /// Of their numbers in their order: FNV-1a, but of whole numbers.
    order: u64,
}

impl Basis {
    /// Of all filters of an account, as they were read.
    #[must_use]
    pub fn of(rows: &[FilterRow]) -> Self {
        Self::of_each(rows.iter().map(|row| (row.id, row.revision)))
    }

    fn of_each(filters: impl Iterator<Item = (i64, u64)>) -> Self {
        let begin = Self { order: 0xcbf2_9ce4_8422_2325, ..Self::default() };
        filters.fold(begin, |basis, (id, revision)| Self {
            count: basis.count + 1,
            revision: basis.revision.max(revision),
            order: (basis.order ^ id.cast_unsigned()).wrapping_mul(0x0100_0000_01b3),
        })
    }

    /// Numbers that are others as soon as the filters are.
    #[must_use]
    pub fn numbers(&self) -> [u64; 3] {
        [self.count, self.revision, self.order]
    }

    pub(crate) async fn read(tx: &mut Tx, account: i64) -> Result<Self, StoreError> {
        let rows = tx.rows(BASIS, args![account]).await?;
        let filter = |row: &Row| Ok((row.int(0)?, row.int(1)?.cast_unsigned()));
        let filters: Vec<_> = rows.iter().map(filter).collect::<Result<_, StoreError>>()?;
        Ok(Self::of_each(filters.into_iter()))
    }
}
