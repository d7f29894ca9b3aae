//! How each step of the path of a call fails.

use crate::machine::ProgramError;

/// The grant does not cover what a policy asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{capability}: {asked} is not granted")]
pub struct Denied {
    pub capability: &'static str,
    /// What was asked for, in the words of the capability.
    pub asked: String,
    /// The key of the grant table that would have to hold `value`.
    pub key: &'static str,
    /// The value in TOML: `"/etc/motd"`, `[8080]`, `true`.
    pub value: String,
}

impl Denied {
    /// The lines of `stead.toml` that would allow it.
    pub fn grant(&self, policy: &str) -> String {
        format!("[policy.{policy}.grant.{}]\n{} = {}", self.capability, self.key, self.value)
    }
}

/// The machine could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    #[error("cannot read {path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error("{resource}: {reason}")]
    Unreadable { resource: String, reason: String },
    #[error("no secret is called {name}: add it with `stead secret set {name}`")]
    NoSecret { name: String },
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// What is declared cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("{resource}: policy {first} and policy {second} contradict each other: {reason}")]
    Conflict { resource: String, first: String, second: String, reason: String },
    #[error("{resource} (policy {policy}): {reason}")]
    Impossible { resource: String, policy: String, reason: String },
    #[error("{resource} (policy {policy}): {reason}")]
    NotReady { resource: String, policy: String, reason: String },
    #[error("{capability}: the record does not fit this version of stead: {reason}")]
    Record { capability: &'static str, reason: String },
}

/// A change was refused by the machine.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("cannot write {path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error("{resource}: {reason}")]
    Refused { resource: String, reason: String },
    #[error("the content of {path} was refused by its validation: {source}")]
    Validation { path: String, source: ProgramError },
    #[error("{resource} did not become healthy: {reason}")]
    Unhealthy { resource: String, reason: String },
    #[error("no secret is called {name}: add it with `stead secret set {name}`")]
    NoSecret { name: String },
    #[error("an earlier content of {path} is no longer kept, so it cannot be brought back")]
    NoBlob { path: String },
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("the recorded action does not fit this version of stead: {0}")]
    Record(String),
}
