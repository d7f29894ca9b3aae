//! Serves one request on the machine that it is about: the same code for this machine and at the far end of SSH.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::backup::{Bringing, Restoration, Wish};
use crate::capability::compose::{Lines, Waste};
use crate::capability::vpn::Name;
use crate::machine::{Facts, Machine, StateError};
use crate::plan::Plan;
use crate::repo::Bundle;

mod apps;
mod backups;
mod error;
mod look;
mod planning;
mod serve;

pub use apps::exec;
pub use backups::{mend, now};
pub use error::SessionError;
pub use serve::{serve, watch};

/// What is asked, and by whom.
#[derive(Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// `alice@laptop`.
    pub operator: String,
    pub request: Request,
}

/// What can be asked of a machine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// What would change? Changes nothing.
    Plan { bundle: Box<Bundle>, goal: Goal },
    /// Do exactly what this plan says.
    Apply { bundle: Box<Bundle>, plan: Box<Plan>, options: ApplyOptions },
    /// What may policies know of the machine, which is this host of the repo?
    Facts { host: String },
    /// What is the machine at?
    Status,
    /// How is all that can be watched?
    Look,
    /// What was done? One run with its steps, or the last ones.
    Log { run: Option<u64> },
    /// What does the firewall let in, and who listens?
    Firewall,
    /// Take back what a process that died has left open.
    Recover,
    /// What do the WireGuard interfaces do?
    Vpn,
    /// Make the next key pair of a WireGuard interface. Nothing runs on it yet.
    NextKey { interface: Name },
    /// Which compose apps are there, and how do they do?
    Apps,
    /// What did the containers of an app say, and what do they say?
    AppLogs { app: String, lines: Lines },
    /// Restart services of an app; all when there is none.
    RestartApp { app: String, services: Vec<String>, limit: Duration },
    /// Which images and build cache does no app need any more?
    AppWaste { tidy: Tidy },
    /// Remove those that were agreed to.
    CleanApps { tidy: Tidy, agreed: Waste },
    /// Make backups, or do something else with them: all, or the one of this name.
    Backup { name: Option<String>, deed: Deed },
    /// Which snapshots of this host are there?
    Snapshots { name: Option<String> },
    /// What would a restore bring back, and overwrite?
    Restorable { wish: Wish },
    /// Bring back what was agreed to.
    Restore { agreed: Vec<Restoration>, how: Bringing },
    /// The operator got in again.
    Confirm { run: u64 },
}

/// What can be done with a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Make its repository.
    Init,
    /// Make it now.
    Run,
    /// Look whether the repository is whole.
    Check { read_data: bool },
}

/// What stays when images and build cache are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tidy {
    /// The images of so many revisions.
    pub keep: u32,
    /// Build cache that was used within this time.
    pub unused_for: Duration,
}

/// What a plan leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// What the policies of the bundle declare.
    Bundle,
    /// What the last revision declared: how far has the machine drifted?
    LastRevision,
    /// What this revision declared; 0 is the machine before stead.
    Revision(u64),
}

/// How to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyOptions {
    /// How long the operator has to get in again.
    pub window: Duration,
    /// Apply a plan that closes the port which this session came in by.
    pub force: bool,
    /// Do without confirm-or-revert.
    pub unguarded: bool,
    /// Whether the plan leads to an earlier revision.
    pub rollback: bool,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self { window: Duration::from_secs(60), force: false, unguarded: false, rollback: false }
    }
}

/// Where the machine's files and stead's record lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub root: PathBuf,
    pub state: PathBuf,
    /// Of a machine that was recorded, and that is not this one: then only files are looked at.
    pub facts: Option<Facts>,
}

impl Place {
    /// The machine that lies there.
    fn machine(&self) -> Result<Machine, StateError> {
        let machine = Machine::open(&self.root, &self.state)?;
        Ok(if self.facts.is_some() { machine.without_kernel() } else { machine })
    }
}

impl Default for Place {
    fn default() -> Self {
        Self { root: PathBuf::from("/"), state: PathBuf::from("/var/lib/stead"), facts: None }
    }
}
