//! Times, and what they come to.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// The times of equal runs, sorted. Not empty.
#[derive(Debug)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    pub(crate) fn of(mut times: Vec<Duration>) -> Result<Self> {
        ensure!(!times.is_empty(), "no run was timed");
        times.sort();
        Ok(Self(times))
    }

    pub(crate) fn runs(&self) -> usize {
        self.0.len()
    }

    /// The time that this share of the runs does not exceed, by nearest rank: 0 is the shortest, 1 the longest.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.runs() as f64).ceil() as usize;
        self.0[rank.clamp(1, self.runs()) - 1]
    }

    pub(crate) fn median(&self) -> Duration {
        self.quantile(0.5)
    }
}

/// How long a process takes from its start to its exit, which must be a success.
pub(crate) fn timed(command: &mut Command) -> Result<Duration> {
    Ok(output(command)?.0)
}

/// The same, and both its streams.
pub(crate) fn output(command: &mut Command) -> Result<(Duration, String)> {
    let began = Instant::now();
    let ended = command.output()?;
    let took = began.elapsed();
    let text = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    ensure!(ended.status.success(), "{command:?} ended with {}\n{text}", ended.status);
    Ok((took, text))
}
