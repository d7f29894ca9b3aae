//! The same path on another host, over the system's OpenSSH: ship this binary, send the request, stream the events.

use std::path::PathBuf;

use crate::event::Event;
use crate::session::{Envelope, Place};

mod agent;
mod local;
mod ship;
mod ssh;

pub use agent::agent;
pub use ssh::Ssh;

/// The machine that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// This one.
    Local(Place),
    /// Whatever ssh(1) makes of the address.
    Ssh(Ssh),
}

/// The other machine could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error("cannot run ssh: {0}")]
    Ssh(std::io::Error),
    #[error("cannot reach {address}: {words}")]
    Unreachable { address: String, words: String },
    #[error("cannot put stead on {address}: {words}")]
    Ship { address: String, words: String },
    #[error("{address} is a {there} machine, and this stead is built for {here}")]
    Processor { address: String, there: String, here: &'static str },
    #[error("{path} is not stead {version} for {processor}")]
    Version { path: PathBuf, version: &'static str, processor: String },
    #[error("cannot read this program, {path}: {source}")]
    Program { path: PathBuf, source: std::io::Error },
    #[error("{address} answered with something that is not an event: {line}")]
    NotAnEvent { address: String, line: String },
    #[error("{address} answered with a line of more than {} MiB", most >> 20)]
    TooLong { address: String, most: usize },
    #[error("the connection to {address} ended before the answer was complete: {words}")]
    Broken { address: String, words: String },
    #[error("cannot encode the request: {0}")]
    Encode(#[from] serde_json::Error),
}

impl Target {
    /// Asks the machine, and tells every event as it comes. A request that the machine could not serve ends with
    /// [`Event::Failed`]. When the machine asks to be confirmed, this does it over a new connection.
    ///
    /// # Errors
    /// When the machine could not be asked, or the connection broke.
    pub async fn ask(&self, envelope: Envelope, mut told: impl FnMut(Event)) -> Result<(), RemoteError> {
        match self {
            Self::Local(place) => {
                local::ask(place, envelope, &mut told).await;
                Ok(())
            }
            Self::Ssh(ssh) => ssh.ask(&envelope, &mut told).await,
        }
    }
}

/// Who asks: `alice@laptop`.
pub fn operator() -> String {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    let user = user.unwrap_or_else(|_| rustix::process::getuid().as_raw().to_string());
    format!("{user}@{}", rustix::system::uname().nodename().to_string_lossy())
}
