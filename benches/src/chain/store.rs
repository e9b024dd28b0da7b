//! Stores with accounts and filters in them, made once and copied for each run.

use std::path::PathBuf;

use tweetfilter_sql::Database;

use super::load::{Expected, Load};
use super::processes::{children, disk_bytes, peak_memory, seconds};
use super::servers::maria::{Folder, Maria};
use super::servers::redis::{FIT, RedisServer};

/// Errors of preparing and checking.
pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Where a run works.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) database: String,
    pub(super) buffer: Option<String>,
    file: Option<PathBuf>,
}

/// A kind of store, ready to be copied.
pub(super) enum Ground {
    Embedded { base: PathBuf, folder: Folder, runs: u32 },
    Servers { redis: RedisServer, maria: Maria, runs: u32 },
}

/// What a server used.
#[derive(Clone, Debug)]
pub(super) struct Used {
    pub(super) name: String,
    pub(super) seconds: f64,
    pub(super) memory: u64,
    pub(super) written: u64,
}

impl Ground {
    /// One SQLite file.
    pub(super) async fn embedded(load: &Load) -> Fallible<Self> {
        let folder = Folder::new();
        let base = folder.0.join("base.db");
        // Eleven thousand small commits would wait for the disk each.
        let memory = PathBuf::from("/dev/shm").join(format!("tweetfilter-base-{}.db", std::process::id()));
        let first = if memory.parent().is_some_and(|folder| folder.is_dir()) { &memory } else { &base };
        let database = Database::open(&first.to_string_lossy()).await?;
        load.prepare(&database).await?;
        database.close().await;
        if first != &base {
            std::fs::copy(first, &base)?;
            std::fs::remove_file(first)?;
        }
        Ok(Self::Embedded { base, folder, runs: 0 })
    }

    /// Redis and MariaDB, if both are installed.
    pub(super) async fn servers(load: &Load) -> Fallible<Option<Self>> {
        let (Some(redis), Some(maria)) = (RedisServer::start(&FIT), Maria::start()) else { return Ok(None) };
        maria.say("SET GLOBAL innodb_flush_log_at_trx_commit = 0");
        let database = maria.database("base").await;
        load.prepare(&database).await?;
        database.close().await;
        maria.say("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
        Ok(Some(Self::Servers { redis, maria, runs: 0 }))
    }

    /// A store and a buffer that nothing was put into yet.
    pub(super) async fn fresh(&mut self) -> Fallible<Place> {
        match self {
            Self::Embedded { base, folder, runs } => {
                *runs += 1;
                let file = folder.0.join(format!("{runs}.db"));
                std::fs::copy(base, &file)?;
                std::fs::File::open(&file)?.sync_all()?;
                let database = file.to_string_lossy().into_owned();
                Ok(Place { database, buffer: None, file: Some(file) })
            }
            Self::Servers { redis, maria, runs } => {
                *runs += 1;
                let name = format!("run{runs}");
                maria.database(&name).await.close().await;
                let copies = ["account", "identity", "follow", "filter"]
                    .map(|table| format!("INSERT INTO {name}.{table} SELECT * FROM base.{table};"));
                maria.say(&format!(
                    "{} UPDATE {name}.state SET value = value + 1 WHERE name = 'revision'",
                    copies.concat()
                ));
                redis.say(&["FLUSHALL"]);
                Ok(Place { database: maria.address(&name), buffer: Some(redis.url()), file: None })
            }
        }
    }

    /// Bytes of a run's file beyond those that were there before; `None` for a server.
    pub(super) fn grown(&self, place: &Place) -> Option<u64> {
        let Self::Embedded { base, .. } = self else { return None };
        let size = |path: &PathBuf| path.metadata().map_or(0, |file| file.len());
        place.file.as_ref().map(|file| size(file).saturating_sub(size(base)))
    }

    /// What the servers used so far.
    pub(super) fn used(&self) -> Vec<Used> {
        if matches!(self, Self::Embedded { .. }) {
            return Vec::new();
        }
        let used = |(name, id): (String, u32)| Used {
            seconds: seconds(id),
            memory: peak_memory(&id.to_string()),
            written: disk_bytes(&id.to_string()),
            name,
        };
        let known = |(name, _): &(String, u32)| matches!(&**name, "redis-server" | "mariadbd");
        children().into_iter().filter(known).map(used).collect()
    }

    /// Takes a run's store away.
    pub(super) fn remove(&self, place: &Place) {
        match self {
            Self::Embedded { .. } => {
                if let Some(file) = &place.file {
                    let _ = std::fs::remove_file(file);
                }
            }
            Self::Servers { maria, runs, .. } => maria.say(&format!("DROP DATABASE run{runs}")),
        }
    }
}

/// Holds a store against what must be in it.
pub(super) async fn check(place: &Place, expected: &Expected) -> Fallible<()> {
    let database = Database::open(&place.database).await?;
    let status = database.status().await?;
    let stored: u64 = status.sources.iter().map(|source| source.stored).sum();
    let counted = (status.posts, stored, status.dead);
    if counted != (expected.posts, expected.posts, 0) {
        return Err(format!("posts, stored, dead are {counted:?} of {} posts", expected.posts).into());
    }
    for (&account, seen) in &expected.seen {
        let mut found = std::collections::BTreeMap::new();
        for (_, id, _, filters) in database.unpacked(account).await? {
            let filters: Vec<i64> = serde_json::from_str(&filters)?;
            if found.insert(id.clone(), filters).is_some() {
                return Err(format!("account {account} has post {id} twice").into());
            }
        }
        if found != *seen {
            return Err(format!(
                "account {account} has {} posts of {}, or other matches",
                found.len(),
                seen.len()
            )
            .into());
        }
    }
    database.close().await;
    Ok(())
}
