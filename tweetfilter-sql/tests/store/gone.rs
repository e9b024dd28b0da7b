//! What has to go leaves no row behind, in whatever table: a new one has to be named here, or is looked at by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::Connection as _;
use tweetfilter_core::post::Account;
use tweetfilter_sql::{CrashEvent, Cursor, Database, NamedIn, Naming, NewFilter, Scope, StoredGap};
use tweetfilter_stream::buffer::Gap;
use tweetfilter_stream::store::{Friends, Outcome, Store, Verdict};

use crate::common::{Clock, Folder, Maria};
use crate::contract::{commit, matched, post, seen};
use crate::refused::{everywhere, leases};

const DAY: Duration = Duration::from_secs(86_400);

/// Tables of what comes in: retention empties them. `delivery_span` keeps the span that is not full yet, and `author`
/// those who are withheld, who go on writing.
const PRUNED: &[&str] = &[
    "post",
    "carried",
    "placed",
    "delivery_pack",
    "matches",
    "commit_log",
    "tombstone",
    "withheld",
    "withdrawn_post",
    "withdrawn_author",
    "dead_letter",
    "dead_post",
    "gap",
    "crash_event",
    "unacknowledged",
];

/// And those of what people keep, of who is who, of numbers, of the buffer, and of samples, which have a time of their
/// own.
const OTHERS: &[&str] = &[
    "account",
    "account_set",
    "author",
    "buffer_entry",
    "buffer_lease",
    "delivery_span",
    "feed",
    "filter",
    "follow",
    "friend_list",
    "handle",
    "handle_scope",
    "identity",
    "migration",
    "named_handle",
    "named_set",
    "outcome_count",
    "own_change",
    "process",
    "profile",
    "reading",
    "reapply",
    "removed_account",
    "revoked_secret",
    "sample",
    "source",
    "source_place",
    "state",
    "token",
    "token_use",
];

/// A stranger who reads the database: the first column of the rows.
trait Ask: AsyncFn(String) -> Vec<String> {}
impl<F: AsyncFn(String) -> Vec<String>> Ask for F {}

/// How many rows tables have, of those that a condition holds for.
async fn rows(ask: &impl Ask, tables: &[String], condition: &str) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for table in tables {
        let count = ask(format!("SELECT CAST(COUNT(*) AS CHAR) FROM {table} WHERE {condition}")).await;
        rows.insert(table.clone(), count[0].parse().unwrap());
    }
    rows
}

/// Those that have any.
fn filled(rows: &BTreeMap<String, u64>) -> Vec<&str> {
    rows.iter().filter(|(_, rows)| **rows > 0).map(|(table, _)| table.as_str()).collect()
}

/// An account with something in every table that names accounts.
async fn account_with_all(database: &Database) -> i64 {
    let identity = ("x".to_owned(), Account { id: "7".into(), handle: "ann_x".into() });
    let ann = database.add_account("ann", &[identity]).await.unwrap();
    database.follow(ann, "x", "50", true).await.unwrap();
    let friends = vec![Friends { account: ann, network: "x".into(), ids: vec!["51".into()], at: 1 }];
    database.commit(&Outcome { friends, ..Outcome::default() }, &[]).await.unwrap();
    let filter = NewFilter { text: "snow".into(), ..NewFilter::default() };
    let filter = database.add_filter(ann, &filter).await.unwrap();
    database.set_named(Some(ann), "towns", "Oslo").await.unwrap();
    let up_to = Cursor { commit: 1, post: 1 };
    assert!(database.set_reading(ann, "timeline", up_to, 9).await.unwrap());
    database.add_feed(ann, filter, "digest of a feed", 1).await.unwrap();
    let token = database.add_token(ann, "", "digest of a token", Scope::Read).await.unwrap();
    database.tokens_used(&[token]).await.unwrap();
    let revoked = database.add_token(ann, "", "digest of a revoked token", Scope::Read).await.unwrap();
    assert!(database.revoke_token(revoked).await.unwrap());
    let named = NamedIn { handles: ["ann.example".to_owned()].into(), ..NamedIn::default() };
    database.name_handles("bluesky", &Naming::Account(ann), &named).await.unwrap();
    ann
}

async fn nothing_of_a_removed_account_is_left(
    database: &Database,
    clock: &Clock,
    tables: &[String],
    ask: impl Ask,
) {
    let ann = account_with_all(database).await;
    let ben = database.add_account("ben", &[]).await.unwrap();
    let one = matched(seen(post("1", "Snow"), 0, &[ann, ben]), &[1], Verdict::default());
    commit(database, vec![one], vec![]).await;
    // How far a look back came is no account's.
    let named: Vec<_> = tables.iter().filter(|table| *table != "reapply").cloned().collect();
    let before = rows(&ask, &named, &format!("account = {ann}")).await;
    let empty: Vec<_> = before.iter().filter(|(_, rows)| **rows == 0).map(|(table, _)| table).collect();
    assert_eq!(empty, ["removed_account"], "this test has to write to all of them");
    assert_eq!(ask("SELECT CAST(COUNT(*) AS CHAR) FROM token_use".into()).await, ["1"]);

    assert!(database.remove_account(ann).await.unwrap());
    let now = rows(&ask, &named, &format!("account = {ann}")).await;
    let seen: &[&str] = &["delivery_pack", "delivery_span", "matches", "removed_account"];
    assert!(filled(&now).iter().all(|table| seen.contains(table)), "at once: {now:?}");
    assert_eq!(ask("SELECT CAST(COUNT(*) AS CHAR) FROM token_use".into()).await, ["0"]);
    while database.forget_removed().await.unwrap() {}
    clock.pass(DAY);
    while database.forget_removed().await.unwrap() {}
    let now = rows(&ask, &named, &format!("account = {ann}")).await;
    assert_eq!(filled(&now), [""; 0], "of it nothing is left");
    for table in ["named_handle", "handle_scope"] {
        assert_eq!(ask(format!("SELECT CAST(COUNT(*) AS CHAR) FROM {table}")).await, ["0"], "{table}");
    }
    let of_ben = rows(&ask, &named, &format!("account = {ben}")).await;
    for table in ["delivery_pack", "matches"] {
        assert_eq!(of_ben[table], 1, "of another all is left: {table}");
    }
}

async fn what_is_old_is_forgotten_everywhere(
    database: &Database,
    clock: &Clock,
    tables: &[String],
    ask: impl Ask,
) {
    let mut known: Vec<_> = PRUNED.iter().chain(OTHERS).copied().collect();
    known.sort_unstable();
    let unknown: Vec<_> = tables.iter().filter(|table| !known.contains(&table.as_str())).collect();
    assert!(unknown.is_empty(), "is it pruned, or kept? {unknown:?}");

    commit(database, vec![seen(post("0", "Fog"), 0, &[2])], vec![]).await;
    database.commit(&everywhere(), &leases()).await.unwrap();
    let (part, reason) = ("work".to_owned(), "it broke".to_owned());
    let crash = CrashEvent { part, at: Clock::START, reason, backtrace: String::new() };
    database.record_crash(&crash).await.unwrap();
    let gap = Gap { from: 1, to: Clock::START, reason: "stall".into(), missing: None };
    database.keep_gaps(&[StoredGap { source: "s".into(), gap }]).await.unwrap();
    let before = rows(&ask, tables, "1 = 1").await;
    let is_empty = |table: &&&str| before.get(**table).is_none_or(|rows| *rows == 0);
    let empty: Vec<_> = PRUNED.iter().filter(is_empty).collect();
    assert_eq!(empty, [&""; 0], "this test has to write to all of them");

    clock.pass(DAY * 3);
    while !database.forget_older(DAY).await.unwrap().is_empty() {}
    let now = rows(&ask, tables, "1 = 1").await;
    let left: Vec<_> = filled(&now).into_iter().filter(|table| PRUNED.contains(table)).collect();
    assert_eq!(left, [""; 0], "it is old");
    for table in ["author", "outcome_count", "state"] {
        assert!(now[table] > 0, "{table}");
    }
}

/// Runs a test on a file of its own, given all of its tables or those with a column.
macro_rules! on_sqlite {
    ($name:ident, $of:expr) => {{
        let (folder, clock) = (Folder::new(), Clock::new());
        let path = folder.file("a.db");
        let database = clock.set(Database::open(&path).await.unwrap());
        let ask = async |sql: String| {
            let mut stranger = sqlx::SqliteConnection::connect(&path).await.unwrap();
            let rows = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(sql));
            let rows = rows.fetch_all(&mut stranger).await.unwrap();
            stranger.close().await.unwrap();
            rows
        };
        let tables = "SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'";
        let tables = ask(format!("{tables} AND {}", $of)).await;
        $name(&database, &clock, &tables, ask).await;
        database.close().await;
    }};
}

macro_rules! on_maria {
    ($name:ident, $server:expr, $database:literal, $of:expr) => {{
        let clock = Clock::new();
        let database = clock.set($server.database($database).await);
        let ask = async |sql: String| -> Vec<String> {
            $server.ask($database, &sql).into_iter().map(|mut row| row.remove(0)).collect()
        };
        let tables =
            "SELECT DISTINCT c.table_name FROM information_schema.columns c JOIN information_schema.tables t
            ON t.table_schema = c.table_schema AND t.table_name = c.table_name
            WHERE t.table_type = 'BASE TABLE' AND t.table_schema = DATABASE()";
        let tables = ask(format!("{tables} AND {}", $of)).await;
        $name(&database, &clock, &tables, ask).await;
        database.close().await;
    }};
}

#[tokio::test]
async fn nothing_of_a_removed_account_is_left_on_sqlite() {
    on_sqlite!(nothing_of_a_removed_account_is_left, "c.name = 'account'");
}

#[tokio::test]
async fn what_is_old_is_forgotten_everywhere_on_sqlite() {
    on_sqlite!(what_is_old_is_forgotten_everywhere, "1 = 1");
}

pub async fn nothing_of_a_removed_account_is_left_on_maria(server: &Maria) {
    on_maria!(nothing_of_a_removed_account_is_left, server, "removed", "c.column_name = 'account'");
}

pub async fn what_is_old_is_forgotten_everywhere_on_maria(server: &Maria) {
    on_maria!(what_is_old_is_forgotten_everywhere, server, "old", "1 = 1");
}
