//! For workers. Whatever a worker writes carries its lease, and is refused when that has passed to another one:
//! [`QueueError::Fenced`]. All these writes may be sent again when it is not known whether they arrived.

use tokio::time::timeout;

use super::{PATIENCE, Queue};
use crate::op::{self, Tx};
use crate::*;

impl Queue {
    /// Claims up to so many jobs: the highest priority first, then the oldest, as the limits let them. Leases that have
    /// run out end with it. When the future is dropped before it is ready, the jobs go back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim(&self, worker: &WorkerName, most: u32) -> Result<Claim, QueueError> {
        let worker = worker.clone();
        let body = move |tx: &mut Tx<'_>| op::claim(tx, &worker, most);
        self.writer.call(body, Some(hand_back)).await
    }

    /// Waits until there is at least one job, and claims up to so many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&self, worker: &WorkerName, most: u32) -> Result<Vec<Claimed>, QueueError> {
        let mut ready = self.wake.ready();
        loop {
            let Claim { jobs, next } = self.claim(worker, most).await?;
            if !jobs.is_empty() {
                return Ok(jobs);
            }
            // Another process's wake-up may be lost with its connection.
            let pause = next.unwrap_or(PATIENCE).min(PATIENCE);
            drop(timeout(pause, ready.changed()).await);
        }
    }

    /// Says that the worker is still there. Half-way through the lease is a good time for it.
    ///
    /// # Errors
    /// [`QueueError::Fenced`]: stop at once.
    pub async fn renew(&self, lease: Lease) -> Result<Renewed, QueueError> {
        self.write(move |tx| op::renew(tx, lease)).await
    }

    /// Says that the run has made something on this server, so that another one cannot go on with it: where
    /// [`Settings::server`] names one.
    ///
    /// # Errors
    /// [`QueueError::Fenced`].
    pub async fn bind(&self, lease: Lease) -> Result<(), QueueError> {
        self.write(move |tx| op::bind(tx, lease)).await
    }

    /// Ends the attempt, and answers what that makes of the job.
    ///
    /// # Errors
    /// [`QueueError::Fenced`], [`QueueError::TooLarge`].
    pub async fn finish(&self, lease: Lease, outcome: Outcome) -> Result<State, QueueError> {
        self.write(move |tx| op::finish(tx, lease, &outcome)).await
    }

    /// Appends an entry to the journal of the run.
    ///
    /// # Errors
    /// [`QueueError::Fenced`], [`QueueError::TooLarge`], [`QueueError::Full`]; [`QueueError::Gap`] when an entry before it is
    /// missing; [`QueueError::Diverged`] when another one is there.
    pub async fn append_entry(&self, lease: Lease, entry: Entry) -> Result<(), QueueError> {
        self.write(move |tx| op::append_entry(tx, lease, &entry)).await
    }

    /// Appends lines to the log, the first of which has this number; those that are there already are passed over. Answers the
    /// number of the next line.
    ///
    /// # Errors
    /// [`QueueError::Fenced`], [`QueueError::TooLarge`], [`QueueError::Full`]; [`QueueError::Gap`] when lines before are missing.
    pub async fn append_log(&self, lease: Lease, first: u64, lines: Vec<Line>) -> Result<u64, QueueError> {
        self.write(move |tx| op::append_log(tx, lease, first, &lines)).await
    }

    /// Says how far the job has come.
    ///
    /// # Errors
    /// [`QueueError::Fenced`].
    pub async fn set_progress(&self, lease: Lease, progress: Progress) -> Result<(), QueueError> {
        self.write(move |tx| op::set_progress(tx, lease, &progress)).await
    }

    /// Records an artifact of the run; one of the same name is replaced.
    ///
    /// # Errors
    /// [`QueueError::Fenced`], [`QueueError::Full`].
    pub async fn record_artifact(&self, lease: Lease, artifact: Artifact) -> Result<(), QueueError> {
        self.write(move |tx| op::record_artifact(tx, lease, &artifact)).await
    }

    /// Reserves what a machine of the run costs at most, unless that goes over a ceiling.
    ///
    /// # Errors
    /// [`QueueError::Fenced`].
    pub async fn reserve(&self, lease: Lease, spending: Spending) -> Result<Reserved, QueueError> {
        self.write(move |tx| op::reserve(tx, lease, &spending)).await
    }

    /// Says that a machine of the run is gone, or never was there: what was reserved for it and not used is free again.
    ///
    /// # Errors
    /// [`QueueError::Fenced`].
    pub async fn settle(&self, lease: Lease, machine: &str, existed: bool) -> Result<(), QueueError> {
        let machine = machine.to_owned();
        self.write(move |tx| op::settle(tx, lease, &machine, existed)).await
    }

    /// Ends the leases that have run out, as each claim does: for a service whose workers are all busy.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tend(&self) -> Result<(), QueueError> {
        self.write(op::tend).await
    }
}

fn hand_back(tx: &mut Tx<'_>, claim: &Claim) -> Result<(), QueueError> {
    claim.jobs.iter().try_for_each(|job| op::finish(tx, job.lease, &Outcome::Released).map(drop))
}
