//! Wakes those who wait for a change. A wake-up says that it is worth to look, and never more than that.

use tokio::sync::watch;

/// What happened, as far as those who wait can tell apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Woke {
    /// A job may be there to claim.
    pub(crate) ready: bool,
    /// Something about a job has changed.
    pub(crate) changed: bool,
}

#[derive(Debug)]
pub(crate) struct Wake {
    ready: watch::Sender<()>,
    changed: watch::Sender<()>,
}

impl Wake {
    pub(crate) fn new() -> Self {
        Self { ready: watch::Sender::new(()), changed: watch::Sender::new(()) }
    }

    pub(crate) fn send(&self, woke: Woke) {
        if woke.ready {
            self.ready.send_replace(());
        }
        if woke.changed || woke.ready {
            self.changed.send_replace(());
        }
    }

    pub(crate) fn ready(&self) -> watch::Receiver<()> {
        self.ready.subscribe()
    }

    pub(crate) fn changes(&self) -> Changes {
        Changes(self.changed.subscribe())
    }

    /// Whether somebody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        self.ready.receiver_count() + self.changed.receiver_count() > 0
    }
}

/// Tells that something has changed since one last looked: a job's state, its log, its progress, a request to cancel.
#[derive(Debug)]
pub struct Changes(watch::Receiver<()>);

impl Changes {
    /// Returns at once when something changed since the last call. May return when nothing did.
    pub async fn wait(&mut self) {
        if self.0.changed().await.is_err() {
            // The queue is closed: nothing will change any more, and a caller in a loop must not spin.
            std::future::pending::<()>().await;
        }
    }
}
