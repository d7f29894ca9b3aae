//! Shows the log of a job while it is written.

use std::time::Duration;

use stead_queue::{Job, JobId, Logged};
use tokio::time::timeout;

use crate::cli::terminal::Terminal;
use crate::error::Failure;
use crate::job::{Said, Source, Store};
use crate::plan::Colour;
use crate::policy::Level;

const PAGE: u32 = 500;
/// How long to wait before looking without having been told of a change.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Standard output.
    Answer,
    /// Standard error.
    Side,
}

/// Somebody who looks at a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follow<'a> {
    pub(super) store: &'a Store,
    pub(super) terminal: Terminal,
    pub(super) place: Place,
}

impl Follow<'_> {
    /// Shows all lines until the job has ended.
    pub(super) async fn until_end(&self, job: JobId) -> Result<Job, Failure> {
        let mut changes = self.store.queue.changes();
        let mut from = 0;
        loop {
            // Asked before the lines are read: what was written until its end is then shown.
            let now = self.store.queue.job(job).await?;
            from = self.what_is_there(job, from).await?;
            if now.state.has_ended() {
                return Ok(now);
            }
            let _ = timeout(PATIENCE, changes.wait()).await;
        }
    }

    /// Shows the lines from this number on, and answers the number of the next one.
    pub(super) async fn what_is_there(&self, job: JobId, mut from: u64) -> Result<u64, Failure> {
        loop {
            let page = self.store.queue.log(job, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(from) };
            from = last.number + 1;
            let text: String = page.iter().filter_map(|logged| self.line(logged)).collect();
            match self.place {
                Place::Answer => self.terminal.print(&text),
                Place::Side => self.terminal.say(&text),
            }
        }
    }

    fn line(&self, logged: &Logged) -> Option<String> {
        let said = Said::read(&logged.line)?;
        if said.level == Level::Debug && !self.terminal.verbose {
            return None;
        }
        let colour = if self.place == Place::Answer { self.terminal.colour } else { self.terminal.side };
        Some(match (&said.source, said.level) {
            (Source::Command { .. }, _) => {
                format!("{} │ {}\n", paint(colour, "36", &said.source.to_string()), said.text)
            }
            (Source::Policy, Level::Warn) => format!("{}\n", paint(colour, "33", &said.text)),
            (Source::Policy, Level::Error) => format!("{}\n", paint(colour, "31", &said.text)),
            (Source::Policy, _) => format!("{}\n", said.text),
        })
    }
}

fn paint(colour: Colour, code: &str, text: &str) -> String {
    match colour {
        Colour::Always => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        Colour::Never => text.to_owned(),
    }
}
