//! What a call was answered, in words.

use stead_guest::bindings::stead::host::types;
use stead_guest::{container, http, log, vm};

/// An answer or a failure.
pub trait Told {
    fn told(&self) -> String;
}

/// Tells what a call was answered.
pub fn told<T: Told, E: Told>(call: &str, answer: Result<T, E>) -> String {
    let words = match answer {
        Ok(answer) => answer.told(),
        Err(failure) => failure.told(),
    };
    log::log(log::Level::Info, &format!("{call}: {words}"));
    words
}

/// The same call until it fails in a way that has no name.
pub fn every<T: Told, E: Told>(call: &str, ask: impl Fn() -> Result<T, E>) {
    while !told(call, ask()).starts_with("other: ") {}
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Told for () {
    fn told(&self) -> String {
        "ok".to_owned()
    }
}

impl Told for u32 {
    fn told(&self) -> String {
        self.to_string()
    }
}

impl Told for Vec<u8> {
    fn told(&self) -> String {
        hex(self)
    }
}

impl Told for vm::Ended {
    fn told(&self) -> String {
        let outcome = match &self.outcome {
            vm::Outcome::Exited(status) => format!("exited {status}"),
            vm::Outcome::Killed(signal) => format!("killed {signal}"),
            vm::Outcome::OutOfMemory => "out-of-memory".to_owned(),
            vm::Outcome::TimedOut => "timed-out".to_owned(),
        };
        format!("{outcome}: {}", self.output)
    }
}

impl Told for container::Ended {
    fn told(&self) -> String {
        let outcome = match &self.outcome {
            container::Outcome::Exited(status) => format!("exited {status}"),
            container::Outcome::OutOfMemory => "out-of-memory".to_owned(),
            container::Outcome::TimedOut => "timed-out".to_owned(),
            container::Outcome::Other(words) => format!("ended {words}"),
        };
        format!("{outcome}: {}", self.output)
    }
}

impl Told for http::Response {
    fn told(&self) -> String {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {}: {}", self.status, headers.join(","), hex(&self.body))
    }
}

impl Told for types::Error {
    fn told(&self) -> String {
        match self {
            Self::Denied(denial) => format!("denied: {}|{}|{}", denial.capability, denial.asked, denial.grant),
            Self::Invalid(invalid) => format!("invalid: {}|{}", invalid.argument, invalid.reason),
            Self::Other(words) => format!("other: {words}"),
        }
    }
}

impl Told for vm::Failure {
    fn told(&self) -> String {
        match self {
            Self::Refused(error) => error.told(),
            Self::NoCapacity(words) => format!("no-capacity: {words}"),
            Self::Lost(words) => format!("lost: {words}"),
            Self::TooLarge(words) => format!("too-large: {words}"),
            Self::Other(words) => format!("other: {words}"),
        }
    }
}

impl Told for container::Failure {
    fn told(&self) -> String {
        match self {
            Self::Refused(error) => error.told(),
            Self::Lost(words) => format!("lost: {words}"),
            Self::TooLarge(words) => format!("too-large: {words}"),
            Self::Other(words) => format!("other: {words}"),
        }
    }
}

impl Told for http::Failure {
    fn told(&self) -> String {
        match self {
            Self::Refused(error) => error.told(),
            Self::Unreachable(words) => format!("unreachable: {words}"),
            Self::TooLarge(words) => format!("too-large: {words}"),
            Self::Other(words) => format!("other: {words}"),
        }
    }
}
