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
        self.append(new.map(|(text, end)| of_command(self.run, *end, source, text)).collect()).await?;
        if let Some((_, end)) = lines.last().filter(|(_, end)| *end > heard) {
            self.heard.insert(source.clone(), *end);
        }
        Ok(())
    }

    async fn append(&mut self, lines: Vec<Line>) -> Result<(), QueueError> {
        if lines.is_empty() {
            return Ok(());
        }
        let first = self.next;
        // Before it is waited for: who does not wait to the end has written them all the same.
        self.next += lines.len() as u64;
        let written = self.queue.append_log(self.lease, first, lines).await;
        self.next = match &written {
            Ok(next) => *next,
            Err(_) => first,
        };
        written.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use stead_queue::{JobName, Place, Settings, Submission, WorkerName};

    use super::*;

    #[tokio::test]
    async fn lines_that_are_heard_again_are_there_once() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let queue = Queue::open(&Place::File(folder.path().join("queue")), Settings::default())?;
        let job = queue.submit(Submission::new(JobName::new("job")?, b"")).await?.job;
        let claim = queue.claim(&WorkerName::new("worker")?, 1).await?;
        let mut log = Log::open(&queue, &claim.jobs[0]).await?;
        let source = |number| Source::Command { machine: "main".to_owned(), number };
        let lines = |count: u64| (1..=count).map(|line| (line.to_string().into_bytes(), 2 * line)).collect::<Vec<_>>();
        log.command(&source(1), &lines(2)).await?;
        log.command(&source(2), &lines(1)).await?;
        // A command that took too long is heard from its beginning once more, to its end.
        log.command(&source(1), &lines(1)).await?;
        log.command(&source(1), &lines(3)).await?;
        let said = queue.log(job, 0, 100).await?;
        let said: Vec<_> = said.iter().filter_map(|logged| Said::read(&logged.line)).collect();
        let said: Vec<_> = said.iter().map(|said| format!("{} {}", said.source, said.text)).collect();
        assert_eq!(said, ["main/1 1", "main/1 2", "main/2 1", "main/1 3"]);
        Ok(())
    }
}
