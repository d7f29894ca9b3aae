//! The append-only record of what was done to a machine, in SQLite under stead's state folder.
//!
//! An entry is on disk before the action that it speaks of begins: after a crash or a power loss the record says
//! more than what happened, never less. It holds no secret and it decides nothing.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

mod operation;
mod revision;
mod run;
mod schema;
mod step;

pub use operation::Operation;
pub use revision::Revision;
pub use run::{Kind, NewRun, Run, RunState};
pub use step::{JournaledStep, StepState};

/// How long a write waits for another process that writes.
const BUSY: Duration = Duration::from_secs(10);

/// The record of one machine.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
}

/// The record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("cannot open the journal {path}: {source}")]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("the journal is of version {found}; this stead knows versions up to {known}")]
    Newer { found: u32, known: u32 },
    #[error("cannot use the journal: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error("an entry of the journal is not readable: {0}")]
    Entry(#[from] serde_json::Error),
    #[error("the journal has no {what} {id}")]
    Missing { what: &'static str, id: u64 },
}

impl Journal {
    /// Opens the record in the state folder, making it when there is none.
    ///
    /// # Errors
    /// When the file cannot be used, or comes from a later stead.
    pub fn open(state: &Path) -> Result<Self, JournalError> {
        let path = state.join("journal.sqlite");
        let at = |source| JournalError::Open { path: path.clone(), source };
        let connection = Connection::open(&path).map_err(at)?;
        connection.busy_timeout(BUSY).map_err(at)?;
        connection.pragma_update(None, "journal_mode", "wal").map_err(at)?;
        // In WAL mode, FULL syncs the log at every commit: what was recorded survives a power loss.
        connection.pragma_update(None, "synchronous", "full").map_err(at)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(at)?;
        schema::migrate(&connection)?;
        Ok(Self { connection })
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
