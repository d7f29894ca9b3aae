//! For those who look.

use tokio::time::timeout;

use super::{PATIENCE, Queue};
use crate::op;
use crate::*;

impl Queue {
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn job(&self, job: JobId) -> Result<Job, QueueError> {
        self.read(move |tx| op::job(tx, job)).await
    }

    /// Waits until the job has ended.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn ended(&self, id: JobId) -> Result<Job, QueueError> {
        let mut changes = self.changes();
        loop {
            let job = self.job(id).await?;
            if job.state.has_ended() {
                return Ok(job);
            }
            drop(timeout(PATIENCE, changes.wait()).await);
        }
    }

    /// Jobs that match, the newest first, at most so many; the next page begins before the last one of this.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(&self, filter: Filter, before: Option<JobId>, most: u32) -> Result<Vec<Job>, QueueError> {
        self.read(move |tx| op::list(tx, &filter, before, most)).await
    }

    /// The attempts of a job, the first one first.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn attempts(&self, job: JobId) -> Result<Vec<Attempt>, QueueError> {
        self.read(move |tx| op::attempts(tx, job)).await
    }

    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn input(&self, job: JobId) -> Result<Vec<u8>, QueueError> {
        self.read(move |tx| op::input(tx, job)).await
    }

    /// What the job answered; none before it has succeeded.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn result(&self, job: JobId) -> Result<Option<Vec<u8>>, QueueError> {
        self.read(move |tx| op::result(tx, job)).await
    }

    /// Entries of a run's journal in their order, from this one on.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn journal(&self, job: JobId, run: Run, from: u64, most: u32) -> Result<Vec<Recorded>, QueueError> {
        self.read(move |tx| op::journal(tx, job, run, from, most)).await
    }

    /// Lines of a job's log in their order, from this one on.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn log(&self, job: JobId, from: u64, most: u32) -> Result<Vec<Logged>, QueueError> {
        self.read(move |tx| op::log(tx, job, from, most)).await
    }

    /// The artifacts of a job, by run and name.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn artifacts(&self, job: JobId) -> Result<Vec<(Run, Artifact)>, QueueError> {
        self.read(move |tx| op::artifacts(tx, job)).await
    }

    /// What the machines of a job have cost, or may yet, by run.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn spent(&self, job: JobId) -> Result<Vec<Spent>, QueueError> {
        self.read(move |tx| op::spent(tx, job)).await
    }

    /// Of these places, those where no artifact of any job lies.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn unused(&self, places: Vec<String>) -> Result<Vec<String>, QueueError> {
        self.read(move |tx| op::unused(tx, &places)).await
    }

    /// How many jobs there are by name and state, at a cost that does not depend on how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn counts(&self) -> Result<Vec<Count>, QueueError> {
        self.read(op::counts).await
    }

    /// When the queued job of each name that was submitted first was submitted, at a cost that does not depend on how many wait.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn oldest_queued(&self) -> Result<Vec<(JobName, Timestamp)>, QueueError> {
        self.read(op::oldest_queued).await
    }

    /// Tells when something has changed, in this process or another one.
    pub fn changes(&self) -> Changes {
        let changes = self.wake.changes();
        self.writer.look();
        changes
    }

    /// What is wrong with the tables, in words; reads all of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn check(&self) -> Result<Vec<&'static str>, QueueError> {
        self.read(op::check).await
    }
}
