//! Jobs: a policy of world `job` for each piece of work, and machines of its own, which go when it ends.
//!
//! A [`Worker`] claims a job from the queue (`stead-queue`), runs its policy, and answers each of its calls through a door:
//! from the journal of the run when an earlier attempt made that call, else by doing it and journaling the answer (`door`,
//! `record`). Machines come from providers (`stead-vm`); commands in them are followed to their end whoever started them
//! (`machines`, `commands`), and each line that they write is in the log of the job once (`log`, `lines`).
//! To the outside, a service is an HTTP API (`api`).
//!
//! It never keeps in memory what it could not read again: a worker may die at any point.

mod api;
mod asks;
mod clean;
mod commands;
mod containers;
mod door;
mod figures;
mod files;
pub mod grant;
mod halt;
mod input;
mod lines;
mod log;
mod machines;
mod mask;
mod price;
mod record;
mod requests;
mod schedule;
mod scheduler;
mod scope;
mod seen;
mod service;
mod share;
mod vault;
mod worker;

pub use api::{Admitted, Api, Bound, KnownToken, Serving, Sso};
pub use clean::{Cleaned, Keep};
pub use files::{FileError, Files};
pub use input::Input;
pub use lines::{Said, Source};
pub use machines::Providers;
pub use price::{Amount, costs};
pub use schedule::{NotASchedule, Schedule};
pub use scheduler::{Look, Scheduler};
pub use scope::Scope;
pub use service::{ProviderTables, Reaped, Service, ServiceError, Store, import_image, warm_image};
pub use worker::Worker;

/// Whether a file can be called so among the artifacts of a job.
///
/// # Errors
/// Why not.
pub fn artifact_name(text: &str) -> Result<(), String> {
    match door::name(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{text:?} is not 1 to 200 letters, digits and ._- without a leading dot")),
    }
}
