//! From the way in which wasmtime ended a guest to words that its author understands.

use std::fmt;

use wasmtime::WasmBacktrace;
use wasmtime_wasi::I32Exit;

use super::error::RunError;
use super::limits::{Limits, Spent};
use super::log::{LogLine, last_words};
use super::reads::Mismatched;
use super::words::{printable, printable_lines};

/// A crash of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// What the guest said last about something wrong: the message of its panic or exception.
    pub words: Vec<String>,
    /// What wasmtime calls it.
    pub cause: String,
    /// Where it was, innermost first: names, and places when the component has debug information.
    pub backtrace: String,
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.words.is_empty() {
            write!(f, "{} (the policy said nothing about it)", self.cause)?;
        } else {
            write!(f, "{}", self.words.join("\n"))?;
        }
        if self.backtrace.is_empty() { Ok(()) } else { write!(f, "\n{}", self.backtrace) }
    }
}

/// What ended the run.
pub(super) fn ended(error: &wasmtime::Error, limits: Limits, log: &[LogLine]) -> RunError {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return RunError::Exited { code: *code, words: last_words(log) };
    }
    if let Some(mismatched) = error.downcast_ref::<Mismatched>() {
        return RunError::Mismatch { reason: printable(&mismatched.to_string()) };
    }
    match error.downcast_ref() {
        Some(Spent::Memory) => RunError::Memory { limit: limits.memory, trap: trap(error, &[], "at the last growth") },
        Some(Spent::Cpu) => RunError::Cpu { limit: limits.cpu, trap: trap(error, &[], "where it was then") },
        Some(spent) => RunError::Flood { what: spent.to_string(), trap: trap(error, &[], "at the last call") },
        None => crash(error, log),
    }
}

fn crash(error: &wasmtime::Error, log: &[LogLine]) -> RunError {
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(cause) => RunError::Trapped(trap(error, log, &cause.to_string())),
        // A trap of the component model, such as a string that is not UTF-8, has words and no code.
        None if error.downcast_ref::<WasmBacktrace>().is_some() => {
            RunError::Trapped(trap(error, log, &printable(&error.root_cause().to_string())))
        }
        None => RunError::Host { reason: printable(&format!("{error:#}")) },
    }
}

fn trap(error: &wasmtime::Error, log: &[LogLine], cause: &str) -> Trap {
    let backtrace = error.downcast_ref().map(places).unwrap_or_default();
    Trap { words: last_words(log), cause: cause.to_owned(), backtrace }
}

/// The frames of a backtrace, without the heading that wasmtime gives them.
fn places(backtrace: &WasmBacktrace) -> String {
    if backtrace.frames().is_empty() {
        return String::new();
    }
    let text = backtrace.to_string();
    let frames = text.split_once('\n').map_or("", |(_, frames)| frames);
    printable_lines(frames)
}
