//! Brings the tables up to date, step by step.
//!
//! Steps are part of the program and never change once released: each is remembered with a checksum. DDL is not
//! transactional on MariaDB, so a step that was cut off is simply run again.

use tweetfilter_stream::store::StoreError;

use crate::database::{Database, Engine};
use crate::digest::digest;
use crate::schema::{Step, maria, sqlite};
use crate::sql::{Row, Sql, args, statements};

statements! {
    // Alone, since a database without tables is none that failed.
    THERE = Sql::each(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'",
        "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'migration'",
    );
    KNOWN = Sql::both("SELECT step, checksum FROM migration ORDER BY step");
    RECORD = Sql::each(
        "INSERT INTO migration (step, name, checksum, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        "INSERT INTO migration (step, name, checksum, at) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE step = step",
    );
}

/// Not among the statements that are checked: it makes the table that they need.
const TABLE: Sql = Sql::each(
    "CREATE TABLE IF NOT EXISTS migration (
        step INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS migration (
        step BIGINT NOT NULL PRIMARY KEY, name VARCHAR(190) NOT NULL, checksum VARCHAR(64) NOT NULL,
        at BIGINT NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
);

/// Runs the steps that were not run yet.
pub(crate) async fn run(database: &Database) -> Result<(), StoreError> {
    let steps = match database.engine {
        Engine::Sqlite(_) => sqlite::STEPS,
        Engine::Maria(_) => maria::STEPS,
    };
    // Who only reads can do so where the store takes no writes.
    if !database.rows(THERE, args![]).await?.is_empty()
        && open_steps(steps, &known(database.rows(KNOWN, args![]).await?)?)? == steps.len()
    {
        return Ok(());
    }
    let mut turn = database.write().await?;
    turn.tx.run(TABLE, args![]).await?;
    let open = open_steps(steps, &known(turn.tx.rows(KNOWN, args![]).await?)?)?;
    for (number, (name, texts)) in steps.iter().enumerate().skip(open) {
        for &text in *texts {
            turn.tx.run(Sql::both(text), args![]).await?;
        }
        let number = i64::try_from(number + 1).unwrap_or(i64::MAX);
        turn.tx.run(RECORD, args![number, *name, checksum(texts), database.now()]).await?;
    }
    turn.commit().await
}

/// Steps that stand, by number, each with its checksum.
fn known(rows: Vec<Row>) -> Result<Vec<(i64, String)>, StoreError> {
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?))).collect()
}

/// How many steps stand already.
fn open_steps(steps: &[Step], known: &[(i64, String)]) -> Result<usize, StoreError> {
    if known.len() > steps.len() {
        return Err(StoreError::Unfit(format!(
            "the database is of version {}; {} is the newest that this program knows. Use the newer program, or \
             a copy of the database from before it",
            known.len(),
            steps.len()
        )));
    }
    for ((name, texts), (number, checksum_then)) in steps.iter().zip(known) {
        if checksum(texts) != *checksum_then {
            return Err(StoreError::Unfit(format!(
                "step {number} ({name}) of the database was made by another build of this program. Use that \
                 build, or begin with an empty database"
            )));
        }
    }
    Ok(known.len())
}

fn checksum(texts: &[&str]) -> String {
    digest(texts.iter().map(|text| text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_and_foreign_databases_are_refused_with_a_way_out() {
        let steps: &[Step] = &[("begin", &["CREATE"]), ("more", &["ALTER"])];
        let of = |n: i64, texts| (n, checksum(texts));
        assert_eq!(open_steps(steps, &[]), Ok(0));
        assert_eq!(open_steps(steps, &[of(1, &["CREATE"])]), Ok(1));
        let newer = [of(1, &["CREATE"]), of(2, &["ALTER"]), of(3, &["DROP"])];
        let error = open_steps(steps, &newer).unwrap_err().to_string();
        assert!(
            error.contains("of version 3; 2 is the newest") && error.contains("Use the newer"),
            "{error}"
        );
        let error = open_steps(steps, &[of(1, &["CREATE!"])]).unwrap_err().to_string();
        assert!(error.contains("step 1 (begin)"), "{error}");
    }
}
