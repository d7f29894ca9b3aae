//! Why a policy did not declare a host, and whose fault that is.

use super::CONTRACT;
use super::limits::ByteSize;
use super::log::LogLine;
use super::trap::Trap;
use std::time::Duration;

const REBUILD: &str = "build it again with the guest SDK that comes with this version of stead";

/// A policy did not declare a host. Nothing of what it staged is used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It did not get to run.
    #[error("policy {policy}: {error}")]
    Load { policy: String, error: LoadError },
    /// It ran, and did not come to a good end.
    #[error("policy {policy} {error}")]
    Run {
        policy: String,
        error: RunError,
        /// What it said until then.
        log: Vec<LogLine>,
    },
    /// Policies cannot run on this machine.
    #[error("the policy runtime cannot start: {reason}")]
    Runtime { reason: String },
}

/// Why a component is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    #[error("the file is not WebAssembly")]
    NotWasm,
    #[error("the file is a core WebAssembly module, not a component")]
    CoreModule,
    #[error("the file has {size}, and no policy may have more than {limit}")]
    TooLarge { size: ByteSize, limit: ByteSize },
    #[error("the component is malformed or truncated: {reason}")]
    Malformed { reason: String },
    #[error(
        "the component is no policy: it does not export stead:host/{wanted}@{CONTRACT}; it exports {}",
        list(exports)
    )]
    NotAPolicy { wanted: &'static str, exports: Vec<String> },
    #[error(
        "the component is a job policy (it exports stead:host/run); a host needs one that exports stead:host/configure"
    )]
    JobPolicy,
    #[error(
        "the component is a policy for a host (it exports stead:host/configure); a job needs one that exports stead:host/run"
    )]
    HostPolicy,
    #[error("the component needs {name} of version {version} of the contract stead:host; this host has {CONTRACT}")]
    Version { name: String, version: String },
    #[error("the component imports {name}, which no version of this host offers to policies")]
    UnknownImport { name: String },
    #[error("the component imports stead:host/{capability}, which is not granted to it")]
    NotGranted { policy: String, capability: &'static str },
    #[error("the component does not fit the contract stead:host@{CONTRACT}: {reason}")]
    Mismatch { reason: String },
}

/// How a run ended badly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// It was denied something and gave up.
    #[error("was denied {capability}: {asked}")]
    Denied {
        capability: String,
        asked: String,
        /// The TOML that would allow it.
        grant: String,
    },
    /// It passed a wrong argument and gave up.
    #[error("passed a wrong argument{}: {argument}: {reason}", .call.as_ref().map(|call| format!(" in its {call}")).unwrap_or_default())]
    Invalid {
        argument: String,
        reason: String,
        /// Which call that was; `None`: the host has refused none like it.
        call: Option<Box<str>>,
    },
    /// It gave up for a reason of its own.
    #[error("failed: {message}")]
    Failed { message: String },
    /// Its `configure` is not that of the contract.
    #[error("does not fit the contract stead:host@{CONTRACT}: {reason}")]
    Mismatch { reason: String },
    /// It crashed.
    #[error("crashed: {0}")]
    Trapped(Box<Trap>),
    /// It ended the process, as it were.
    #[error("ended itself with exit code {code}{}", after(words))]
    Exited { code: i32, words: Vec<String> },
    #[error("used more than its {limit} of memory\n{trap}")]
    Memory { limit: ByteSize, trap: Box<Trap> },
    #[error("computed for more than {limit:?}\n{trap}")]
    Cpu { limit: Duration, trap: Box<Trap> },
    #[error("did not end within {limit:?}")]
    Wall { limit: Duration },
    #[error("used up {what}\n{trap}")]
    Flood { what: String, trap: Box<Trap> },
    /// The host failed it.
    #[error("could not go on: {reason}")]
    Host { reason: String },
}

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Who wrote the policy.
    Policy,
    /// Who wrote `stead.toml`.
    Operator,
    /// stead, or the machine that it runs on.
    Host,
}

impl PolicyError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Load { error: LoadError::NotGranted { .. }, .. }
            | Self::Run { error: RunError::Denied { .. }, .. } => Blame::Operator,
            Self::Load { .. } => Blame::Policy,
            Self::Run { error: RunError::Host { .. }, .. } | Self::Runtime { .. } => Blame::Host,
            Self::Run { .. } => Blame::Policy,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Load { error, .. } => error.hint(),
            Self::Run { policy, error, .. } => error.hint(policy),
            Self::Runtime { .. } => None,
        }
    }

    /// What the policy said before it failed.
    pub fn log(&self) -> &[LogLine] {
        match self {
            Self::Run { log, .. } => log,
            _ => &[],
        }
    }
}

impl LoadError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotWasm | Self::Malformed { .. } => "build it again with `stead build`".to_owned(),
            Self::CoreModule => "`stead build` turns the module that the compiler wrote into a component".to_owned(),
            Self::Version { .. } | Self::Mismatch { .. } => REBUILD.to_owned(),
            Self::NotGranted { policy, capability } => format!(
                "to allow it, add a table to stead.toml that says how much of it:\n[policy.{policy}.grant.{capability}]"
            ),
            _ => return None,
        };
        Some(hint)
    }
}

impl RunError {
    fn hint(&self, policy: &str) -> Option<String> {
        let limit = |key, value: String| {
            Some(format!("to allow more, add to stead.toml:\n[policy.{policy}.limits]\n{key} = \"{value}\""))
        };
        match self {
            Self::Mismatch { .. } => Some(REBUILD.to_owned()),
            Self::Denied { grant, .. } => Some(format!("to allow it, add to stead.toml:\n{grant}")),
            Self::Memory { limit: was, .. } => limit("memory", ByteSize(was.0.saturating_mul(2)).to_string()),
            Self::Cpu { limit: was, .. } => limit("cpu", format!("{} ms", was.as_millis().saturating_mul(2))),
            Self::Wall { limit: was } => limit("wall", format!("{} ms", was.as_millis().saturating_mul(2))),
            _ => None,
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn after(words: &[String]) -> String {
    if words.is_empty() { String::new() } else { format!(":\n{}", words.join("\n")) }
}
