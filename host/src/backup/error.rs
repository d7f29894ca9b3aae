//! Why a backup or a restore was not made.

use crate::capability::compose::AppError;
use crate::lock::LockError;
use crate::machine::ProgramError;

/// Why a backup or a restore was not made. What restic says is in it, without the values of secrets.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("no backup is set up on this host")]
    None,
    #[error("no backup is called `{name}` on this host; there is {}", .known.join(", "))]
    Unknown { name: String, known: Vec<String> },
    #[error("no backup of this host holds `{what}`; there is {}", .known.join(", "))]
    Nothing { what: String, known: Vec<String> },
    #[error("the backups {} all hold `{what}`", .backups.join(" and "))]
    Ambiguous { what: String, backups: Vec<String> },
    #[error("the backup {backup} has no snapshot of {what} yet")]
    NoSnapshot { backup: String, what: String },
    #[error("the backup {backup} has no snapshot {id} of {what}")]
    NotThisSnapshot { backup: String, what: String, id: String },
    #[error("there is no repository at {repository}: {words}")]
    NoRepository { repository: String, words: String },
    #[error("the password is not that of the repository {repository}")]
    Password { repository: String },
    #[error("the repository {repository} is in use: {words}")]
    InUse { repository: String, words: String },
    #[error("restic is not installed")]
    NotInstalled,
    #[error("restic {command} failed: {words}")]
    Restic { command: String, words: String },
    #[error("the program that runs restic: {0}")]
    Program(ProgramError),
    #[error("{what}: some files could not be read, so the snapshot {snapshot} is marked incomplete: {words}")]
    Incomplete { what: String, snapshot: String, words: String },
    #[error("{what}: the dump failed with exit code {code}, so nothing of it is kept: {words}")]
    Dump { what: String, code: i64, words: String },
    #[error("{what}: Docker does not say how the command ended, so nothing is taken for done: {words}")]
    NoCode { what: String, words: String },
    #[error("{what}: its restore command failed with exit code {code}: {words}")]
    Database { what: String, code: i64, words: String, before: Option<String> },
    #[error("{what}: what is there now cannot be kept first: {source}")]
    Keep { what: String, source: Box<BackupError> },
    #[error("{what}: {source}; what was there before is back")]
    SwappedBack { what: String, source: Box<BackupError> },
    #[error("{what}: it is a mount point, and cannot be replaced as a whole")]
    MountPoint { what: String },
    #[error("cannot {doing}: {source}")]
    Files { doing: String, source: std::io::Error },
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("{}", .0.join("\n"))]
    Several(Vec<String>),
}

impl BackupError {
    /// An error of files, while doing this.
    pub(super) fn files(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Files { doing, source }
    }
}
