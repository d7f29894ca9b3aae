//! Jobs: one piece of work, in machines of its own.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::stead::host::types;
use crate::job_bindings::exports::stead::host::run;
use crate::job_bindings::stead::host::vm;

/// Why a job ended without a result: any error turns into it by `?`.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// Whether another attempt can be expected to do better: when a machine was lost, or none was to be had.
    pub retry: bool,
}

impl Failure {
    /// A failure that another attempt would meet as well.
    pub fn new(message: impl std::fmt::Display) -> Self {
        Self { message: message.to_string(), retry: false }
    }
}

// `Failure` is no `std::error::Error` itself; otherwise this would overlap with `From<T> for T`.
impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        match (&error as &(dyn std::error::Error + 'static)).downcast_ref::<vm::Failure>() {
            Some(failure) => Self { retry: is_luck(failure), message: words(failure) },
            None => Self::new(error),
        }
    }
}

fn is_luck(failure: &vm::Failure) -> bool {
    matches!(failure, vm::Failure::NoCapacity(_) | vm::Failure::Lost(_))
}

fn words(failure: &vm::Failure) -> String {
    match failure {
        vm::Failure::Refused(types::Error::Denied(denial)) => {
            format!("{}: {} is not granted; what would allow it:\n{}", denial.capability, denial.asked, denial.grant)
        }
        vm::Failure::Refused(types::Error::Invalid(invalid)) => format!("{}: {}", invalid.argument, invalid.reason),
        vm::Failure::Refused(types::Error::Other(words))
        | vm::Failure::NoCapacity(words)
        | vm::Failure::Lost(words)
        | vm::Failure::TooLarge(words)
        | vm::Failure::Other(words) => words.clone(),
    }
}

/// A script for sh(1) without an environment and a limit of its own.
impl From<&str> for vm::Command {
    fn from(script: &str) -> Self {
        Self { script: script.to_owned(), environment: Vec::new(), timeout: None }
    }
}

/// Runs a script on a machine to its end; what it printed, when it succeeded.
///
/// # Errors
/// When it does not, with the end of what it printed.
pub fn run(machine: &str, script: &str) -> Result<String, Failure> {
    let ended = vm::wait(vm::start(machine, &script.into())?)?;
    match ended.outcome {
        vm::Outcome::Exited(0) => Ok(ended.output),
        other => Err(Failure::new(format!("a command on {machine} ended with {other:?}:\n{}", ended.output))),
    }
}

#[doc(hidden)]
pub fn work<I: DeserializeOwned, O: Serialize>(
    job: fn(I) -> Result<O, Failure>,
    input: &str,
) -> Result<String, run::Failure> {
    crate::panic::report();
    let input = serde_json::from_str(input).map_err(|error| Failure::new(format!("the input does not fit: {error}")));
    let done = input.and_then(job).and_then(|output| serde_json::to_string(&output).map_err(Failure::from));
    done.map_err(|Failure { message, retry }| run::Failure { message, retry })
}
