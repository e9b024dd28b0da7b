//! The store: posts, who saw them and what matched, on SQLite or MariaDB.
//!
//! [`Database`] is the one door. It is the [`Store`](tweetfilter_stream::store::Store) that workers commit to, and on
//! SQLite gives the embedded [`Buffer`](tweetfilter_stream::buffer::Buffer) too; its own methods are what commands and
//! the API read and change. The tables are described in [`schema`].

mod accounts;
mod basis;
mod budget;
mod buffer;
mod commit;
mod database;
mod dead;
mod digest;
mod disk;
mod durable;
mod error;
mod filters;
mod gaps;
mod handles;
mod kept;
mod known;
mod lists;
mod lookup;
mod migrate;
mod naming;
mod pack;
mod places;
mod pulse;
mod reapply;
mod removed;
mod retention;
mod revoked;
mod samples;
pub mod schema;
mod seen;
mod sets;
mod sql;
mod status;
mod timeline;
mod tokens;
mod withdrawn;

pub use accounts::{AccountIdentity, Followed};
pub use basis::Basis;
pub use budget::{Prices, Unsaved};
pub use buffer::Embedded;
pub use database::Database;
pub use dead::{LetterOutline, PUT_BACK, StoredLetter};
pub use disk::{DiskReserve, Room};
pub use filters::{Changed, FilterRow, NewFilter, Save, Saved};
pub use gaps::SourcePlace;
pub use handles::{FRESH, NOBODY, NamedHandle};
pub use known::{Handles, Known};
pub use lookup::Profile;
pub use naming::{NamedIn, Naming};
pub use places::{Feed, Reading};
pub use pulse::Pulse;
pub use reapply::{LookBack, Reapply, Stepped};
pub use retention::Removed;
pub use samples::{KEPT, ProcessRow, Sample, SampleKind};
pub use seen::{SeenRows, Verdicts};
pub use sets::{SetKept, SetQuota};
pub use status::{CrashEvent, Results, SourceStatus, Status, StoredGap};
pub use timeline::{Cursor, Page, Stretch, Tail, TimelinePost};
pub use tokens::{Made, Scope, Token};
pub use withdrawn::Withdrawn;

/// Every statement that this library runs.
fn statements() -> impl Iterator<Item = &'static sql::Sql> {
    commit::all()
        .chain(accounts::STATEMENTS)
        .chain(basis::STATEMENTS)
        .chain(budget::STATEMENTS)
        .chain(buffer::STATEMENTS)
        .chain(buffer::MANY.iter().flat_map(|many| &many.0))
        .chain(dead::STATEMENTS)
        .chain(disk::STATEMENTS)
        .chain(filters::STATEMENTS)
        .chain(gaps::STATEMENTS)
        .chain(handles::STATEMENTS)
        .chain(lookup::STATEMENTS)
        .chain(migrate::STATEMENTS)
        .chain(naming::STATEMENTS)
        .chain(reapply::STATEMENTS)
        .chain(places::STATEMENTS)
        .chain(pulse::STATEMENTS)
        .chain(removed::STATEMENTS)
        .chain(retention::STATEMENTS)
        .chain(revoked::STATEMENTS)
        .chain(samples::STATEMENTS)
        .chain(samples::MANY.iter().flat_map(|many| &many.0))
        .chain(seen::STATEMENTS)
        .chain(sets::STATEMENTS)
        .chain(status::STATEMENTS)
        .chain(timeline::STATEMENTS)
        .chain(tokens::STATEMENTS)
        .chain(withdrawn::STATEMENTS)
}

#[cfg(test)]
mod tests {
    use super::statements;

    /// Statements of tables whose rows may be refused, with the reason.
    const DELIBERATE: &[(&str, &str)] = &[
        ("UPDATE OR IGNORE identity SET native_id", "the account has that identity already, by its id"),
        ("UPDATE IGNORE identity SET native_id", "the same"),
        ("UPDATE OR REPLACE identity SET handle", "another row of the account said the same"),
        ("UPDATE IGNORE identity SET handle", "the same; the row with the old handle stays"),
    ];

    /// What breaks a rule of the tables fails its transaction: it is never left out, or put in place of something else.
    #[test]
    fn no_statement_passes_over_what_a_table_refuses() {
        let mut used = Vec::new();
        for text in statements().flat_map(|sql| [sql.sqlite, sql.maria]) {
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
            let passes_over = words.contains(" IGNORE ")
                || ["ABORT", "FAIL", "REPLACE", "ROLLBACK"]
                    .iter()
                    .any(|what| words.contains(&format!(" OR {what} ")))
                || words.starts_with("REPLACE ");
            let known = DELIBERATE.iter().position(|(begin, _)| words.starts_with(&begin.to_uppercase()));
            assert_eq!(passes_over, known.is_some(), "{text}");
            used.extend(known);
        }
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), DELIBERATE.len(), "a statement is gone");
    }
}
