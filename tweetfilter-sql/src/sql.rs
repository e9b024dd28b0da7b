//! Statements in both dialects, and the one way in which they are run.
//!
//! A statement takes lists as one JSON parameter, so its text never changes: it is `&'static str`, what users wrote is
//! always bound, and a test can have both servers prepare all of them. Where many rows are inserted, numbers and texts are
//! bound one by one: [`Many`] has statements of several lengths.

use std::pin::Pin;

use sqlx::mysql::{MySql, MySqlConnection, MySqlQueryResult, MySqlRow};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Executor, Row as _, SqlSafeStr, Transaction};
use tweetfilter_stream::store::StoreError;

use crate::error::store_error;

/// What is compiled in this crate: whoever awaits an `async fn` compiles all that it awaits, anew in each crate that does.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) maria: &'static str,
}

impl Sql {
    /// The same text for both.
    pub(crate) const fn both(text: &'static str) -> Self {
        Self { sqlite: text, maria: text }
    }

    /// Each its own. An empty text: that database has no use for it.
    pub(crate) const fn each(sqlite: &'static str, maria: &'static str) -> Self {
        Self { sqlite, maria }
    }
}

/// An insert of many rows, at so many at once as fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Many(pub(crate) [Sql; 4]);

impl Many {
    /// Of a table that SQLite alone has.
    pub(crate) const fn of_sqlite(self) -> Self {
        let Self([a, b, c, d]) = self;
        Self([
            Sql::each(a.sqlite, ""),
            Sql::each(b.sqlite, ""),
            Sql::each(c.sqlite, ""),
            Sql::each(d.sqlite, ""),
        ])
    }
}

/// Rows of each of its statements.
const AT_ONCE: [usize; 4] = [256, 32, 4, 1];

/// A row's place holders, so many times.
macro_rules! repeated {
    (1 $row:literal) => { $row };
    (4 $row:literal) => { concat!($row, ",", $row, ",", $row, ",", $row) };
    (32 $row:literal) => { $crate::sql::repeated!(eightfold 4 $row) };
    (256 $row:literal) => { $crate::sql::repeated!(eightfold 32 $row) };
    (eightfold $n:tt $row:literal) => {
        concat!(
            $crate::sql::repeated!($n $row), ",", $crate::sql::repeated!($n $row), ",",
            $crate::sql::repeated!($n $row), ",", $crate::sql::repeated!($n $row), ",",
            $crate::sql::repeated!($n $row), ",", $crate::sql::repeated!($n $row), ",",
            $crate::sql::repeated!($n $row), ",", $crate::sql::repeated!($n $row)
        )
    };
}
pub(crate) use repeated;

/// `many!(INSERT … VALUES, (?, …), what SQLite and what MariaDB does with rows that are there already)`.
macro_rules! many {
    ($head:literal, $row:literal, $sqlite:literal, $maria:literal) => {
        $crate::sql::Many([
            $crate::sql::many!(256 $head, $row, $sqlite, $maria),
            $crate::sql::many!(32 $head, $row, $sqlite, $maria),
            $crate::sql::many!(4 $head, $row, $sqlite, $maria),
            $crate::sql::many!(1 $head, $row, $sqlite, $maria),
        ])
    };
    ($times:tt $head:literal, $row:literal, $sqlite:literal, $maria:literal) => {
        $crate::sql::Sql::each(
            concat!($head, " ", $crate::sql::repeated!($times $row), " ", $sqlite),
            concat!($head, " ", $crate::sql::repeated!($times $row), " ", $maria),
        )
    };
}
pub(crate) use many;

/// Names statements, and lists them for the check that both servers understand them.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(pub(crate) const $name: $crate::sql::Sql = $sql;)*
        /// All statements of this file.
        pub(crate) const STATEMENTS: &[$crate::sql::Sql] = &[$($name),*];
    };
}
pub(crate) use statements;

/// A value that is bound.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Arg {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<Option<i64>> for Arg {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Int)
    }
}

impl From<Option<&str>> for Arg {
    fn from(value: Option<&str>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Arg {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Arg {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

/// A list as one parameter.
pub(crate) fn list<T: serde::Serialize>(rows: &[T]) -> Result<Arg, StoreError> {
    serde_json::to_string(rows).map(Arg::Text).map_err(|error| StoreError::Refused(error.to_string()))
}

/// Binds what `$arg` holds.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { vec![$($crate::sql::Arg::from($arg)),*] };
}
pub(crate) use args;

/// The same for one row of many.
macro_rules! row {
    ($($arg:expr),* $(,)?) => { [$($crate::sql::Arg::from($arg)),*] };
}
pub(crate) use row;

/// A row of either database.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Maria(MySqlRow),
}

impl Row {
    /// A number; 0 for null.
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        Ok(self.maybe_int(column)?.unwrap_or_default())
    }

    /// A number or null.
    pub(crate) fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(column),
            Self::Maria(row) => row.try_get_unchecked(column),
        }
        .map_err(store_error)
    }

    /// A text; empty for null.
    pub(crate) fn text(&self, column: usize) -> Result<String, StoreError> {
        Ok(self.maybe_text(column)?.unwrap_or_default())
    }

    /// A text or null.
    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(column),
            Self::Maria(row) => row.try_get_unchecked(column),
        }
        .map_err(store_error)
    }

    /// Bytes; none for null.
    pub(crate) fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        let bytes: Option<Vec<u8>> = match self {
            Self::Sqlite(row) => row.try_get_unchecked(column),
            Self::Maria(row) => row.try_get_unchecked(column),
        }
        .map_err(store_error)?;
        Ok(bytes.unwrap_or_default())
    }

    /// A JSON value in a text.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: usize) -> Result<T, StoreError> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|error| {
            StoreError::Unfit(format!("column {column} holds what this program did not write: {error}"))
        })
    }
}

/// An open transaction; dropped without [`Tx::commit`] it never happened.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Maria(MariaTx),
}

macro_rules! bound {
    ($sql:expr, $args:expr) => {{
        let mut statement = sqlx::query($sql);
        for arg in $args {
            statement = match arg {
                Arg::Null => statement.bind(None::<i64>),
                Arg::Int(value) => statement.bind(value),
                Arg::Text(value) => statement.bind(value),
                Arg::Bytes(value) => statement.bind(value),
            };
        }
        statement
    }};
}

/// Reads all rows of a statement that needs no transaction around it, since it is the only one.
pub(crate) async fn rows_of_sqlite(
    pool: &sqlx::SqlitePool,
    sql: Sql,
    args: Vec<Arg>,
) -> Result<Vec<Row>, StoreError> {
    let rows = bound!(sql.sqlite, args).fetch_all(pool).await.map_err(store_error)?;
    Ok(rows.into_iter().map(Row::Sqlite).collect())
}

/// The same on MariaDB.
pub(crate) async fn rows_of_maria(
    pool: &sqlx::MySqlPool,
    sql: Sql,
    args: Vec<Arg>,
) -> Result<Vec<Row>, StoreError> {
    let mut alone = MariaTx::alone(pool).await.map_err(store_error)?;
    alone.rows(sql, args).await.map_err(store_error)
}

/// A transaction on MariaDB, or a connection for what needs none.
///
/// Whoever is cut off while the server is asked, as a request is of which the sender hangs up, leaves an answer behind. The
/// connection is closed then, or the next to have it would take that for its own.
#[derive(Debug)]
pub(crate) struct MariaTx {
    /// None only while it is dropped.
    connection: Option<PoolConnection<MySql>>,
    /// It was begun, and neither committed nor rolled back.
    is_open: bool,
    /// Something was asked, and not all of the answer was read.
    asks: bool,
}

impl MariaTx {
    pub(crate) async fn begin(pool: &sqlx::MySqlPool) -> Result<Self, sqlx::Error> {
        let mut tx = Self::alone(pool).await?;
        tx.say("BEGIN").await?;
        tx.is_open = true;
        Ok(tx)
    }

    async fn alone(pool: &sqlx::MySqlPool) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: Some(pool.acquire().await?), is_open: false, asks: false })
    }

    fn asking(&mut self) -> Result<&mut MySqlConnection, sqlx::Error> {
        self.asks = true;
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    fn answered(&mut self) {
        self.asks = false;
    }

    async fn say(&mut self, what: &'static str) -> Result<(), sqlx::Error> {
        let done = sqlx::raw_sql(what).execute(self.asking()?).await;
        self.answered();
        done.map(|_| ())
    }

    async fn run(&mut self, sql: Sql, args: Vec<Arg>) -> Result<MySqlQueryResult, sqlx::Error> {
        let done = bound!(sql.maria, args).execute(self.asking()?).await;
        self.answered();
        done
    }

    async fn rows(&mut self, sql: Sql, args: Vec<Arg>) -> Result<Vec<Row>, sqlx::Error> {
        let rows = bound!(sql.maria, args).fetch_all(self.asking()?).await;
        self.answered();
        rows.map(|rows| rows.into_iter().map(Row::Maria).collect())
    }

    async fn prepare(&mut self, sql: Sql) -> Result<(), sqlx::Error> {
        let prepared = self.asking()?.prepare(sql.maria.into_sql_str()).await.map(|_| ());
        self.answered();
        prepared
    }

    async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.say("COMMIT").await?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for MariaTx {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if self.is_open && !self.asks => {
                runtime.spawn(async move {
                    if sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.is_err() {
                        connection.close_on_drop();
                    }
                });
            }
            // The server rolls back what was open on a connection that ends.
            _ if self.is_open || self.asks => connection.close_on_drop(),
            _ => {}
        }
    }
}

impl Tx {
    /// Runs a statement; the number of rows that it changed.
    pub(crate) fn run(&mut self, sql: Sql, args: Vec<Arg>) -> Boxed<'_, u64> {
        Box::pin(async move {
            match self {
                Self::Sqlite(tx) => {
                    bound!(sql.sqlite, args).execute(&mut **tx).await.map(|done| done.rows_affected())
                }
                Self::Maria(tx) => tx.run(sql, args).await.map(|done| done.rows_affected()),
            }
            .map_err(store_error)
        })
    }

    /// Inserts rows, with as few statements as their number allows.
    pub(crate) async fn run_many<const N: usize>(
        &mut self,
        many: &Many,
        rows: Vec<[Arg; N]>,
    ) -> Result<(), StoreError> {
        let mut rows = rows.into_iter();
        for (sql, at_once) in many.0.iter().zip(AT_ONCE) {
            while rows.len() >= at_once {
                let args = rows.by_ref().take(at_once).flatten().collect();
                self.run(*sql, args).await?;
            }
        }
        Ok(())
    }

    /// Runs a statement that inserts one row; its number.
    pub(crate) fn insert(&mut self, sql: Sql, args: Vec<Arg>) -> Boxed<'_, i64> {
        Box::pin(async move {
            match self {
                Self::Sqlite(tx) => {
                    bound!(sql.sqlite, args).execute(&mut **tx).await.map(|done| done.last_insert_rowid())
                }
                Self::Maria(tx) => tx.run(sql, args).await.map(|done| done.last_insert_id().cast_signed()),
            }
            .map_err(store_error)
        })
    }

    /// Reads all rows.
    pub(crate) fn rows(&mut self, sql: Sql, args: Vec<Arg>) -> Boxed<'_, Vec<Row>> {
        Box::pin(async move {
            let rows = match self {
                Self::Sqlite(tx) => bound!(sql.sqlite, args)
                    .fetch_all(&mut **tx)
                    .await
                    .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
                Self::Maria(tx) => tx.rows(sql, args).await,
            };
            rows.map_err(store_error)
        })
    }

    /// Reads the first row.
    pub(crate) async fn row(&mut self, sql: Sql, args: Vec<Arg>) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Has the server look at a statement, without running it.
    pub(crate) async fn prepare(&mut self, sql: Sql) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => (&mut **tx).prepare(sql.sqlite.into_sql_str()).await.map(|_| ()),
            Self::Maria(tx) => tx.prepare(sql).await,
        }
        .map_err(store_error)
    }

    /// Makes it durable.
    pub(crate) fn commit(self) -> Boxed<'static, ()> {
        Box::pin(async move {
            match self {
                Self::Sqlite(tx) => tx.commit().await,
                Self::Maria(tx) => tx.commit().await,
            }
            .map_err(store_error)
        })
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}
