//! What a policy says to the operator: lines of the log, and what a guest with WASI prints.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::limits::Spent;
use super::words::{MOST, printable};

/// How many lines one run may write.
const LINES: usize = 10_000;
/// How many bytes they may have together.
const BYTES: usize = 4 << 20;

/// One line for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub level: Level,
    /// Printable, and at most 8 KiB long.
    pub message: String,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The log of one run, shared by the interface `log` and the guest's standard output and error.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<LogLine>,
    bytes: usize,
}

impl Log {
    /// Adds a line.
    ///
    /// # Errors
    /// When the policy has said too much.
    pub(super) fn add(&self, level: Level, message: &str) -> Result<(), Spent> {
        let message = printable(message);
        let mut log = self.lock();
        log.bytes += message.len();
        if log.lines.len() >= LINES || log.bytes > BYTES {
            return Err(Spent::Log);
        }
        log.lines.push(LogLine { level, message });
        Ok(())
    }

    /// The lines so far.
    pub(super) fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut self.lock().lines)
    }

    /// The lines since the last time; what is taken out has no weight any more.
    pub(super) fn drain(&self) -> Vec<LogLine> {
        let mut log = self.lock();
        log.bytes = 0;
        std::mem::take(&mut log.lines)
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Standard output or error of a guest, as lines of the log.
#[derive(Clone, Debug)]
pub(super) struct Printed {
    log: Log,
    level: Level,
    /// What was printed since the last end of a line.
    rest: Arc<Mutex<Vec<u8>>>,
}

impl Printed {
    pub(super) fn new(log: Log, level: Level) -> Self {
        Self { log, level, rest: Arc::default() }
    }

    /// Takes what the guest printed.
    ///
    /// # Errors
    /// When the policy has said too much.
    pub(super) fn write(&self, printed: &[u8]) -> Result<(), Spent> {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in printed.split_inclusive(|byte| *byte == b'\n') {
            rest.extend_from_slice(piece);
            if rest.ends_with(b"\n") || rest.len() > MOST {
                self.add(&std::mem::take(&mut *rest))?;
            }
        }
        Ok(())
    }

    /// Takes what has no end of line yet for a line.
    pub(super) fn finish(&self) {
        let rest = std::mem::take(&mut *self.rest.lock().unwrap_or_else(PoisonError::into_inner));
        if !rest.is_empty() {
            // The run is over: that the log is full as well changes nothing any more.
            let _ = self.add(&rest);
        }
    }

    fn add(&self, line: &[u8]) -> Result<(), Spent> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.log.add(self.level, &String::from_utf8_lossy(line))
    }
}

/// What the guest said last, when that was about something wrong: the message of its panic or exception.
pub(super) fn last_words(log: &[LogLine]) -> Vec<String> {
    let wrong = log.iter().rev().take_while(|line| line.level >= Level::Warn).take(40);
    let mut words: Vec<_> = wrong.map(|line| line.message.clone()).collect();
    words.reverse();
    words
}
