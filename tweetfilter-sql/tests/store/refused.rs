//! What the database refuses fails the commit as a whole: no row is left out in silence.

use sqlx::Connection as _;
use tweetfilter_core::post::{Point, Reference};
use tweetfilter_sql::Database;
use tweetfilter_stream::buffer::EntryId;
use tweetfilter_stream::entry::{Audience, Change, Content, Entry};
use tweetfilter_stream::store::{DeadLetter, Evaluated, Friends, Outcome, Store, StoreError, Verdict};

use crate::common::{Folder, Maria};
use crate::contract::{matched, post, seen};

/// Rows in every table that commits add rows to, behind a post `0` that is there and for an account 1.
pub fn everywhere() -> Outcome {
    let mut one = post("1", "Snow");
    one.coordinates = Some(Point { lat: 1.0, lon: 2.0 });
    let original = Some(post("10", "Rain"));
    one.quote_of = Some(Box::new(Reference { id: "10".into(), post: original, ..Reference::default() }));
    let (to, post) = (Audience::Public, Box::new(post("11", "Hail")));
    let entry =
        Entry { source: "s".into(), at: 1, to, place: None, content: Content::Post(post) }.to_vec().unwrap();
    let dead = DeadLetter { entry, source: "s".into(), reason: "no".into(), at: 1 };
    let (network, author, id) = ("x".to_owned(), "9".to_owned(), "99".to_owned());
    Outcome {
        at: 1,
        posts: vec![matched(seen(one, 0, &[1]), &[5], Verdict::default())],
        changes: [
            Change::Delete { network: network.clone(), id: "0".into() },
            Change::StatusWithheld { network: network.clone(), id, countries: vec!["DE".into()] },
            Change::UserWithheld { network: network.clone(), author, countries: vec!["DE".into()] },
        ]
        .map(crate::contract::said)
        .into(),
        friends: vec![Friends { account: 1, network, ids: vec!["50".into()], at: 0 }],
        dead: vec![dead],
        ..Outcome::default()
    }
}

/// Of a buffer elsewhere.
pub fn leases() -> [EntryId; 1] {
    [EntryId("0:1-0".to_owned())]
}

/// The tables that it adds rows to, and what is not so of these rows.
const TABLES: &[(&str, &str)] = &[
    ("post", "native_id <> '1'"),
    ("delivery_pack", "account <> 1"),
    ("matches", "filter <> 5"),
    ("carried", "native_id <> '10'"),
    ("placed", "native_id <> '1'"),
    ("tombstone", "native_id <> '0'"),
    ("withheld", "native_id <> '99'"),
    ("author", "author_id <> '9'"),
    ("follow", "author <> '50'"),
    ("friend_list", "account <> 1"),
    ("withdrawn_post", "post <> 1"),
    ("withdrawn_author", "author_id <> '9'"),
    ("dead_letter", "source <> 's'"),
    ("dead_post", "native_id <> '11'"),
    ("unacknowledged", "name <> '0:1-0'"),
    ("outcome_count", "source <> 's'"),
    ("commit_log", "at <> 1"),
];

/// `INSERT IGNORE` would make a warning of it where rows are read from JSON. Of a single row of `VALUES` MariaDB refuses
/// it all the same, so that for those tables this shows only that nothing else is kept without it.
pub async fn a_row_that_is_refused_fails_the_commit(server: &Maria) {
    let database = server.database("refused").await;
    assert_eq!(database.add_account("ann", &[]).await.unwrap(), 1);
    let there = Evaluated { source: "before".into(), ..seen(post("0", "Fog"), 0, &[2]) };
    database.commit(&Outcome { posts: vec![there], ..Outcome::default() }, &[]).await.unwrap();
    let ask = |sql: &str| server.ask("refused", sql);
    let tables = ask("SELECT table_name FROM information_schema.tables
        WHERE table_schema = 'refused' AND table_type = 'BASE TABLE'");
    let counts = tables.iter().map(|row| format!("SELECT '{0}', COUNT(*) FROM {0}", row[0]));
    let counts = counts.collect::<Vec<_>>().join(" UNION ALL ");
    let before = ask(&counts);
    for (table, check) in TABLES {
        ask(&format!("ALTER TABLE {table} ADD CONSTRAINT refused CHECK ({check})"));
        assert!(database.commit(&everywhere(), &leases()).await.is_err(), "a row of {table} was left out");
        assert_eq!(ask(&counts), before, "nothing of it happened, as {table} refused it");
        ask(&format!("ALTER TABLE {table} DROP CONSTRAINT refused"));
    }
    let committed = database.commit(&everywhere(), &leases()).await.unwrap();
    assert_eq!((committed.number, committed.new, committed.matches), (2, 1, 1));
    let now = ask(&counts);
    let mut added: Vec<_> = now.iter().filter(|row| !before.contains(row)).map(|row| &row[0][..]).collect();
    let mut all: Vec<_> = TABLES.iter().map(|(table, _)| *table).collect();
    added.sort_unstable();
    all.sort_unstable();
    assert_eq!(added, all, "each was refused once");
    database.close().await;
}

/// Where the counter was set back, as by half a backup, no commit takes the place of another.
async fn a_number_is_not_given_twice(database: &Database, say: impl AsyncFn(&'static str)) {
    let one = |id: &str| Outcome { at: 1, posts: vec![seen(post(id, id), 0, &[1])], ..Outcome::default() };
    assert_eq!(database.commit(&one("1"), &[]).await.unwrap().number, 1);
    say("UPDATE state SET value = 0 WHERE name = 'commit'").await;
    // Neither an outage, which waiting would mend, nor the fault of what was to be stored.
    let said = database.commit(&Outcome::default(), &[]).await;
    assert!(
        matches!(&said, Err(StoreError::Unfit(text)) if text.contains("one backup")),
        "in the log: {said:?}"
    );
    say("DELETE FROM commit_log").await;
    let said = database.commit(&one("2"), &[]).await;
    assert!(matches!(said, Err(StoreError::Unfit(_))), "of what was delivered: {said:?}");
    assert_eq!(database.status().await.unwrap().posts, 1);
}

#[tokio::test]
async fn a_number_is_not_given_twice_on_sqlite() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let database = Database::open(&path).await.unwrap();
    let say = async |statement: &'static str| {
        let mut stranger = sqlx::SqliteConnection::connect(&path).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut stranger).await.unwrap();
        stranger.close().await.unwrap();
    };
    a_number_is_not_given_twice(&database, say).await;
    database.close().await;
}

pub async fn a_number_is_not_given_twice_on_maria(server: &Maria) {
    let database = server.database("not_twice").await;
    a_number_is_not_given_twice(&database, async |statement| {
        server.ask("not_twice", statement);
    })
    .await;
    database.close().await;
}

/// A large batch is several transactions. Who gets its entries after that, in whatever batches, counts each once.
pub async fn a_batch_that_was_cut_off_in_the_middle_is_counted_once(server: &Maria) {
    let database = server.database("cut_off").await;
    let large = |id: &str| seen(post(id, &"x".repeat(3 << 20)), 0, &[1]);
    let outcome = |posts, copies: u64, again| {
        let copies = [("s".to_owned(), copies)].into();
        Outcome { at: 1, posts, copies, again, ..Outcome::default() }
    };
    let ids = ["0:1-0", "0:2-0", "0:3-0"].map(|id| EntryId(id.to_owned()));
    let counted = async || {
        let source = database.status().await.unwrap().sources.remove(0);
        (source.ended(), source.stored, source.repeated)
    };
    server.ask("cut_off", "ALTER TABLE post ADD CONSTRAINT cut CHECK (native_id <> '2')");
    assert!(database.commit(&outcome(vec![large("1"), large("2")], 1, false), &ids).await.is_err());
    assert_eq!(counted().await, (2, 1, 1), "the first of two transactions happened");
    server.ask("cut_off", "ALTER TABLE post DROP CONSTRAINT cut");
    database.commit(&outcome(vec![large("1")], 0, true), &ids[..1]).await.unwrap();
    database.commit(&outcome(vec![large("2")], 1, true), &ids[1..]).await.unwrap();
    assert_eq!(counted().await, (3, 2, 1));
    let again = database.commit(&outcome(vec![large("1")], 0, true), &ids[..1]).await;
    assert_eq!(again, Err(StoreError::Done(ids[..1].to_vec())));
    // A whole batch of several transactions is done as one.
    let more = ["0:4-0", "0:5-0"].map(|id| EntryId(id.to_owned()));
    database.commit(&outcome(vec![large("4"), large("5")], 0, false), &more).await.unwrap();
    let again = database.commit(&outcome(vec![large("5")], 0, true), &more[1..]).await;
    assert_eq!((again, counted().await), (Err(StoreError::Done(more[1..].to_vec())), (5, 4, 1)));
    database.close().await;
}

/// To whom it is nothing whether anything can be written.
pub async fn who_only_reads_can_where_nothing_is_written(server: &Maria) {
    let database = server.database("kept").await;
    database.add_account("ann", &[]).await.unwrap();
    database.close().await;
    server.say(
        "CREATE USER reader@localhost; GRANT ALL ON kept.* TO reader@localhost; SET GLOBAL read_only = 1",
    );
    let address = server.address("kept").replace("root@", "reader@");
    let database = Database::open(&address).await.unwrap();
    assert_eq!(database.accounts().await.unwrap().len(), 1);
    database.status().await.unwrap();
    assert!(database.add_account("bob", &[]).await.is_err());
    server.say("SET GLOBAL read_only = 0");
    database.add_account("bob", &[]).await.unwrap();
    database.close().await;
}
