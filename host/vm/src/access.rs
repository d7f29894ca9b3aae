//! The way into a machine: OpenSSH, with a key pair made for this machine alone and a host key that was given to it, so
//! that there is no trust on first use. Commands outlive the connection and the process that began them.
//!
//! A machine needs systemd, sh and coreutils, and nothing else.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

mod copy;
mod error;
mod follow;
mod keys;
mod lines;
mod ready;
mod run;
mod ssh;
mod stream;

pub use copy::Transfer;
pub(crate) use copy::quoted;
pub use error::AccessError;
pub use follow::{Ended, Output};
pub use keys::{Keys, PublicHalf};
pub use lines::Lines;
pub use run::{Begun, Credential, Outcome, RunId, Status};

use crate::name::VmName;

/// How to log in to one machine. It holds no connection: any process that has the folder of the keys can make one.
#[derive(Clone, Debug)]
pub struct Access {
    name: VmName,
    address: SocketAddr,
    keys: PathBuf,
    options: Vec<String>,
}

impl Access {
    /// `keys` is the folder that [`Keys::obtain`] filled.
    pub fn new(name: VmName, address: SocketAddr, keys: &Path) -> Self {
        Self { name, address, keys: keys.to_owned(), options: Vec::new() }
    }

    /// With settings of ssh_config(5) for machines that are not reached directly, such as `ProxyJump=bastion`.
    #[must_use]
    pub fn with_options(mut self, options: impl IntoIterator<Item = String>) -> Self {
        self.options.extend(options);
        self
    }

    /// Puts the end of the machine off by one renewal.
    ///
    /// # Errors
    /// When it cannot be reached, or has no lease.
    pub async fn renew(&self) -> Result<(), AccessError> {
        self.ask(crate::lease::RENEW, b"").await.map(drop)
    }
}
