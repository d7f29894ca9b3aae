//! From the way in which wasmtime ended a guest to words that its author understands.

use std::fmt;

use wasmtime::WasmBacktrace;
use wasmtime_wasi::I32Exit;

use super::error::RunError;
use super::limits::{Limits, Spent};
use super::log::{LogLine, last_words};
use super::reads::Mismatched;
use super::words::printable;

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

fn trap(error: &wasmtime::Error, log: &[LogLine], cause: &str) -> Box<Trap> {
    let backtrace = error.downcast_ref().map(places).unwrap_or_default();
    Box::new(Trap { words: last_words(log), cause: cause.to_owned(), backtrace })
}

/// The frames of a backtrace, a line each, without those of Rust's own library: it is the policy that crashed.
fn places(backtrace: &WasmBacktrace) -> String {
    if backtrace.frames().is_empty() {
        return String::new();
    }
    let frames = frames(&backtrace.to_string());
    let theirs: Vec<_> = frames.iter().filter(|frame| !frame.is_of_the_library()).collect();
    let shown = if theirs.is_empty() { frames.iter().collect() } else { theirs };
    shown.iter().map(|frame| printable(&frame.to_string())).collect::<Vec<_>>().join("\n")
}

/// A function that was running.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    name: String,
    /// File, line and column.
    place: Option<String>,
}

/// Reads the frames from the words of wasmtime, which has demangled their names and found their places: a line
/// `0: 0x1f - NAME` or, for what was inlined there, `- NAME`; then perhaps a line `at PLACE`.
fn frames(text: &str) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    for line in text.lines().skip(1).map(str::trim) {
        match (line.strip_prefix("at "), frames.last_mut()) {
            (Some(place), Some(frame)) => frame.place = Some(place.to_owned()),
            _ => {
                let name = line.split_once("- ").map_or(line, |(_, name)| name);
                frames.push(Frame { name: plain(name.trim_start_matches("<unknown>!")), place: None });
            }
        }
    }
    frames
}

/// A name of Rust without the hashes of its crates: `std[a543996e6e7dbf1e]::process::abort`.
fn plain(name: &str) -> String {
    let mut pieces = name.split('[');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_at_checked(17) {
            Some((hash, rest)) if hash.ends_with(']') && hash.starts_with(|c: char| c.is_ascii_hexdigit()) => {
                plain.push_str(rest)
            }
            _ => {
                plain.push('[');
                plain.push_str(piece);
            }
        }
    }
    plain
}

impl Frame {
    fn is_of_the_library(&self) -> bool {
        match &self.place {
            Some(place) => place.starts_with("/rustc/"),
            None => ["std::", "core::", "alloc::", "__rust"].iter().any(|start| self.name.starts_with(start)),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  in {}", self.name)?;
        // Paths begin at the repo; the parts that only say so are left out.
        self.place.iter().try_for_each(|place| write!(f, ", {}", place.replace("/./", "/").trim_start_matches("./")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, frames};

    #[test]
    fn frames_are_read_from_the_words_of_wasmtime() {
        let text = "error while executing at wasm backtrace:
    0:   0xc2ec - std[a543996e6e7dbf1e]::sys::abort_internal
                - std[a543996e6e7dbf1e]::process::abort
                    at /rustc/5980/library/std/src/process.rs:2533:5
    1:   0x417c - configure
                    at ./policies/server/src/lib.rs:14:5
    2:     0x1f - <unknown>!wat[0]";
        let frames = frames(text);
        let names: Vec<_> = frames.iter().map(|frame| (frame.name.as_str(), frame.is_of_the_library())).collect();
        assert_eq!(
            names,
            [
                ("std::sys::abort_internal", true),
                ("std::process::abort", true),
                ("configure", false),
                ("wat[0]", false)
            ]
        );
        assert_eq!(
            frames.get(2).map(Frame::to_string).as_deref(),
            Some("  in configure, policies/server/src/lib.rs:14:5")
        );
    }
}
