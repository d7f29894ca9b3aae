//! For those who want work done.

use std::num::NonZeroU32;
use std::time::Duration;

use super::Queue;
use crate::op;
use crate::*;

impl Queue {
    /// Queues a job; once, when it has an idempotency key, for as long as the job is kept.
    ///
    /// # Errors
    /// [`QueueError::TooLarge`]; [`QueueError::KeyReused`] when the key came before with another input.
    pub async fn submit(&self, job: Submission) -> Result<Submitted, QueueError> {
        self.write(move |tx| op::submit(tx, &job)).await
    }

    /// Submits the job of a schedule for the time at which it was due last. It is submitted once for that time, however many servers
    /// say so and in whatever order, and not when the schedule was first seen after it: `None`.
    ///
    /// # Errors
    /// [`QueueError::TooLarge`].
    pub async fn submit_due(
        &self,
        schedule: Timed,
        due: Timestamp,
        job: Submission,
    ) -> Result<Option<Submitted>, QueueError> {
        self.write(move |tx| op::submit_due(tx, &schedule, due, &job)).await
    }

    /// Cancels a job: at once when it has not begun. A worker that has it learns of it by its next renewal.
    ///
    /// # Errors
    /// [`QueueError::NoSuchJob`].
    pub async fn cancel(&self, job: JobId) -> Result<Cancelled, QueueError> {
        self.write(move |tx| op::cancel(tx, job)).await
    }

    /// Tries a job again that has failed or is dead, from the beginning and with all its attempts.
    ///
    /// # Errors
    /// [`QueueError::NotRetryable`], [`QueueError::NoSuchJob`].
    pub async fn retry(&self, job: JobId) -> Result<(), QueueError> {
        self.write(move |tx| op::retry(tx, job)).await
    }

    /// How many jobs of a name may run at once, or of those with this key among them; none for any number. What runs goes on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn set_limit(
        &self,
        name: JobName,
        key: Option<ConcurrencyKey>,
        most: Option<NonZeroU32>,
    ) -> Result<(), QueueError> {
        self.write(move |tx| op::set_limit(tx, &name, key.as_ref(), most)).await
    }

    /// Deletes jobs that ended at least so long ago with all that they stored, the oldest first and at most so many. The files
    /// of their artifacts are the caller's: [`Queue::unused`] tells which nobody names any more. To be called until it is done.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn prune(&self, age: Duration, most: u32) -> Result<Pruned, QueueError> {
        self.write(move |tx| op::prune(tx, age, most)).await
    }

    /// The same with all jobs that have ended but so many, the last ones.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn prune_beyond(&self, kept: u64, most: u32) -> Result<Pruned, QueueError> {
        self.write(move |tx| op::prune_beyond(tx, kept, most)).await
    }
}
