//! The store: posts, who saw them and what matched, on SQLite or MariaDB.
//!
//! [`Database`] is the one door. It is the [`Store`](tweetfilter_stream::store::Store) that workers commit to, and on
//! SQLite gives the embedded [`Buffer`](tweetfilter_stream::buffer::Buffer) too; its own methods are what commands and
//! the API read and change. The tables are described in [`schema`].

mod accounts;
mod buffer;
mod commit;
mod database;
mod dead;
mod digest;
mod error;
mod filters;
mod lists;
mod lookup;
mod migrate;
mod pack;
mod retention;
pub mod schema;
mod sql;
mod status;
mod timeline;

pub use accounts::AccountIdentity;
pub use buffer::Embedded;
pub use database::Database;
pub use dead::StoredLetter;
pub use filters::{FilterRow, NewFilter};
pub use lookup::{FRESH, NOBODY, NamedHandle, Profile};
pub use retention::Removed;
pub use status::{CrashEvent, SourceStatus, Status, StoredGap};
pub use timeline::{Cursor, Page, Tail, TimelinePost};

/// Every statement that this library runs.
fn statements() -> impl Iterator<Item = &'static sql::Sql> {
    commit::all()
        .chain(accounts::STATEMENTS)
        .chain(buffer::STATEMENTS)
        .chain(dead::STATEMENTS)
        .chain(filters::STATEMENTS)
        .chain(lookup::STATEMENTS)
        .chain(migrate::STATEMENTS)
        .chain(retention::STATEMENTS)
        .chain(status::STATEMENTS)
        .chain(timeline::STATEMENTS)
}
