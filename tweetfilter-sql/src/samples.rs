//! How hosts, processes and the buffer were, over time. What a sample says is its writer's business.

use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::database::Database;
use crate::lists::numbers;
use crate::sql::{Many, Row, Sql, args, list, many, row, statements};
use crate::status::{self, CrashEvent};

/// How long samples are kept, and processes that are not heard of.
pub const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// Old samples that are removed for each call that keeps new ones: more than a slot of a large house brings.
const PRUNED: i64 = 256;

statements! {
    PRUNE = Sql::each(
        "DELETE FROM sample WHERE (at, kind, host, name) IN
             (SELECT at, kind, host, name FROM sample WHERE at < ? ORDER BY at LIMIT ?)",
        "DELETE FROM sample WHERE at < ? ORDER BY at LIMIT ?",
    );
    SINCE = Sql::both(
        "SELECT at, kind, host, name, body FROM sample WHERE at >= ? ORDER BY at, kind, host, name",
    );
    AT = Sql::each(
        "SELECT at, kind, host, name, body FROM sample WHERE at IN (SELECT value FROM json_each(?))
         ORDER BY at, kind, host, name",
        concat!(
            "SELECT s.at, s.kind, s.host, s.name, s.body FROM ", numbers!(),
            " STRAIGHT_JOIN sample s ON s.at = j.n ORDER BY s.at, s.kind, s.host, s.name"
        ),
    );
    SEEN = Sql::each(
        "INSERT INTO process (host, name, at, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (host, name) DO UPDATE SET at = excluded.at, body = excluded.body",
        "INSERT INTO process (host, name, at, body) VALUES (?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE at = VALUES(at), body = VALUES(body)",
    );
    PROCESSES = Sql::both("SELECT host, name, at, body FROM process ORDER BY host, name");
    FORGET = Sql::both("DELETE FROM process WHERE host = ? AND name = ?");
    BURY = Sql::both("DELETE FROM process WHERE host = ? AND name = ? AND at = ? AND body = ?");
    FORGET_OLD = Sql::both("DELETE FROM process WHERE at < ?");
}

/// Samples; one that is there already stays.
const KEEP: Many = many!(
    "INSERT INTO sample (at, kind, host, name, body) VALUES",
    "(?, ?, ?, ?, ?)",
    "ON CONFLICT DO NOTHING",
    "ON DUPLICATE KEY UPDATE at = at"
);

/// Statements for many rows.
pub(crate) const MANY: &[Many] = &[KEEP];

/// What a sample is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SampleKind {
    /// A machine.
    Host,
    /// A process that runs parts.
    Process,
    /// The buffer, whoever asked it.
    Buffer,
}

/// How something was at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When; all take their samples at the same moments.
    pub at: Millis,
    /// Of what.
    pub kind: SampleKind,
    /// The machine's name; empty where there is only one of the kind.
    pub host: String,
    /// The process's name; empty where there is only one on the host.
    pub name: String,
    /// A JSON object.
    pub body: String,
}

/// A process that runs parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRow {
    /// The machine's name.
    pub host: String,
    /// Unique on the machine.
    pub name: String,
    /// When it was last heard of.
    pub at: Millis,
    /// A JSON object.
    pub body: String,
}

impl SampleKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Process => "process",
            Self::Buffer => "buffer",
        }
    }

    fn of(text: &str) -> Option<Self> {
        [Self::Host, Self::Process, Self::Buffer].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Database {
    /// Keeps samples, and that a process was heard of; removes a few that are older than [`KEPT`]. A sample that is
    /// there already stays as it is, so that several processes may tell of one host.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keep_samples(
        &self,
        samples: &[Sample],
        process: Option<&ProcessRow>,
    ) -> Result<(), StoreError> {
        let old = self.now().saturating_sub(Millis::try_from(KEPT.as_millis()).unwrap_or(Millis::MAX));
        // What the power takes along is 15 seconds of figures.
        let mut turn = self.write_lightly().await?;
        // Before this process's own row is written: MariaDB finds old ones by looking at all, and many do so at the same
        // moment, each of which would hold its own row and wait for the others'.
        turn.tx.run(PRUNE, args![old, PRUNED]).await?;
        turn.tx.run(FORGET_OLD, args![old]).await?;
        let rows = samples.iter().map(|sample| {
            row![
                sample.at,
                sample.kind.as_str(),
                sample.host.as_str(),
                sample.name.as_str(),
                sample.body.as_str()
            ]
        });
        turn.tx.run_many(&KEEP, rows.collect()).await?;
        if let Some(process) = process {
            let ProcessRow { host, name, at, body } = process;
            turn.tx.run(SEEN, args![host.as_str(), name.as_str(), *at, body.as_str()]).await?;
        }
        turn.commit().await
    }

    /// Samples since a time, in order of time.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn samples_since(&self, at: Millis) -> Result<Vec<Sample>, StoreError> {
        Ok(self.rows(SINCE, args![at]).await?.iter().map(sample).collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Samples of these moments, in order of time.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn samples_at(&self, moments: &[Millis]) -> Result<Vec<Sample>, StoreError> {
        let rows = self.rows(AT, args![list(moments)?]).await?;
        Ok(rows.iter().map(sample).collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Processes that were heard of within [`KEPT`], by host and name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn processes(&self) -> Result<Vec<ProcessRow>, StoreError> {
        let row = |row: &Row| {
            Ok(ProcessRow { host: row.text(0)?, name: row.text(1)?, at: row.int(2)?, body: row.text(3)? })
        };
        self.rows(PROCESSES, args![]).await?.iter().map(row).collect()
    }

    /// Forgets a process that ended without saying so, and records that, once: false if somebody else did, or if it was
    /// heard of since.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn bury_process(&self, process: &ProcessRow, event: &CrashEvent) -> Result<bool, StoreError> {
        let ProcessRow { host, name, at, body } = process;
        let mut turn = self.write().await?;
        let known = turn.tx.run(BURY, args![host.as_str(), name.as_str(), *at, body.as_str()]).await? > 0;
        if known {
            status::record(&mut turn.tx, event).await?;
        }
        turn.commit().await?;
        Ok(known)
    }

    /// Forgets a process that another has taken the place of.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn forget_process(&self, host: &str, name: &str) -> Result<(), StoreError> {
        self.run(FORGET, args![host, name]).await.map(|_| ())
    }
}

/// None of a kind that only a newer version knows.
fn sample(row: &Row) -> Result<Vec<Sample>, StoreError> {
    let Some(kind) = SampleKind::of(&row.text(1)?) else { return Ok(Vec::new()) };
    let sample = Sample { at: row.int(0)?, kind, host: row.text(2)?, name: row.text(3)?, body: row.text(4)? };
    Ok(vec![sample])
}
