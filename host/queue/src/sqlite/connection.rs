//! A connection to the file.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, ToSql, params_from_iter};

use super::schema;
#[cfg(test)]
use super::steps;
use super::time::Time;
use crate::clock::{Clock, MachineClock};
use crate::sql::{Connection, Row, Sql, Value};
use crate::wake::Woke;
use crate::{QueueError, Settings, Timestamp};

/// More than there are statements.
const STATEMENTS: usize = 128;
/// How long a process waits for the others that write, in tries and pauses.
const TRIES: i32 = 20_000;
const PAUSE: Duration = Duration::from_millis(1);

pub(crate) struct SqliteConnection {
    inner: rusqlite::Connection,
    time: Time,
    /// Changes when another connection commits.
    data_version: i64,
}

impl SqliteConnection {
    /// Opens the file, making it and its tables when there are none.
    pub(crate) fn open(path: &Path, settings: &Settings) -> Result<Self, QueueError> {
        let at = |source| QueueError::Open { path: path.to_owned(), source };
        // Inputs may be secret.
        let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
        made.map_err(|error| at(Arc::new(error)))?;
        let mut inner = opened(path).map_err(|error| at(Arc::new(error)))?;
        schema::migrate(&mut inner)?;
        let clock = settings.clock.clone().unwrap_or_else(|| Arc::new(MachineClock::new()) as Arc<dyn Clock>);
        Ok(Self { inner, time: Time::new(clock), data_version: 0 })
    }

    /// As if the disk had no room for more.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: i64) -> Result<(), QueueError> {
        self.inner.pragma_update(None, "max_page_count", pages).map_err(database)
    }

    fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, QueueError> {
        self.inner.prepare_cached(&sql.replace('$', "?")).map_err(database)
    }

    fn batch(&self, sql: &str) -> Result<(), QueueError> {
        self.statement(sql)?.raw_execute().map(drop).map_err(database)
    }
}

fn opened(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let mut connection = rusqlite::Connection::open(path)?;
    connection.busy_handler(Some(|tries| {
        sleep(PAUSE);
        tries < TRIES
    }))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "wal")?;
    // In WAL mode, FULL syncs the log at every commit: what was recorded survives a power loss.
    connection.pragma_update(None, "synchronous", "full")?;
    // In KiB: enough for the inner pages of a million jobs.
    connection.pragma_update(None, "cache_size", -32_768)?;
    Ok(connection)
}

impl Sql for SqliteConnection {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, QueueError> {
        let mut statement = self.statement(sql)?;
        let changed = statement.execute(params_from_iter(values)).map_err(database)?;
        #[cfg(test)]
        steps::count(&statement);
        Ok(changed as u64)
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, QueueError> {
        let mut statement = self.statement(sql)?;
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get_ref(column).map(value)).collect();
        let rows = statement.query_map(params_from_iter(values), read).map_err(database)?;
        let rows = rows.map(|row| row.map(Row).map_err(database)).collect();
        #[cfg(test)]
        steps::count(&statement);
        rows
    }
}

impl Connection for SqliteConnection {
    fn begin(&mut self) -> Result<Timestamp, QueueError> {
        self.batch("begin immediate")?;
        let Self { inner, time, .. } = self;
        time.now(inner).inspect_err(|_| self.rollback())
    }

    fn begin_read(&mut self) -> Result<Timestamp, QueueError> {
        self.batch("begin")?;
        Ok(self.time.read())
    }

    fn commit(&mut self, _: Woke) -> Result<(), QueueError> {
        self.batch("commit")
    }

    fn rollback(&mut self) {
        // It fails when SQLite has rolled back by itself, as it does on a full disk.
        drop(self.batch("rollback"));
        self.time.forget();
    }

    fn others_wrote(&mut self) -> bool {
        let found = self.rows("pragma data_version", &[]).ok();
        let found = found.and_then(|rows| rows.first()?.integer(0).ok()).unwrap_or(self.data_version);
        std::mem::replace(&mut self.data_version, found) != found
    }

    fn must_ask(&self) -> bool {
        true
    }
}

pub(super) fn database(error: rusqlite::Error) -> QueueError {
    QueueError::Database(Arc::new(error))
}

fn value(found: ValueRef<'_>) -> Value {
    match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        // Nothing here is a fraction: reported as a value of the wrong type by who reads it.
        ValueRef::Real(_) => Value::Bytes(Vec::new()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
