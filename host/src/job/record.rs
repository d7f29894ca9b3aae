//! The journal of a run: what its calls were answered, and what is answered from it.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};
use stead_queue::{CallName, Claimed, Entry, Lease, Phase, Queue, QueueError, Recorded, Run};

use super::halt::Halt;
use crate::policy::job::{Answer, Call};

/// How many entries are read at once.
const PAGE: u32 = 500;

/// The journal while the run goes on.
#[derive(Debug)]
pub(super) struct Record {
    queue: Queue,
    lease: Lease,
    run: Run,
    /// Entries of earlier attempts that the policy has not come to yet, as far as they have been read.
    before: VecDeque<Recorded>,
    /// How many entries earlier attempts have left.
    left: u64,
    /// The number of the next entry.
    next: u64,
}

/// What the journal knows of a call.
#[derive(Debug)]
pub(super) enum Known {
    /// It was made and answered, at this time.
    Answered(Answer, stead_queue::Timestamp),
    /// It was about to be made, and may have been.
    Intended,
    Nothing,
}

impl Record {
    pub(super) fn new(queue: &Queue, claimed: &Claimed) -> Self {
        Self {
            queue: queue.clone(),
            lease: claimed.lease,
            run: claimed.run,
            before: VecDeque::new(),
            left: claimed.entries,
            next: 0,
        }
    }

    /// Whether everything that earlier attempts did has been replayed.
    pub(super) fn is_live(&self) -> bool {
        self.next >= self.left
    }

    /// Finds a call where the run is now.
    ///
    /// # Errors
    /// When the record says that another call was made here, or cannot be read.
    pub(super) async fn find(&mut self, call: &Call) -> Result<Known, Halt> {
        let Some(recorded) = self.peek().await? else { return Ok(Known::Nothing) };
        self.is_same(call, &recorded.entry)?;
        self.pop();
        if recorded.entry.phase == Phase::Answered {
            return self.answer(&recorded).map(|answer| Known::Answered(answer, recorded.at));
        }
        let Some(answered) = self.peek().await? else { return Ok(Known::Intended) };
        self.is_same(call, &answered.entry)?;
        self.pop();
        self.answer(&answered).map(|answer| Known::Answered(answer, answered.at))
    }

    /// Says that a call is about to be made.
    ///
    /// # Errors
    /// When it cannot be written down: then it must not be made.
    pub(super) async fn intend(&mut self, call: &Call) -> Result<(), QueueError> {
        self.append(Phase::Intended, call, Vec::new()).await
    }

    /// Says what a call was answered.
    ///
    /// # Errors
    /// When it cannot be written down: then nobody must act on it.
    pub(super) async fn answered(&mut self, call: &Call, answer: &Answer) -> Result<(), QueueError> {
        let answer = serde_json::to_vec(answer).unwrap_or_default();
        self.append(Phase::Answered, call, answer).await
    }

    async fn append(&mut self, phase: Phase, call: &Call, answer: Vec<u8>) -> Result<(), QueueError> {
        let entry =
            Entry { sequence: self.next, phase, call: CallName::new(call.name())?, request: digest(call), answer };
        self.queue.append_entry(self.lease, entry).await?;
        self.next += 1;
        Ok(())
    }

    async fn peek(&mut self) -> Result<Option<Recorded>, Halt> {
        if self.before.is_empty() && !self.is_live() {
            let page = self.queue.journal(self.lease.job(), self.run, self.next, PAGE).await.map_err(Halt::Lost)?;
            self.before = page.into_iter().filter(|recorded| recorded.entry.sequence < self.left).collect();
        }
        Ok(self.before.front().cloned())
    }

    fn pop(&mut self) {
        self.before.pop_front();
        self.next += 1;
    }

    fn is_same(&self, call: &Call, entry: &Entry) -> Result<(), Halt> {
        if entry.call.as_str() == call.name() && entry.request == digest(call) {
            return Ok(());
        }
        let (now, before) = (call.name(), entry.call.as_str());
        let how = if now == before { "with other arguments" } else { "instead" };
        Err(Halt::Diverged(format!(
            "when it was continued the policy called {now} where it had called {before} {how}: its calls must follow from its \
             input and from what it was answered alone"
        )))
    }

    fn answer(&self, recorded: &Recorded) -> Result<Answer, Halt> {
        serde_json::from_slice(&recorded.entry.answer)
            .map_err(|error| Halt::Diverged(format!("the record of this job is of another version of stead: {error}")))
    }
}

fn digest(call: &Call) -> [u8; 32] {
    // A call is plain data, which always has a JSON form.
    Sha256::digest(serde_json::to_vec(call).unwrap_or_default()).into()
}
