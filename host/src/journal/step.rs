//! The steps of a run: recorded before they begin, and when they have ended.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::run::{unword, word};
use super::{Journal, JournalError, now};
use crate::plan::PlannedStep;

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Begun: nobody knows how much of it happened.
    Intended,
    Done,
    Failed,
    Undone,
}

/// A step as recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JournaledStep {
    /// Counts from 1 through all rounds of the run.
    pub seq: u64,
    pub planned: PlannedStep,
    pub state: StepState,
    pub error: Option<String>,
}

impl Journal {
    /// Records a step before it begins, and answers its number.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn intend(&self, run: u64, planned: &PlannedStep) -> Result<u64, JournalError> {
        let seq: u64 = self.connection.query_row(
            "insert into step (run, seq, planned, state, at)
             values (?1, (select coalesce(max(seq), 0) + 1 from step where run = ?1), ?2, ?3, ?4) returning seq",
            params![run, serde_json::to_string(planned)?, word(StepState::Intended)?, now()],
            |row| row.get(0),
        )?;
        Ok(seq)
    }

    /// Records how a step has ended.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn set_step(&self, run: u64, seq: u64, state: StepState, error: Option<&str>) -> Result<(), JournalError> {
        self.connection.execute(
            "update step set state = ?, at = ?, error = coalesce(?, error) where run = ? and seq = ?",
            params![word(state)?, now(), error, run, seq],
        )?;
        Ok(())
    }

    /// The steps of a run, in the order in which they were begun.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn steps(&self, run: u64) -> Result<Vec<JournaledStep>, JournalError> {
        let mut statement =
            self.connection.prepare("select seq, planned, state, error from step where run = ? order by seq")?;
        let rows = statement.query_map([run], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get(3)?))
        })?;
        let read = |(seq, planned, state, error): (u64, String, String, Option<String>)| {
            Ok(JournaledStep { seq, planned: serde_json::from_str(&planned)?, state: unword(&state)?, error })
        };
        rows.map(|row| row.map_err(JournalError::from).and_then(read)).collect()
    }
}
