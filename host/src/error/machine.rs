//! What is wrong with the machine under management, its record, and the programs on it.

use super::{Blame, Failure, by_value};
use crate::capability::compose::AppError;
use crate::capability::{ApplyError, Denied, ObserveError, PlanError};
use crate::exit::Exit;
use crate::guard::GuardError;
use crate::journal::JournalError;
use crate::lock::LockError;
use crate::machine::{ProgramError, StateError};

impl From<&StateError> for Failure {
    fn from(error: &StateError) -> Self {
        Self::new(Blame::Host, Exit::State, error).maybe_help(write_help(&error.source))
    }
}

impl From<&JournalError> for Failure {
    fn from(error: &JournalError) -> Self {
        let failure = Self::new(Blame::Host, Exit::State, error);
        match error {
            JournalError::Open { .. } | JournalError::Sql(_) => failure
                .help("is there room, and may stead write there? `df -h` and `ls -ld /var/lib/stead` on the host"),
            JournalError::Newer { .. } => failure.help("use the stead that wrote it, or a later one"),
            JournalError::Entry(_) => failure.help("was it written by another version of stead, or changed by hand?"),
            JournalError::Missing { .. } => {
                Self { blame: Blame::Operator, exit: Exit::Usage, ..failure }.help("`stead log` lists what there is")
            }
        }
    }
}

impl From<&LockError> for Failure {
    fn from(error: &LockError) -> Self {
        match error {
            LockError::Held(_) => {
                Self::new(Blame::Operator, Exit::Locked, error).help("wait until it has ended, and plan again")
            }
            LockError::File(source) => Self::new(Blame::Host, Exit::State, error).maybe_help(write_help(source)),
        }
    }
}

impl From<&GuardError> for Failure {
    fn from(error: &GuardError) -> Self {
        let failure = Self::new(Blame::Host, Exit::Unavailable, error);
        match error {
            GuardError::NoSystemd => {
                failure.help("on a host without systemd, apply with --unguarded and keep a console at hand")
            }
            GuardError::Timer(error) => failure.maybe_help(program_help(error)),
            GuardError::BootUnit(source) => failure.maybe_help(write_help(source)),
            GuardError::Program(_) => Self { blame: Blame::Stead, exit: Exit::Internal, ..failure },
        }
    }
}

impl From<&ObserveError> for Failure {
    fn from(error: &ObserveError) -> Self {
        let failure = Self::new(Blame::Host, Exit::Unavailable, error);
        match error {
            ObserveError::File { source, .. } => failure.maybe_help(write_help(source)),
            ObserveError::Unreadable { .. } => failure,
            ObserveError::NoSecret { .. } => Self { blame: Blame::Operator, exit: Exit::Input, ..failure },
            ObserveError::Program(error) => failure.maybe_help(program_help(error)),
        }
    }
}

impl From<&PlanError> for Failure {
    fn from(error: &PlanError) -> Self {
        match error {
            PlanError::Conflict { first, second, .. } => Self::new(Blame::Policy, Exit::Policy, error)
                .help(format!("let only one of {first} and {second} declare it, or let both say the same")),
            PlanError::Impossible { .. } => Self::new(Blame::Policy, Exit::Policy, error),
            PlanError::NotReady { .. } => Self::new(Blame::Host, Exit::Unavailable, error),
            PlanError::Record { .. } => Self::new(Blame::Stead, Exit::Internal, error)
                .help("was the record written by a later version of stead? use that version"),
        }
    }
}

impl From<&ApplyError> for Failure {
    fn from(error: &ApplyError) -> Self {
        let failure = Self::new(Blame::Host, Exit::Undone, error);
        match error {
            ApplyError::File { source, .. } => failure.maybe_help(write_help(source)),
            ApplyError::Validation { .. } => Self { blame: Blame::Policy, ..failure },
            ApplyError::NoSecret { .. } => Self { blame: Blame::Operator, ..failure },
            ApplyError::Program(error) => failure.maybe_help(program_help(error)),
            ApplyError::Record(_) => Self { blame: Blame::Stead, ..failure },
            ApplyError::Unhealthy { .. } => Self { exit: Exit::Unhealthy, ..failure },
            ApplyError::Refused { .. } | ApplyError::NoBlob { .. } => failure,
        }
    }
}

impl From<&AppError> for Failure {
    fn from(error: &AppError) -> Self {
        match error {
            AppError::Engine(_) => Self::new(Blame::Host, Exit::Unavailable, error),
            AppError::NoApp { .. } | AppError::NoService { .. } => {
                Self::new(Blame::Operator, Exit::Usage, error).help("`stead app ls` lists what there is")
            }
            AppError::NoVolume { .. } => Self::new(Blame::Operator, Exit::Usage, error)
                .help("a volume is called as in the app's compose file, and is there once the app was up"),
            AppError::Elsewhere { .. } => {
                Self::new(Blame::Operator, Exit::Usage, error).help("back up the folder that it is, under `paths`")
            }
            AppError::Stranger { .. } => {
                Self::new(Blame::Host, Exit::Unavailable, error).help("stop it, and start it again afterwards")
            }
            AppError::NotRunning { .. } => Self::new(Blame::Host, Exit::Unavailable, error)
                .help("`stead app ls` says how it is, `stead app logs` what it said"),
            AppError::Refused { .. } => Self::new(Blame::Host, Exit::Unavailable, error),
            AppError::NotUp { .. } => Self::new(Blame::Host, Exit::NotUp, error)
                .help("`stead app logs` shows what it said; what comes after it was not restarted"),
        }
    }
}

impl Failure {
    /// A call that the grants of `policy` do not cover.
    pub(crate) fn denied(policy: &str, denied: &Denied) -> Self {
        let message = format!("policy {policy}: {denied}");
        let help = format!("to allow it, add to stead.toml:\n{}", denied.grant(policy));
        Self::new(Blame::Operator, Exit::Denied, &message).help(help)
    }
}

pub(super) fn program_help(error: &ProgramError) -> Option<String> {
    match error {
        ProgramError::Missing { program } => Some(format!("install the package that has {program} on the host")),
        ProgramError::Timeout { program, .. } => Some(format!("what is {program} waiting for? try it on the host")),
        ProgramError::TooMuch { program, .. } => Some(format!("what does {program} say? try it on the host")),
        ProgramError::Start { .. } | ProgramError::Failed { .. } => None,
    }
}

pub(super) fn write_help(error: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind as Kind;
    Some(match error.kind() {
        Kind::PermissionDenied => "stead changes the system, so run it as root: `sudo stead …`".to_owned(),
        Kind::StorageFull | Kind::QuotaExceeded => "make room on the host: `df -h`".to_owned(),
        Kind::ReadOnlyFilesystem => "the file system is mounted read-only: `dmesg` may say why".to_owned(),
        _ => return None,
    })
}

by_value!(StateError, JournalError, LockError, GuardError, ObserveError, PlanError, ApplyError);
