//! What the operations need of a database. They are written once, in the SQL that SQLite and PostgreSQL have in common.

use crate::wake::Woke;
use crate::{QueueError, Timestamp};

/// A value in a statement or a row. The tables know no other types.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The columns of a row, in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Row(pub(crate) Vec<Value>);

/// A database in the midst of a transaction.
pub(crate) trait Sql {
    /// Runs a statement, with `$1` and so on as its values, and answers how many rows it changed.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, QueueError>;

    /// The same, and answers the rows.
    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, QueueError>;
}

/// A connection, which one thread owns.
pub(crate) trait Connection: Sql + Send {
    /// Begins a transaction that writes, and tells the time. There is at most one such transaction in all processes.
    fn begin(&mut self) -> Result<Timestamp, QueueError>;

    /// Begins a transaction that reads one state of the database.
    fn begin_read(&mut self) -> Result<Timestamp, QueueError>;

    /// Makes durable what was written, and wakes other processes.
    fn commit(&mut self, woke: Woke) -> Result<(), QueueError>;

    /// Forgets what was written. A connection that is broken is opened anew by the next transaction.
    fn rollback(&mut self);

    /// Whether another process wrote since this was last asked, where that has to be asked.
    fn others_wrote(&mut self) -> bool;

    /// Whether it has to be asked.
    fn must_ask(&self) -> bool;
}

impl Row {
    pub(crate) fn integer(&self, column: usize) -> Result<i64, QueueError> {
        self.maybe_integer(column)?.ok_or(QueueError::Stored("a number is missing"))
    }

    pub(crate) fn maybe_integer(&self, column: usize) -> Result<Option<i64>, QueueError> {
        match self.0.get(column) {
            Some(Value::Integer(number)) => Ok(Some(*number)),
            Some(Value::Null) => Ok(None),
            _ => Err(QueueError::Stored("not a number")),
        }
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, QueueError> {
        self.maybe_text(column)?.ok_or(QueueError::Stored("a text is missing"))
    }

    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<String>, QueueError> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(Value::Null) => Ok(None),
            _ => Err(QueueError::Stored("not a text")),
        }
    }

    pub(crate) fn word<T>(&self, column: usize, value: fn(&str) -> Option<T>) -> Result<T, QueueError> {
        value(&self.text(column)?).ok_or(QueueError::Stored("an unknown word"))
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<Vec<u8>, QueueError> {
        match self.0.get(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
            _ => Err(QueueError::Stored("not bytes")),
        }
    }

    pub(crate) fn flag(&self, column: usize) -> Result<bool, QueueError> {
        Ok(self.integer(column)? != 0)
    }

    pub(crate) fn unsigned(&self, column: usize) -> Result<u64, QueueError> {
        u64::try_from(self.integer(column)?).map_err(|_| QueueError::Stored("a negative number"))
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp, QueueError> {
        self.integer(column).map(Timestamp::from_millis)
    }

    pub(crate) fn maybe_time(&self, column: usize) -> Result<Option<Timestamp>, QueueError> {
        Ok(self.maybe_integer(column)?.map(Timestamp::from_millis))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Integer(flag.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Integer(at.as_millis())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Values of a statement, each from what it is in Rust.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::sql::Value::from($value)),*] };
}
pub(crate) use values;
