//! A connection to the server, opened anew when it breaks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use postgres::types::ToSql;
use postgres::{Client, SimpleQueryMessage, Statement};

use super::{Server, schema};
use crate::clock::Clock;
use crate::sql::{Connection, Row, Sql, Value};
use crate::wake::Woke;
use crate::{QueueError, Settings, Timestamp};

/// Begins, waits for the one lock of all that write, and tells the time then.
const BEGIN: &str = "begin; select pg_advisory_xact_lock(7598238160401658217);
    select (extract(epoch from clock_timestamp()) * 1000)::bigint";
const BEGIN_READ: &str = "begin isolation level repeatable read read only;
    select (extract(epoch from clock_timestamp()) * 1000)::bigint";

pub(crate) struct PostgresConnection {
    server: Server,
    clock: Option<Arc<dyn Clock>>,
    /// The server's number of this connection, for the listener to know its own notifications by.
    number: Arc<AtomicI32>,
    open: Option<Open>,
}

struct Open {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl PostgresConnection {
    /// Connects, and makes the tables when there are none.
    pub(crate) fn open(server: &Server, settings: &Settings) -> Result<Self, QueueError> {
        let number = Arc::default();
        let mut connection = Self { server: server.clone(), clock: settings.clock.clone(), number, open: None };
        connection.opened()?;
        Ok(connection)
    }

    pub(crate) fn number(&self) -> Arc<AtomicI32> {
        self.number.clone()
    }

    fn opened(&mut self) -> Result<&mut Open, QueueError> {
        if self.open.as_ref().is_none_or(|open| open.client.is_closed()) {
            self.open = None;
            let mut client = self.server.connect()?;
            schema::migrate(&mut client)?;
            let number = client.query_one("select pg_backend_pid()", &[]).map_err(database)?;
            self.number.store(number.get(0), Ordering::Relaxed);
            self.open = Some(Open { client, statements: HashMap::new() });
        }
        self.open.as_mut().ok_or(QueueError::Closed)
    }

    /// Runs a line that ends with a query for the time.
    fn begin_with(&mut self, sql: &str) -> Result<Timestamp, QueueError> {
        let messages = match self.opened()?.client.simple_query(sql) {
            // It broke while nobody used it.
            Err(_) if self.open.as_ref().is_some_and(|open| open.client.is_closed()) => {
                self.opened()?.client.simple_query(sql)
            }
            messages => messages,
        };
        let messages = messages.map_err(database)?;
        let row = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let told = row.and_then(|millis| millis.parse().ok()).ok_or(QueueError::Stored("the time"))?;
        Ok(self.clock.as_ref().map_or(Timestamp::from_millis(told), |clock| clock.read().wall))
    }
}

impl Open {
    fn statement(&mut self, sql: &str) -> Result<Statement, QueueError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).map_err(database)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Sql for PostgresConnection {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, QueueError> {
        let open = self.open.as_mut().ok_or(QueueError::Closed)?;
        let statement = open.statement(sql)?;
        open.client.execute(&statement, &parameters(values)).map_err(database)
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, QueueError> {
        let open = self.open.as_mut().ok_or(QueueError::Closed)?;
        let statement = open.statement(sql)?;
        let rows = open.client.query(&statement, &parameters(values)).map_err(database)?;
        let read = |row: &postgres::Row| (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>();
        rows.iter().map(|row| read(row).map(Row).map_err(database)).collect()
    }
}

impl Connection for PostgresConnection {
    fn begin(&mut self) -> Result<Timestamp, QueueError> {
        self.begin_with(BEGIN)
    }

    fn begin_read(&mut self) -> Result<Timestamp, QueueError> {
        self.begin_with(BEGIN_READ)
    }

    fn commit(&mut self, woke: Woke) -> Result<(), QueueError> {
        let sql = match woke {
            Woke { ready: true, .. } => "notify stead_queue, 'ready'; commit",
            Woke { changed: true, .. } => "notify stead_queue, 'changed'; commit",
            _ => "commit",
        };
        let open = self.open.as_mut().ok_or(QueueError::Closed)?;
        open.client.batch_execute(sql).map_err(|error| match error.as_db_error() {
            // The server says that it did not commit.
            Some(_) => QueueError::Database(Arc::new(error)),
            None => QueueError::Lost(Arc::new(error)),
        })
    }

    fn rollback(&mut self) {
        let rolled_back = self.open.as_mut().map(|open| open.client.batch_execute("rollback"));
        if !matches!(rolled_back, Some(Ok(()))) {
            self.open = None;
        }
    }

    fn others_wrote(&mut self) -> bool {
        false
    }

    fn must_ask(&self) -> bool {
        false
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

pub(super) fn database(error: postgres::Error) -> QueueError {
    QueueError::Database(Arc::new(error))
}
