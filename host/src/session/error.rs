//! Why a request could not be served.

use crate::apply::ApplyFailed;
use crate::backup::BackupError;
use crate::capability::compose::AppError;
use crate::capability::{ApplyError, ObserveError, PlanError};
use crate::grant::Ungranted;
use crate::guard::GuardError;
use crate::journal::JournalError;
use crate::lock::LockError;
use crate::machine::{FactsError, StateError};
use crate::policy::PolicyError;
use crate::repo::BundleError;

/// Why a request could not be served.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error("policy {policy}: {source}")]
    Policy { policy: String, source: Box<PolicyError> },
    #[error(transparent)]
    Observe(#[from] ObserveError),
    #[error("cannot keep the next key pair: {0}")]
    NextKey(ApplyError),
    #[error(transparent)]
    Facts(#[from] FactsError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Ungranted(#[from] Ungranted),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("the plan was made by another version of stead (form {found}, this one reads {known})")]
    PlanFormat { found: u32, known: u32 },
    #[error("the plan is damaged: its hash does not match what it says")]
    PlanDamaged,
    #[error("the plan is for host {planned}, and this is {here}")]
    OtherHost { planned: String, here: String },
    #[error("the machine has changed since the plan was made: {}", .0.join(", "))]
    Moved(Vec<String>),
    #[error("the compose files of {what} are no longer kept on the machine")]
    NoApps { what: String },
    #[error("cannot keep the compose files for a later rollback: {0}")]
    KeepApps(std::io::Error),
    #[error("this plan would cut you off: {0}")]
    CutOff(String),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error(transparent)]
    Apply(#[from] Box<ApplyFailed>),
    #[error("run {run} is not wholly undone: {}", .failed.join("; "))]
    NotRecovered { run: u64, failed: Vec<String> },
}
