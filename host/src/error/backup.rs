//! What is wrong with a backup or a restore.

use super::{Blame, Failure, by_value};
use crate::backup::BackupError;
use crate::exit::Exit;

impl From<&BackupError> for Failure {
    fn from(error: &BackupError) -> Self {
        let new = |blame, exit| Failure::new(blame, exit, error);
        let usage = || new(Blame::Operator, Exit::Usage);
        let failed = || new(Blame::Host, Exit::BackupFailed);
        match error {
            BackupError::None => {
                usage().help("declare [backup.NAME] in stead.toml, let a policy schedule it, and `stead apply`")
            }
            BackupError::Unknown { .. } => usage(),
            BackupError::Nothing { .. } => usage().help("`stead backup ls` lists what there is"),
            BackupError::Ambiguous { .. } => usage().help("say which one with --backup NAME"),
            BackupError::NoSnapshot { .. } => usage().help("`stead backup run` makes one"),
            BackupError::NotThisSnapshot { .. } => usage().help("`stead backup ls` lists them"),
            BackupError::NoRepository { .. } => {
                failed().help("is its disk mounted? If it was never made, `stead backup init` makes it")
            }
            BackupError::Password { .. } => failed().help(
                "`stead secret set` the one that it was made with, and `stead apply`; without it nobody can read it",
            ),
            BackupError::InUse { .. } => failed()
                .help("another machine may be at work on it; a lock that is left over goes with `restic unlock`"),
            BackupError::NotInstalled => new(Blame::Host, Exit::Unavailable).help("declare the package restic"),
            BackupError::Program(error) => failed().maybe_help(super::machine::program_help(error)),
            BackupError::Database { before: Some(id), .. } => {
                failed().help(format!("what it held before is snapshot {id}: `stead restore … --snapshot {id}`"))
            }
            BackupError::Keep { .. } => failed().help("to do without it, add --discard"),
            BackupError::MountPoint { .. } => failed().help("restore it elsewhere, with --to FOLDER"),
            BackupError::Files { source, .. } => failed().maybe_help(super::machine::write_help(source)),
            BackupError::App(error) => error.into(),
            BackupError::Lock(error) => Failure::from(error).help("wait until it has ended"),
            BackupError::Restic { .. }
            | BackupError::Incomplete { .. }
            | BackupError::Dump { .. }
            | BackupError::NoCode { .. }
            | BackupError::Database { .. }
            | BackupError::SwappedBack { .. }
            | BackupError::Several(_) => failed(),
        }
    }
}

by_value!(BackupError);
