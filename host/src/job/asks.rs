//! The policy's side of the door: what crosses it is sent to whoever works on the job, in a task of its own.

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use crate::policy::LogLine;
use crate::policy::job::{Answer, Call, Door};

/// What is asked, and where the answer goes.
#[derive(Debug)]
pub(super) enum Asked {
    Call(Box<Call>, oneshot::Sender<Answer>),
    Said(Vec<LogLine>, oneshot::Sender<()>),
    Progress(u16, String, oneshot::Sender<()>),
}

/// The policy's side.
#[derive(Debug)]
pub(super) struct Asks(mpsc::Sender<Asked>);

/// Both sides.
pub(super) fn door() -> (Asks, mpsc::Receiver<Asked>) {
    // A policy waits for each answer, so there is never more than one on its way.
    let (sender, receiver) = mpsc::channel(1);
    (Asks(sender), receiver)
}

impl Asks {
    /// The answer; `None`: nobody answers any more.
    async fn ask<T>(&self, asked: impl FnOnce(oneshot::Sender<T>) -> Asked) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(asked(sender)).await.ok()?;
        receiver.await.ok()
    }
}

#[async_trait]
impl Door for Asks {
    async fn pass(&mut self, call: Call) -> Option<Answer> {
        self.ask(|answer| Asked::Call(Box::new(call), answer)).await
    }

    async fn said(&mut self, lines: Vec<LogLine>) -> bool {
        self.ask(|answer| Asked::Said(lines, answer)).await.is_some()
    }

    async fn progress(&mut self, permille: u16, message: String) -> bool {
        self.ask(|answer| Asked::Progress(permille, message, answer)).await.is_some()
    }
}
