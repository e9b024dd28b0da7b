//! The one public type: a database, of either kind.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::Connection as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tweetfilter_core::budget::Price;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::store::StoreError;

use crate::buffer::Embedded;
use crate::disk::DiskReserve;
use crate::durable::Reached;
use crate::error::store_error;
use crate::migrate;
use crate::sql::{Arg, Boxed, MariaTx, Row, Sql, Tx, rows_of_maria, rows_of_sqlite};

/// How long a connection waits for the lock of another process.
const BUSY: Duration = Duration::from_secs(5);
/// How long a connection to MariaDB is kept for later. It is less than the 30 seconds after which the server ends one
/// that says nothing, and with it the transaction and its locks: a machine that lost its power would hold them for
/// hours.
const IDLE: Duration = Duration::from_secs(20);

/// A store: SQLite in a file, or MariaDB. Cheap to clone; the clones share their connections.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # let folder = std::env::temp_dir().join(format!("tweetfilter-doc-{}", std::process::id()));
/// # let _ = std::fs::remove_dir_all(&folder);
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("a.db").to_string_lossy().into_owned();
/// # runtime.block_on(async {
/// use tweetfilter_sql::Database;
/// let database = Database::open(&path).await?;
/// let account = database.add_account("ann", &[]).await?;
/// assert!(database.timeline(account, &Default::default()).await?.is_empty());
/// # database.close().await;
/// # Ok::<(), tweetfilter_stream::store::StoreError>(())
/// # })?;
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Database {
    pub(crate) engine: Engine,
    pub(crate) budget: Price,
    pub(crate) reserve: DiskReserve,
    clock: Arc<dyn Fn() -> Millis + Send + Sync>,
}

#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite(Arc<Files>),
    Maria(MySqlPool),
}

/// The connections to a SQLite file.
pub(crate) struct Files {
    /// One connection, so that what it has read stays in its cache.
    writer: SqlitePool,
    readers: SqlitePool,
    /// Held by whoever writes, so that nobody of this process waits by polling.
    turn: Arc<Mutex<Light>>,
    reached: Reached,
    pub(crate) path: PathBuf,
}

/// Whether the writer leaves it to later commits to reach the disk.
struct Light(bool);

/// A write transaction, and the right to have one.
pub(crate) struct Turn {
    pub(crate) tx: Tx,
    file: Option<(Arc<Files>, OwnedMutexGuard<Light>)>,
}

impl Turn {
    /// Commits. What was begun by [`Database::write`] is on the disk then.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.tx.commit().await?;
        if let Some((files, light)) = self.file {
            files.reached.committed(!light.0);
        }
        Ok(())
    }

    /// Commits, and waits until it is on the disk, but lets others write meanwhile: a commit of theirs may take it
    /// along.
    pub(crate) async fn commit_together(self) -> Result<(), StoreError> {
        self.tx.commit().await?;
        let Some((files, light)) = self.file else { return Ok(()) };
        let number = files.reached.committed(!light.0);
        drop(light);
        files.reached.wait_for(number).await
    }
}

impl Database {
    /// Opens a database and brings its tables up to date.
    ///
    /// `mysql://user:password@host/name` is MariaDB; `sqlite:///path` or a path is a file, made if it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if a newer version of this program has changed it, or if the address is none.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        let database = Self::connect(address).await?;
        database.migrate().await?;
        Ok(database)
    }

    /// Brings the tables up to date.
    ///
    /// # Errors
    /// As [`Database::open`], and [`StoreError::Retry`] while another has them locked.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::run(self).await
    }

    /// Opens a database as it is, for those who can do without it for a while: MariaDB may be away, and its tables
    /// are brought up to date by others, or later by [`Database::migrate`].
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        let engine = match place(address)? {
            Place::Maria => Engine::Maria(maria(address)?),
            Place::File(path) => Engine::Sqlite(Arc::new(Files::open(PathBuf::from(path)).await?)),
        };
        Ok(Self { engine, budget: Price::OWNER, reserve: DiskReserve::Bytes(0), clock: Arc::new(now) })
    }

    /// Looks whether an address is one that [`Database::connect`] takes, and at nothing that may be there.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if it is none, with the way out.
    pub fn check_address(address: &str) -> Result<(), StoreError> {
        match place(address)? {
            Place::Maria => maria_options(address).map(drop),
            Place::File(_) => Ok(()),
        }
    }

    /// Lets another clock say what time it is: leases and expiry of filters go by it.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets what the filters of one account may cost a post together; [`Price::OWNER`] if nobody does.
    #[must_use]
    pub fn with_owner_budget(mut self, budget: Price) -> Self {
        self.budget = budget;
        self
    }

    /// What the filters of one account may cost a post together.
    #[must_use]
    pub fn owner_budget(&self) -> Price {
        self.budget
    }

    /// The buffer in the same file; MariaDB has none.
    #[must_use]
    pub fn buffer(&self) -> Option<Embedded> {
        matches!(self.engine, Engine::Sqlite(_)).then(|| Embedded::new(self.clone()))
    }

    /// Has the server look at every statement of this library, and returns their number.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] for one that it does not understand.
    pub async fn check_statements(&self) -> Result<usize, StoreError> {
        let mut tx = self.read().await?;
        let mut checked = 0;
        for &statement in crate::statements() {
            let text = if tx.is_sqlite() { statement.sqlite } else { statement.maria };
            if !text.is_empty() {
                tx.prepare(statement).await.map_err(|error| StoreError::Unfit(format!("{error}: {text}")))?;
                checked += 1;
            }
        }
        Ok(checked)
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(files) => {
                let _turn = files.turn.lock().await;
                files.readers.close().await;
                files.writer.close().await;
            }
            Engine::Maria(pool) => pool.close().await,
        }
    }

    pub(crate) fn now(&self) -> Millis {
        (self.clock)()
    }

    /// Begins to write.
    pub(crate) async fn write(&self) -> Result<Turn, StoreError> {
        self.begin(false).await
    }

    /// Begins to write what may be lost with the power.
    pub(crate) async fn write_lightly(&self) -> Result<Turn, StoreError> {
        self.begin(true).await
    }

    fn begin(&self, light: bool) -> Boxed<'_, Turn> {
        Box::pin(async move {
            match &self.engine {
                Engine::Sqlite(files) => {
                    let mut turn = files.turn.clone().lock_owned().await;
                    turn.set(light, &files.writer).await.map_err(store_error)?;
                    let tx = files.writer.begin_with("BEGIN IMMEDIATE").await.map_err(store_error)?;
                    Ok(Turn { tx: Tx::Sqlite(tx), file: Some((files.clone(), turn)) })
                }
                Engine::Maria(pool) => {
                    let tx = MariaTx::begin(pool).await.map_err(store_error)?;
                    Ok(Turn { tx: Tx::Maria(tx), file: None })
                }
            }
        })
    }

    /// Begins to read: all reads of the transaction see one state of SQLite, each the newest of MariaDB.
    pub(crate) fn read(&self) -> Boxed<'_, Tx> {
        Box::pin(async move {
            match &self.engine {
                Engine::Sqlite(files) => files.readers.begin().await.map(Tx::Sqlite),
                Engine::Maria(pool) => MariaTx::begin(pool).await.map(Tx::Maria),
            }
            .map_err(store_error)
        })
    }

    /// Reads with one statement.
    pub(crate) fn rows(&self, sql: Sql, args: Vec<Arg>) -> Boxed<'_, Vec<Row>> {
        Box::pin(async move {
            match &self.engine {
                Engine::Sqlite(files) => rows_of_sqlite(&files.readers, sql, args).await,
                Engine::Maria(pool) => rows_of_maria(pool, sql, args).await,
            }
        })
    }

    /// Changes with one statement; the number of rows.
    pub(crate) async fn run(&self, sql: Sql, args: Vec<Arg>) -> Result<u64, StoreError> {
        let mut turn = self.write().await?;
        let changed = turn.tx.run(sql, args).await?;
        turn.commit().await?;
        Ok(changed)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match &self.engine {
            Engine::Sqlite(_) => "SQLite",
            Engine::Maria(_) => "MariaDB",
        };
        f.debug_struct("Database").field("engine", &engine).finish_non_exhaustive()
    }
}

impl Light {
    /// Tells the connection. Whoever is cut off in between leaves it no lighter than it stands here.
    async fn set(&mut self, light: bool, writer: &SqlitePool) -> Result<(), sqlx::Error> {
        match (self.0, light) {
            (false, true) => {
                self.0 = true;
                sqlx::query("PRAGMA synchronous = NORMAL").execute(writer).await?;
            }
            (true, false) => {
                sqlx::query("PRAGMA synchronous = FULL").execute(writer).await?;
                self.0 = false;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Files {
    async fn open(path: PathBuf) -> Result<Self, StoreError> {
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let mut options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            // Of a new file; posts of a kilobyte leave a sixth of smaller pages empty.
            .page_size(8192)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(false)
            .busy_timeout(BUSY)
            .pragma("cache_size", "-16384")
            .pragma("temp_store", "MEMORY")
            // 8 MB: pages that are written again and again go to the file once, and it takes no longer than people wait.
            .pragma("wal_autocheckpoint", "1000")
            // The rows of a lease come over at once, not in turns of fifty.
            .row_buffer_size(1024)
            .statement_cache_capacity(300);
        // Of a new file too; on one that is there it would wait for whoever writes.
        if !std::fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
            options = options.auto_vacuum(SqliteAutoVacuum::Incremental);
        }
        // Where the disk is full, SQLite rolls a transaction back by itself, which its connection does not get to know:
        // it takes itself to be in it for ever.
        let options_of = |connections| {
            // A file does not hang up, and asking whether it did costs as much as a small statement.
            let options = SqlitePoolOptions::new().max_connections(connections).test_before_acquire(false);
            options.before_acquire(|connection, _| {
                let usable = !connection.is_in_transaction();
                Box::pin(async move { Ok(usable) })
            })
        };
        let one = options_of(1).idle_timeout(None).max_lifetime(None);
        make_private(&path);
        // First, since it makes the file where nobody could.
        let writer = one.connect_with(options.clone()).await.map_err(store_error)?;
        let readers = options_of(4)
            .connect_with(options.pragma("cache_size", "-4096").pragma("query_only", "1"))
            .await
            .map_err(store_error)?;
        let turn = Arc::new(Mutex::new(Light(false)));
        Ok(Self { writer, readers, turn, reached: Reached::new(log.into()), path })
    }
}

/// Makes a file that its owner alone may read, if there is none: it holds what people see, and digests of tokens. What SQLite
/// puts beside it has its mode. Whoever gave one that is there another mode meant that.
fn make_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // What is wrong with the path, SQLite says.
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// What an address is of.
enum Place<'a> {
    Maria,
    File(&'a str),
}

fn place(address: &str) -> Result<Place<'_>, StoreError> {
    if address.starts_with("mysql://") || address.starts_with("mariadb://") {
        return Ok(Place::Maria);
    }
    let path = address.strip_prefix("sqlite://").unwrap_or(address);
    // The rest of it may be a password.
    let why = if let Some((scheme, _)) = path.split_once("://") {
        format!("no address of a database begins with {scheme}://")
    } else if path.is_empty() {
        "the address of the database is empty".to_owned()
    } else if path.contains(":memory:") || path.contains("mode=memory") {
        "a database in memory keeps nothing for the next command, and can't be read while it is written"
            .to_owned()
    } else if let Some(scheme) = ["sqlite:", "file:"].into_iter().find(|scheme| path.starts_with(scheme)) {
        format!(
            "{scheme} begins no address of a database; of a file that is called so the path is ./{scheme}…"
        )
    } else {
        return Ok(Place::File(path));
    };
    Err(StoreError::Unfit(format!("{why}; give the path of a file, or mysql://user@host/name")))
}

fn maria_options(address: &str) -> Result<MySqlConnectOptions, StoreError> {
    MySqlConnectOptions::from_str(address).map_err(|error| {
        StoreError::Unfit(format!(
            "the address of the database can't be read: {error}. It is mysql://USER:PASSWORD@HOST/NAME, where special \
             characters of user and password are percent-encoded: %40 for @, %2F for /, %3A for :, %23 for #, %25 for %"
        ))
    })
}

/// Whoever waits for a row, or for a table that another changes, is told after ten seconds; of a table a server would say
/// nothing for a day.
fn maria(address: &str) -> Result<MySqlPool, StoreError> {
    let options = maria_options(address)?.statement_cache_capacity(300);
    let pool =
        MySqlPoolOptions::new().max_connections(8).acquire_timeout(BUSY).idle_timeout(IDLE).after_connect(
            |connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(
                        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
                     innodb_lock_wait_timeout = 10, lock_wait_timeout = 10, wait_timeout = 30; \
                     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                    )
                    .execute(connection)
                    .await
                    .map(|_| ())
                })
            },
        );
    Ok(pool.connect_lazy_with(options))
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// How SQLite would carry a statement out in a new store, step by step.
#[cfg(test)]
pub(crate) async fn plan_of(sql: Sql, args: Vec<Arg>) -> Vec<String> {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("tweetfilter-plan-{}-{number}", std::process::id()));
    // A process that had this number before may have left something.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let database = Database::open(&folder.join("a.db").to_string_lossy()).await.unwrap();
    let plan = Sql::both(Box::leak(format!("EXPLAIN QUERY PLAN {}", sql.sqlite).into_boxed_str()));
    let rows = database.rows(plan, args).await.unwrap();
    database.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
    rows.iter().map(|row| row.text(3).unwrap()).collect()
}
