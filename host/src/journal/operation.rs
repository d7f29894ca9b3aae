//! What an operator did to a machine besides applying: it has no plan, and nothing takes it back.

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::{Journal, JournalError, now};

/// An operation as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub id: u64,
    /// `app restart`.
    pub what: String,
    /// `shop web`.
    pub resource: String,
    /// Who began it: `alice@laptop`.
    pub operator: String,
    /// Milliseconds since 1970.
    pub started: i64,
    /// Milliseconds since 1970; `None`: it is going on, or its process died.
    pub ended: Option<i64>,
    pub error: Option<String>,
}

impl Journal {
    /// Records an operation before it begins, and answers its number.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn begin_operation(&self, what: &str, resource: &str, operator: &str) -> Result<u64, JournalError> {
        self.connection.execute(
            "insert into operation (what, resource, operator, started) values (?, ?, ?, ?)",
            params![what, resource, operator, now()],
        )?;
        Ok(self.connection.last_insert_rowid().unsigned_abs())
    }

    /// Records how an operation has ended.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn end_operation(&self, id: u64, error: Option<&str>) -> Result<(), JournalError> {
        self.connection.execute("update operation set ended = ?, error = ? where id = ?", params![now(), error, id])?;
        Ok(())
    }

    /// The last operations, the newest first.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn operations(&self, most: u32) -> Result<Vec<Operation>, JournalError> {
        let sql = "select id, what, resource, operator, started, ended, error from operation order by id desc limit ?";
        let mut statement = self.connection.prepare(sql)?;
        statement.query_map([most], read)?.map(|row| Ok(row?)).collect()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Operation> {
    Ok(Operation {
        id: row.get(0)?,
        what: row.get(1)?,
        resource: row.get(2)?,
        operator: row.get(3)?,
        started: row.get(4)?,
        ended: row.get(5)?,
        error: row.get(6)?,
    })
}
