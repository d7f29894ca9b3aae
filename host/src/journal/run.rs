//! A run: one plan that was begun, and how it ended.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{Journal, JournalError, now};
use crate::plan::Plan;

/// Why a run was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Apply,
    Rollback,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Steps are being done, or the process died while they were.
    Running,
    /// Waiting for the operator to confirm over a new connection.
    Confirming,
    /// All is done: there is a revision.
    Applied,
    /// All is as it was before.
    Undone,
    /// Something could not be undone; `stead recover` tries again.
    Broken,
}

/// What a run begins with.
#[derive(Clone, Copy, Debug)]
pub struct NewRun<'a> {
    pub kind: Kind,
    pub plan: &'a Plan,
    /// Who began it: `alice@laptop`.
    pub operator: &'a str,
}

/// A run as recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    pub id: u64,
    pub kind: Kind,
    pub state: RunState,
    pub host: String,
    pub commit: Option<String>,
    pub plan_hash: String,
    pub operator: String,
    /// Milliseconds since 1970.
    pub started: i64,
    /// Milliseconds since 1970.
    pub ended: Option<i64>,
    pub error: Option<String>,
    pub confirmed: bool,
}

const COLUMNS: &str = "id, kind, state, host, commit_id, plan_hash, operator, started, ended, error, confirmed";

impl Journal {
    /// Records a run before its first step.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn begin(&self, new: NewRun<'_>) -> Result<u64, JournalError> {
        let NewRun { kind, plan, operator } = new;
        self.connection.execute(
            "insert into run (kind, state, host, commit_id, plan_hash, plan, operator, started)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                word(kind)?,
                word(RunState::Running)?,
                plan.host,
                plan.commit,
                plan.hash.as_str(),
                serde_json::to_string(plan)?,
                operator,
                now()
            ],
        )?;
        Ok(self.connection.last_insert_rowid().unsigned_abs())
    }

    /// Records how far the run has come.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn set_state(&self, run: u64, state: RunState, error: Option<&str>) -> Result<(), JournalError> {
        let ended = matches!(state, RunState::Applied | RunState::Undone).then(now);
        self.connection.execute(
            "update run set state = ?, ended = ?, error = coalesce(?, error) where id = ?",
            params![word(state)?, ended, error, run],
        )?;
        Ok(())
    }

    /// Records that the run waits for the operator to get in over a new connection.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn await_confirmation(&self, run: u64) -> Result<(), JournalError> {
        let state = word(RunState::Confirming)?;
        self.connection.execute("update run set state = ?, confirmed = 0 where id = ?", params![state, run])?;
        Ok(())
    }

    /// Records that the operator got in over a new connection.
    ///
    /// # Errors
    /// When there is no such run, or the record cannot be written.
    pub fn confirm(&self, run: u64) -> Result<(), JournalError> {
        match self.connection.execute("update run set confirmed = 1 where id = ?", [run])? {
            0 => Err(JournalError::Missing { what: "run", id: run }),
            _ => Ok(()),
        }
    }

    /// The run of this number.
    ///
    /// # Errors
    /// When there is none, or the record cannot be read.
    pub fn run(&self, id: u64) -> Result<Run, JournalError> {
        let sql = format!("select {COLUMNS} from run where id = ?");
        let run = self.connection.query_row(&sql, [id], |row| Ok(read(row))).optional()?;
        run.unwrap_or(Err(JournalError::Missing { what: "run", id }))
    }

    /// The last runs, the newest first.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn runs(&self, most: u32) -> Result<Vec<Run>, JournalError> {
        let sql = format!("select {COLUMNS} from run order by id desc limit ?");
        let mut statement = self.connection.prepare(&sql)?;
        statement.query_map([most], |row| Ok(read(row)))?.map(|run| run?).collect()
    }

    /// The run that was begun and has neither been applied nor undone: there is at most one.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn open_run(&self) -> Result<Option<Run>, JournalError> {
        let sql =
            format!("select {COLUMNS} from run where state in ('running', 'confirming', 'broken') order by id limit 1");
        self.connection.query_row(&sql, [], |row| Ok(read(row))).optional()?.transpose()
    }

    /// The plan that a run was begun with.
    ///
    /// # Errors
    /// When there is none, or the record cannot be read.
    pub fn plan(&self, run: u64) -> Result<Plan, JournalError> {
        let plan: Option<String> =
            self.connection.query_row("select plan from run where id = ?", [run], |row| row.get(0)).optional()?;
        Ok(serde_json::from_str(&plan.ok_or(JournalError::Missing { what: "run", id: run })?)?)
    }
}

fn read(row: &Row<'_>) -> Result<Run, JournalError> {
    Ok(Run {
        id: row.get(0)?,
        kind: unword(&row.get::<_, String>(1)?)?,
        state: unword(&row.get::<_, String>(2)?)?,
        host: row.get(3)?,
        commit: row.get(4)?,
        plan_hash: row.get(5)?,
        operator: row.get(6)?,
        started: row.get(7)?,
        ended: row.get(8)?,
        error: row.get(9)?,
        confirmed: row.get(10)?,
    })
}

/// The word that serde gives a unit variant.
pub(super) fn word(value: impl Serialize) -> Result<String, JournalError> {
    Ok(serde_json::from_value(serde_json::to_value(value)?)?)
}

pub(super) fn unword<T: serde::de::DeserializeOwned>(word: &str) -> Result<T, JournalError> {
    Ok(serde_json::from_value(serde_json::Value::from(word))?)
}
