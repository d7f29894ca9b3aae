//! The log of a job while somebody works on it: each line once, whichever attempt wrote it.

use std::collections::BTreeMap;

use stead_queue::{Claimed, Lease, Line, Queue, QueueError, Run};

use super::lines::{Said, Source, of_command, of_policy};
use crate::policy::LogLine;

/// How many lines are read at once.
const PAGE: u32 = 1000;

/// Where lines are added.
#[derive(Debug)]
pub(super) struct Log {
    queue: Queue,
    lease: Lease,
    run: Run,
    /// The number of the next line.
    next: u64,
    /// How far each source had come when it was last heard.
    heard: BTreeMap<Source, u64>,
    /// Lines of the policy so far, those of earlier attempts among them.
    said: u64,
}

impl Log {
    /// Reads what is there.
    ///
    /// # Errors
    /// Those of the queue.
    pub(super) async fn open(queue: &Queue, claimed: &Claimed) -> Result<Self, QueueError> {
        let mut heard = BTreeMap::new();
        let mut from = 0;
        while from < claimed.next_line {
            let page = queue.log(claimed.lease.job(), from, PAGE).await?;
            let Some(last) = page.last() else { break };
            from = last.number + 1;
            let ours = page.iter().filter_map(|logged| Said::read(&logged.line));
            heard.extend(ours.filter(|said| said.run == claimed.run.number()).map(|said| (said.source, said.position)));
        }
        Ok(Self {
            queue: queue.clone(),
            lease: claimed.lease,
            run: claimed.run,
            next: claimed.next_line,
            heard,
            said: 0,
        })
    }

    /// Adds what the policy said, unless it had said it before.
    ///
    /// # Errors
    /// Those of the queue.
    pub(super) async fn policy(&mut self, lines: Vec<LogLine>) -> Result<(), QueueError> {
        let heard = self.heard.get(&Source::Policy).copied().unwrap_or_default();
        let mut new = Vec::new();
        for line in lines {
            self.said += 1;
            if self.said > heard {
                new.push(of_policy(self.run, self.said, line.level, &line.message));
            }
        }
        self.append(new).await
    }

    /// Adds lines of a command, each with the offset after it, unless they are there.
    ///
    /// # Errors
    /// Those of the queue.
    pub(super) async fn command(&mut self, source: &Source, lines: &[(Vec<u8>, u64)]) -> Result<(), QueueError> {
        let heard = self.heard.get(source).copied().unwrap_or_default();
        let new = lines.iter().filter(|(_, end)| *end > heard);
        self.append(new.map(|(text, end)| of_command(self.run, *end, source, text)).collect()).await
    }

    async fn append(&mut self, lines: Vec<Line>) -> Result<(), QueueError> {
        if !lines.is_empty() {
            self.next = self.queue.append_log(self.lease, self.next, lines).await?;
        }
        Ok(())
    }
}
