//! The state of one running job policy, and the door that its calls go through.

use async_trait::async_trait;
use serde_json::Value;

use super::Cause;
use super::call::{Answer, Call, Failure};
use crate::policy::limits::{Meter, Metered, Spent};
use crate::policy::log::{Level, Log, LogLine};
use crate::policy::runtime::Policy;
use crate::policy::types;
use crate::policy::wasi::Wasi;

/// How many calls one job may make: a year of one a minute is fewer.
const CALLS: usize = 1_000_000;

/// Whoever runs a job: answers its calls and takes what it says.
#[async_trait]
pub trait Door: Send {
    /// Answers a call; `None`: the job is to stop here.
    async fn pass(&mut self, call: Call) -> Option<Answer>;
    /// Takes lines of the log, in order; those of an earlier attempt come again. `false`: the job is to stop here.
    async fn said(&mut self, lines: Vec<LogLine>) -> bool;
    /// Takes how far the job has come, in permille.
    async fn progress(&mut self, permille: u16, message: String) -> bool;
}

/// The state of one running job policy.
pub(crate) struct JobGuest {
    door: Box<dyn Door>,
    config: Value,
    calls: usize,
    closed: bool,
    because: Option<Cause>,
    log: Log,
    /// What it said last, for the words of a crash.
    last: Vec<LogLine>,
    wasi: Wasi,
    meter: Meter,
}

/// What is left of a run.
pub(in crate::policy) struct Finished {
    pub(in crate::policy) log: Vec<LogLine>,
    pub(in crate::policy) closed: bool,
    /// Why it wants another attempt, if it said.
    pub(in crate::policy) because: Option<Cause>,
}

/// The door was closed.
#[derive(Debug, thiserror::Error)]
#[error("the job was told to stop")]
pub(in crate::policy) struct Closed;

/// How many lines are kept for the words of a crash.
const LAST: usize = 40;

impl JobGuest {
    pub(in crate::policy) fn new(policy: &Policy<'_>, door: Box<dyn Door>) -> Self {
        let log = Log::default();
        Self {
            door,
            config: policy.config.clone(),
            calls: 0,
            closed: false,
            because: None,
            wasi: Wasi::new(&log),
            log,
            last: Vec::new(),
            meter: Meter::new(policy.limits),
        }
    }

    /// Passes a call through the door, after what was said before it.
    pub(super) async fn pass(&mut self, call: Call) -> wasmtime::Result<Answer> {
        self.tell().await?;
        self.calls += 1;
        if self.calls > CALLS {
            return Err(Spent::Calls.into());
        }
        match self.door.pass(call).await {
            Some(answer) => Ok(answer),
            None => Err(self.close()),
        }
    }

    pub(super) async fn progress(&mut self, permille: u16, message: String) -> wasmtime::Result<()> {
        self.tell().await?;
        if self.door.progress(permille.min(1000), message).await { Ok(()) } else { Err(self.close()) }
    }

    pub(super) async fn said(&mut self, level: Level, message: &str) -> wasmtime::Result<()> {
        self.log.add(level, message)?;
        self.tell().await
    }

    /// Gives what was said and printed to the door.
    pub(in crate::policy) async fn tell(&mut self) -> wasmtime::Result<()> {
        let lines = self.log.drain();
        if lines.is_empty() {
            return Ok(());
        }
        self.last.extend(lines.iter().cloned());
        let surplus = self.last.len().saturating_sub(LAST);
        self.last.drain(..surplus);
        if self.door.said(lines).await { Ok(()) } else { Err(self.close()) }
    }

    /// The end: what was printed without an end of line, too.
    pub(in crate::policy) async fn finish(mut self) -> Finished {
        self.wasi.finish();
        // The run is over: whether anybody still listens changes nothing.
        let _ = self.tell().await;
        Finished { log: self.last, closed: self.closed, because: self.because }
    }

    pub(super) fn because(&mut self, cause: Cause) {
        self.because = Some(cause);
    }

    pub(in crate::policy) fn wasi(&mut self) -> &mut Wasi {
        &mut self.wasi
    }

    pub(super) fn config(&self) -> &Value {
        &self.config
    }

    fn close(&mut self) -> wasmtime::Error {
        self.closed = true;
        Closed.into()
    }
}

impl Metered for JobGuest {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

/// An answer that is of another kind than its call: the record is not of this call.
pub(super) fn mismatched(answer: &Answer) -> wasmtime::Error {
    wasmtime::Error::msg(format!("the record of this job has another answer than its call: {answer:?}"))
}

/// What a call that only can be refused was answered.
pub(super) fn error(failure: Failure) -> types::Error {
    failure.into_error()
}
