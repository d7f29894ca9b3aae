//! Day to day with what runs: list it, read its logs, restart it, run a command in it.
//!
//! It speaks of containers as they are, whoever started them. What is declared is changed by an apply and by nothing
//! here.

use std::collections::BTreeSet;

use bollard::Docker;
use bollard::errors::Error;

use super::diff::hint;
use super::docker;
use super::state::Engine;
use crate::machine::Machine;

mod clean;
mod exec;
mod list;
mod logs;
mod pipe;
mod restart;
mod users;
mod volume;

pub use clean::{Cache, Cleaned, Images, Needs, Unused, Waste, mentioned, shown, wanted};
pub use exec::{Exec, Streams};
pub use list::{App, Instance};
pub use logs::{Line, Lines, Since, Source};
pub use pipe::Ended as ExecEnded;
pub use users::Users;
pub use volume::KeptVolume;

/// The projects of a machine, through its engine.
#[derive(Debug)]
pub struct Apps<'a> {
    docker: Docker,
    machine: &'a Machine,
}

/// What was asked of an app cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("{}", hint(.0))]
    Engine(Engine),
    #[error("no app is called `{name}` on this host{}", listed(.known))]
    NoApp { name: String, known: BTreeSet<String> },
    #[error("the app {app} has no service `{name}`{}", listed(.known))]
    NoService { app: String, name: String, known: BTreeSet<String> },
    #[error("no container {number} of service {service} runs in the app {app}")]
    NotRunning { app: String, service: String, number: u32 },
    #[error("cannot {what}: {words}")]
    Refused { what: String, words: String },
    #[error("the app {app} has no volume `{name}` on this host{}", listed(.known))]
    NoVolume { app: String, name: String, known: BTreeSet<String> },
    #[error(
        "what is in the volume {name} does not lie in a folder of Docker's: its driver or its options keep it elsewhere"
    )]
    Elsewhere { name: String },
    #[error("the container {container}, which is of no app, uses the volume {volume}")]
    Stranger { container: String, volume: String },
    #[error("{container} {why}")]
    NotUp { container: String, why: String },
}

impl<'a> Apps<'a> {
    /// Connects to the engine.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn open(machine: &'a Machine) -> Result<Self, AppError> {
        let docker = docker::connect(machine).await.map_err(AppError::Engine)?;
        Ok(Self { docker, machine })
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    match names.len() {
        0 => String::new(),
        _ => format!("; there is {}", Vec::from_iter(names.iter().map(String::as_str)).join(", ")),
    }
}

fn refused(what: impl Into<String>) -> impl FnOnce(Error) -> AppError {
    let what = what.into();
    move |error| AppError::Refused { what, words: super::engine::said(error) }
}
