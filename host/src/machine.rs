//! The machine under management: where its files lie, what secrets may be put on it, and how contents are named.
//!
//! Capabilities reach the machine only through this, so that a test can give them a temporary root. It never
//! decides anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::digest::Key;
use crate::secret::Secret;

mod blobs;
pub mod bounded;
mod doing;
mod facts;
pub mod inode;
mod interfaces;
mod memory;
mod program;
mod replace;
mod ssh_session;
mod wants;

pub use blobs::Blobs;
pub use doing::Doing;
pub use facts::{Facts, FactsError, NetworkInterface, OsRelease};
pub use program::{Output, Program, ProgramError};
pub use replace::{remove, replace, tidy};
pub use ssh_session::SshSession;
pub use wants::set_wanted;

/// How long a program that only reads may take.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The machine under management.
#[derive(Debug)]
pub struct Machine {
    root: PathBuf,
    state: PathBuf,
    apps: PathBuf,
    secrets: BTreeMap<String, Secret<String>>,
    key: Key,
    blobs: Blobs,
    memory: memory::Memory,
    doing: Doing,
    kernel: bool,
}

/// The files of a machine on which no package is installed: without this one, nobody could say so.
///
/// # Errors
/// When they cannot be written.
pub fn without_packages(root: &Path) -> std::io::Result<()> {
    let dpkg = root.join("var/lib/dpkg");
    std::fs::create_dir_all(&dpkg)?;
    std::fs::write(dpkg.join("status"), "")
}

/// The machine's state folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the state folder {path}: {source}")]
pub struct StateError {
    pub path: PathBuf,
    pub source: std::io::Error,
}

impl Machine {
    /// Opens the machine whose files lie under `root` and whose record lies in `state`.
    ///
    /// # Errors
    /// When the state folder cannot be made or read.
    pub fn open(root: &Path, state: &Path) -> Result<Self, StateError> {
        let at = |source| StateError { path: state.to_owned(), source };
        create_private_folder(state).map_err(at)?;
        let blobs = Blobs::open(&state.join("blobs")).map_err(at)?;
        let key = Key::load_or_create(&state.join("digest.key")).map_err(at)?;
        Ok(Self {
            root: root.to_owned(),
            state: state.to_owned(),
            apps: state.join("apps"),
            secrets: BTreeMap::new(),
            key,
            blobs,
            memory: memory::Memory::default(),
            doing: Doing::default(),
            kernel: true,
        })
    }

    /// The same machine with the secrets of one run, which live in memory only.
    #[must_use]
    pub fn with_secrets(mut self, secrets: BTreeMap<String, Secret<String>>) -> Self {
        self.secrets = secrets;
        self
    }

    /// The same machine with the folder that holds this run's `apps/`.
    #[must_use]
    pub fn with_apps(mut self, apps: PathBuf) -> Self {
        self.apps = apps;
        self
    }

    /// The same machine, with somebody who watches what long steps do.
    #[must_use]
    pub fn with_doing(mut self, doing: Doing) -> Self {
        self.doing = doing;
        self
    }

    /// Where a long step says what it is at work on.
    pub fn doing(&self) -> &Doing {
        &self.doing
    }

    /// The same machine as it was recorded: its files, and nothing that runs.
    #[must_use]
    pub fn without_kernel(mut self) -> Self {
        self.kernel = false;
        self
    }

    /// Whether the kernel that runs here, and what runs on it, is this machine's.
    pub fn has_kernel(&self) -> bool {
        self.kernel
    }

    /// The folder that is this machine's `/`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where `absolute` really lies.
    pub fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let absolute = absolute.as_ref();
        self.root.join(absolute.strip_prefix("/").unwrap_or(absolute))
    }

    /// Whether this is the running system, and not a tree of files.
    pub fn is_live(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Whether its systemd runs, and can be asked; sd_booted(3). A container without one is the tree of files that it is.
    pub fn is_booted(&self) -> bool {
        self.is_live() && Path::new("/run/systemd/system").is_dir()
    }

    /// The folder of stead's own record: `/var/lib/stead`.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The repo's `apps/NAME` as shipped for this run.
    pub fn app(&self, name: &str) -> PathBuf {
        self.apps.join(name)
    }

    /// The value of a secret that came with this run.
    pub fn secret(&self, name: &str) -> Option<&Secret<String>> {
        self.secrets.get(name)
    }

    /// The key under which contents are digested on this machine.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What this run remembers, in memory only.
    pub fn memory(&self) -> &memory::Memory {
        &self.memory
    }

    /// Earlier contents, kept for undo.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }
}

/// Makes a folder that only root reads, with its parents.
///
/// # Errors
/// When it cannot be made.
pub fn create_private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
