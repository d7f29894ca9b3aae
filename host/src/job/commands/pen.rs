//! Writes what one command says into the log, beside whoever listens to it: what has come while a commit waited for the
//! disk goes into the next one as a whole. So a flood costs few commits, and a single line waits for nothing.
//!
//! What it has taken is written even when it is dropped, so that no line is in the log of which the log does not know.

use std::sync::Arc;

use stead_queue::QueueError;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use crate::job::lines::Source;
use crate::job::log::Log;
use crate::job::machines::Trouble;

/// Lines, each with the offset after it.
type Batch = Vec<(Vec<u8>, u64)>;

/// How many batches wait at most: then the command waits, too.
const WAITING: usize = 16;

/// Takes lines on one side, and writes them on the other.
#[derive(Debug)]
pub(super) struct Pen {
    /// `None`: it has failed, or is done.
    sender: Option<mpsc::Sender<Batch>>,
    writing: JoinHandle<Result<(), Trouble>>,
}

impl Pen {
    pub(super) fn new(log: Arc<Mutex<Log>>, source: Source) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self { sender: Some(sender), writing: tokio::task::spawn_local(write(receiver, log, source)) }
    }

    /// Takes lines that follow those before.
    ///
    /// # Errors
    /// When lines before could not be written.
    pub(super) async fn write(&mut self, batch: Batch) -> Result<(), Trouble> {
        if batch.is_empty() {
            return Ok(());
        }
        match &self.sender {
            Some(sender) if sender.send(batch).await.is_ok() => Ok(()),
            _ => self.finish().await,
        }
    }

    /// Waits until all are written.
    ///
    /// # Errors
    /// When they could not be.
    pub(super) async fn finish(&mut self) -> Result<(), Trouble> {
        if self.sender.take().is_none() {
            return Ok(());
        }
        match (&mut self.writing).await {
            Ok(written) => written,
            Err(_) => Err(Trouble::Queue(QueueError::Closed)),
        }
    }
}

async fn write(mut batches: mpsc::Receiver<Batch>, log: Arc<Mutex<Log>>, source: Source) -> Result<(), Trouble> {
    while let Some(mut lines) = batches.recv().await {
        while let Ok(more) = batches.try_recv() {
            lines.extend(more);
        }
        log.lock().await.command(&source, &lines).await?;
    }
    Ok(())
}
