//! Revisions: the states of the machine that were reached and confirmed.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::run::word;
use super::{Journal, JournalError, RunState, now};
use crate::digest::Digest;
use crate::plan::{Ownership, Plan, Specs};

/// One applied state of a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Revision {
    pub id: u64,
    pub run: u64,
    pub commit: Option<String>,
    pub plan_hash: String,
    pub policies: BTreeMap<String, Digest>,
    /// Names the archive of the repo's `apps/`.
    pub apps: Digest,
    pub specs: Specs,
    pub ownership: Ownership,
    /// Milliseconds since 1970.
    pub at: i64,
}

impl Revision {
    /// Whether it already says all that a plan says, so that an empty plan needs no new one.
    pub fn records(&self, plan: &Plan) -> bool {
        self.specs == plan.specs && self.ownership == plan.ownership && self.policies == plan.policies
    }
}

const COLUMNS: &str = "id, run, commit_id, plan_hash, policies, specs, ownership, at, apps";

impl Journal {
    /// Records, in one transaction, that the run was applied and what the machine is now.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn commit(&mut self, run: u64, plan: &Plan, ownership: &Ownership) -> Result<u64, JournalError> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "insert into revision (run, commit_id, plan_hash, policies, specs, ownership, at, apps)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                run,
                plan.commit,
                plan.hash.as_str(),
                serde_json::to_string(&plan.policies)?,
                serde_json::to_string(&plan.specs)?,
                serde_json::to_string(ownership)?,
                now(),
                serde_json::to_string(&plan.apps)?
            ],
        )?;
        let id = transaction.last_insert_rowid();
        transaction.execute(
            "update run set state = ?, ended = ? where id = ?",
            params![word(RunState::Applied)?, now(), run],
        )?;
        transaction.commit()?;
        Ok(id.unsigned_abs())
    }

    /// The revision that the machine is at.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn latest(&self) -> Result<Option<Revision>, JournalError> {
        let sql = format!("select {COLUMNS} from revision order by id desc limit 1");
        self.connection.query_row(&sql, [], |row| Ok(read(row))).optional()?.transpose()
    }

    /// The runs that led to the last revisions, the newest first.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn runs_of_revisions(&self, most: u32) -> Result<Vec<u64>, JournalError> {
        let mut statement = self.connection.prepare("select run from revision order by id desc limit ?")?;
        statement.query_map([most], |row| row.get(0))?.map(|run| Ok(run?)).collect()
    }

    /// Whether a revision declared just this.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn has_declared(&self, specs: &Specs) -> Result<bool, JournalError> {
        // Maps are sorted, so equal specs have equal texts.
        let sql = "select exists (select 1 from revision where specs = ?)";
        let found = self.connection.query_row(sql, [serde_json::to_string(specs)?], |row| row.get(0))?;
        Ok(found || specs.is_empty())
    }

    /// The revision of this number.
    ///
    /// # Errors
    /// When there is none, or the record cannot be read.
    pub fn revision(&self, id: u64) -> Result<Revision, JournalError> {
        let sql = format!("select {COLUMNS} from revision where id = ?");
        let revision = self.connection.query_row(&sql, [id], |row| Ok(read(row))).optional()?;
        revision.unwrap_or(Err(JournalError::Missing { what: "revision", id }))
    }
}

fn read(row: &Row<'_>) -> Result<Revision, JournalError> {
    let json = |column| row.get::<_, String>(column);
    Ok(Revision {
        id: row.get(0)?,
        run: row.get(1)?,
        commit: row.get(2)?,
        plan_hash: row.get(3)?,
        policies: serde_json::from_str(&json(4)?)?,
        specs: serde_json::from_str(&json(5)?)?,
        ownership: serde_json::from_str(&json(6)?)?,
        at: row.get(7)?,
        apps: serde_json::from_str(&json(8)?)?,
    })
}
