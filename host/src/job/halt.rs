//! Why a job is stopped from outside: said once, seen by everything that works on it.

use std::sync::Arc;

use stead_queue::QueueError;
use tokio::sync::watch;

/// Why.
#[derive(Clone, Debug)]
pub(super) enum Halt {
    /// The queue no longer takes what this worker writes: another one has the job, or nobody knows.
    Lost(QueueError),
    /// The worker stops, and hands it to another one.
    Released,
    /// Somebody wants it cancelled.
    Cancelled,
    /// It has taken as long as it may.
    TimedOut,
    /// The policy asked for something else than it did before.
    Diverged(String),
}

/// The place where it is said.
#[derive(Clone, Debug)]
pub(super) struct Halting(Arc<watch::Sender<Option<Halt>>>);

impl Halting {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// The first reason stands.
    pub(super) fn say(&self, halt: Halt) {
        self.0.send_if_modified(|said| {
            let first = said.is_none();
            said.get_or_insert(halt);
            first
        });
    }

    pub(super) fn said(&self) -> Option<Halt> {
        self.0.borrow().clone()
    }

    /// Waits until it is said.
    pub(super) async fn wait(&self) {
        // The sender is held here, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(Option::is_some).await;
    }
}
