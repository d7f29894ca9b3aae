//! Jobs: one piece of work, in machines of its own.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::stead::host::types;
use crate::job_bindings::exports::stead::host::run;
use crate::job_bindings::stead::host::retry::{self, Cause};
use crate::job_bindings::stead::host::{container, http, vm};

/// Why a job ended without a result: any error turns into it by `?`.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// Why another attempt can be expected to do better, if it can: a machine was lost, none was to be had, a server did not
    /// answer. How long stead waits before it depends on this.
    pub retry: Option<Cause>,
}

impl Failure {
    /// A failure that another attempt would meet as well.
    pub fn new(message: impl std::fmt::Display) -> Self {
        Self { message: message.to_string(), retry: None }
    }

    /// A failure that another attempt can be expected not to meet, for this cause.
    pub fn again(cause: Cause, message: impl std::fmt::Display) -> Self {
        Self { message: message.to_string(), retry: Some(cause) }
    }
}

// `Failure` is no `std::error::Error` itself; otherwise this would overlap with `From<T> for T`.
impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let any = &error as &(dyn std::error::Error + 'static);
        if let Some(failure) = any.downcast_ref::<vm::Failure>() {
            return Self { retry: luck(failure), message: machine_words(failure) };
        }
        if let Some(failure) = any.downcast_ref::<container::Failure>() {
            let retry = matches!(failure, container::Failure::Lost(_)).then_some(Cause::Temporary);
            return Self { retry, message: container_words(failure) };
        }
        if let Some(failure) = any.downcast_ref::<http::Failure>() {
            let retry = matches!(failure, http::Failure::Unreachable(_)).then_some(Cause::Temporary);
            return Self { retry, message: request_words(failure) };
        }
        match any.downcast_ref::<types::Error>() {
            Some(error) => Self::new(refusal(error)),
            None => Self::new(error),
        }
    }
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Self::new(error)
    }
}

fn luck(failure: &vm::Failure) -> Option<Cause> {
    match failure {
        vm::Failure::NoCapacity(_) => Some(Cause::NoCapacity),
        vm::Failure::Lost(_) => Some(Cause::VmLost),
        _ => None,
    }
}

fn machine_words(failure: &vm::Failure) -> String {
    match failure {
        vm::Failure::Refused(error) => refusal(error),
        vm::Failure::NoCapacity(words)
        | vm::Failure::Lost(words)
        | vm::Failure::TooLarge(words)
        | vm::Failure::Other(words) => words.clone(),
    }
}

fn container_words(failure: &container::Failure) -> String {
    match failure {
        container::Failure::Refused(error) => refusal(error),
        container::Failure::Lost(words) | container::Failure::TooLarge(words) | container::Failure::Other(words) => {
            words.clone()
        }
    }
}

fn request_words(failure: &http::Failure) -> String {
    match failure {
        http::Failure::Refused(error) => refusal(error),
        http::Failure::Unreachable(words) | http::Failure::TooLarge(words) | http::Failure::Other(words) => {
            words.clone()
        }
    }
}

fn refusal(error: &types::Error) -> String {
    match error {
        types::Error::Denied(denial) => {
            format!("{}: {} is not granted; what would allow it:\n{}", denial.capability, denial.asked, denial.grant)
        }
        types::Error::Invalid(invalid) => format!("{}: {}", invalid.argument, invalid.reason),
        types::Error::Other(words) => words.clone(),
    }
}

/// A script for sh(1) without an environment and a limit of its own.
impl From<&str> for vm::Command {
    fn from(script: &str) -> Self {
        Self { script: script.to_owned(), ..Self::default() }
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
        other => Err(Failure::new(format!("a command on {machine} ended with {}:\n{}", ending(&other), ended.output))),
    }
}

fn ending(outcome: &vm::Outcome) -> String {
    match outcome {
        vm::Outcome::Exited(status) => format!("exit status {status}"),
        vm::Outcome::Killed(signal) => format!("signal {signal}"),
        vm::Outcome::OutOfMemory => "no memory left".to_owned(),
        vm::Outcome::TimedOut => "no time left".to_owned(),
    }
}

/// Runs a command in a one-off container of a service to its end; what it printed, when it succeeded.
///
/// # Errors
/// When it does not, with the end of what it printed.
pub fn run_in(project: &str, service: &str, command: &[&str]) -> Result<String, Failure> {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    let options = container::Options { command: Some(command), ..container::Options::default() };
    let number = container::start(project, service, &options)?;
    let ended = container::wait(number)?;
    container::remove(number)?;
    match ended.outcome {
        container::Outcome::Exited(0) => Ok(ended.output),
        other => {
            let how = container_ending(other);
            Err(Failure::new(format!("{project} {service} ended with {how}:\n{}", ended.output)))
        }
    }
}

fn container_ending(outcome: container::Outcome) -> String {
    match outcome {
        container::Outcome::Exited(code) => format!("exit code {code}"),
        container::Outcome::OutOfMemory => "no memory left".to_owned(),
        container::Outcome::TimedOut => "no time left".to_owned(),
        container::Outcome::Other(words) => words,
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
    done.map_err(|Failure { message, retry }| {
        // A lost machine may have been taken back by its provider, which stead knows better.
        if let Some(cause @ (Cause::Temporary | Cause::NoCapacity | Cause::Preempted)) = retry {
            retry::because(cause);
        }
        run::Failure { message, retry: retry.is_some() }
    })
}
