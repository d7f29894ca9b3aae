//! Submits the jobs of schedules when they are due. Several servers may do so at once: the queue takes each once.
//!
//! Of what was due while no server ran, the last one is submitted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use stead_queue::{
    Concurrency, ConcurrencyKey, IdempotencyKey, JobName, QueueError, Submission, Submitted, Timed, Timestamp,
};

use super::{Input, Service};
use crate::repo::{Name, ScheduledJob};

/// How long it sleeps at most: somebody may set the clock.
const NAP: Duration = Duration::from_secs(30);
/// What it waits when the queue does not answer.
const PAUSE: Duration = Duration::from_secs(5);

/// What was dealt with, so that the queue is asked once for each time.
#[derive(Debug, Default)]
pub struct Scheduler(BTreeMap<Name, Timestamp>);

/// What a look at all schedules came to.
#[derive(Debug, Default)]
pub struct Look {
    /// The jobs that were submitted, by the names of their schedules.
    pub submitted: Vec<(Name, Submitted)>,
    /// What could not be submitted, and will be.
    pub failed: Vec<(Name, QueueError)>,
    /// When to look again.
    pub pause: Duration,
}

impl Scheduler {
    /// Submits what is due.
    pub async fn look(&mut self, service: &Service, now: Timestamp) -> Look {
        let mut look = Look { pause: NAP, ..Look::default() };
        for job in service.repo().jobs() {
            // One that is never due is made known all the same, and is due the next year.
            let due = job.schedule.last(now).unwrap_or(Timestamp::from_millis(0));
            if self.0.get(&job.name) != Some(&due) {
                match submit(service, job, due).await {
                    Ok(submitted) => {
                        self.0.insert(job.name.clone(), due);
                        look.submitted.extend(submitted.map(|submitted| (job.name.clone(), submitted)));
                    }
                    Err(error) => {
                        look.pause = look.pause.min(PAUSE);
                        look.failed.push((job.name.clone(), error));
                    }
                }
            }
            if let Some(next) = job.schedule.next(now) {
                look.pause = look.pause.min(now.until(next));
            }
        }
        look
    }
}

async fn submit(service: &Service, job: &ScheduledJob, due: Timestamp) -> Result<Option<Submitted>, QueueError> {
    let input = Input { input: Value::Object(job.input.clone()).to_string(), ..Input::default() };
    let at = jiff::Timestamp::from_millisecond(due.as_millis()).map(|at| at.to_string()).unwrap_or_default();
    let limit = |most| Ok::<_, QueueError>(Concurrency { key: ConcurrencyKey::new(job.name.as_str())?, most });
    let submission = Submission {
        priority: job.priority,
        key: Some(IdempotencyKey::new(format!("{} {at}", job.name))?),
        timeout: Some(job.timeout),
        most_attempts: job.attempts,
        concurrency: job.at_once.map(limit).transpose()?,
        // Strings and numbers have a form in JSON.
        ..Submission::new(JobName::new(job.policy.as_str())?, serde_json::to_vec(&input).unwrap_or_default())
    };
    let timed = Timed::new(job.name.as_str(), job.schedule.to_string())?;
    service.store.queue.submit_due(timed, due, submission).await
}
