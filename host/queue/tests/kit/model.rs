//! What the queue is to do, in the simplest words: a list of jobs that is searched from end to end.

use stead_queue::{Cause, State};

/// Seconds; those of [`crate::place::settings`].
const LEASE: u64 = 30;

/// A job to be.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) priority: i32,
    pub(crate) lane: usize,
    pub(crate) delay: u64,
    pub(crate) timeout: Option<u64>,
    pub(crate) most_attempts: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Job {
    new: New,
    pub(crate) state: State,
    pub(crate) attempt: u64,
    pub(crate) tries: u32,
    pub(crate) run: u64,
    pub(crate) lines: u64,
    is_cancelled: bool,
    not_before: u64,
    until: u64,
    deadline: Option<u64>,
}

/// How an attempt ends, in the worker's words.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Succeeded,
    Cancelled,
    Released,
    Failed(Cause),
}

/// Jobs by their number less one, and the most that may run at once of each lane.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) now: u64,
    pub(crate) jobs: Vec<Job>,
    pub(crate) most: Vec<usize>,
}

impl Model {
    pub(crate) fn submit(&mut self, new: New) {
        self.jobs.push(Job {
            state: State::Queued,
            attempt: 0,
            tries: 0,
            run: 1,
            lines: 0,
            is_cancelled: false,
            not_before: self.now + new.delay,
            until: 0,
            deadline: None,
            new,
        });
    }

    fn is_ready(&self, job: &Job) -> bool {
        let running = self.jobs.iter().filter(|one| one.state == State::Running && one.new.lane == job.new.lane);
        job.state == State::Queued && job.not_before <= self.now && running.count() < self.most[job.new.lane]
    }

    /// The numbers of the jobs that are claimed.
    pub(crate) fn claim(&mut self, most: usize) -> Vec<usize> {
        self.end_leases();
        let mut claimed = Vec::new();
        while claimed.len() < most {
            let ready = (0..self.jobs.len()).filter(|index| self.is_ready(&self.jobs[*index]));
            let Some(best) = ready.min_by_key(|index| (-self.jobs[*index].new.priority, *index)) else { break };
            let (now, job) = (self.now, &mut self.jobs[best]);
            (job.state, job.until) = (State::Running, now + LEASE);
            job.deadline = job.new.timeout.map(|timeout| now + timeout);
            job.attempt += 1;
            job.tries += 1;
            claimed.push(best);
        }
        claimed
    }

    fn end_leases(&mut self) {
        for index in 0..self.jobs.len() {
            let job = &self.jobs[index];
            if job.state == State::Running && job.until <= self.now {
                let is_late = job.deadline.is_some_and(|deadline| deadline <= self.now);
                self.end(index, End::Failed(if is_late { Cause::TimedOut } else { Cause::WorkerLost }));
            }
        }
    }

    pub(crate) fn holds(&self, index: usize, attempt: u64) -> bool {
        self.jobs[index].state == State::Running && self.jobs[index].attempt == attempt
    }

    /// How long the lease then lasts, and whether the job is to be cancelled.
    pub(crate) fn renew(&mut self, index: usize) -> (u64, bool) {
        let (now, job) = (self.now, &mut self.jobs[index]);
        job.until = job.deadline.map_or(now + LEASE, |deadline| (deadline + LEASE).min(now + LEASE));
        (job.until.saturating_sub(now), job.is_cancelled)
    }

    pub(crate) fn end(&mut self, index: usize, end: End) -> State {
        let (now, job) = (self.now, &mut self.jobs[index]);
        let pause = match end {
            End::Failed(Cause::VmLost) => Some(5 << (job.tries - 1)),
            End::Failed(Cause::NoCapacity | Cause::Temporary) => Some(30 << (job.tries - 1)),
            End::Failed(Cause::Preempted) => Some(1 << (job.tries - 1)),
            End::Failed(Cause::WorkerLost) => Some(0),
            _ => None,
        };
        job.state = match (end, pause) {
            (End::Succeeded, _) => State::Succeeded,
            (End::Cancelled, _) => State::Cancelled,
            _ if job.is_cancelled => State::Cancelled,
            (End::Released, _) => State::Queued,
            (_, None) => State::Failed,
            _ if job.tries >= job.new.most_attempts => State::Dead,
            _ => State::Queued,
        };
        if job.state == State::Queued {
            job.not_before = now + pause.unwrap_or(0);
            match end {
                End::Released => job.tries -= 1,
                End::Failed(Cause::WorkerLost) => {}
                _ => job.run += 1,
            }
        }
        job.state
    }

    pub(crate) fn cancel(&mut self, index: usize) {
        let job = &mut self.jobs[index];
        match job.state {
            State::Queued => job.state = State::Cancelled,
            State::Running => job.is_cancelled = true,
            _ => {}
        }
    }

    /// Whether it is tried again.
    pub(crate) fn retry(&mut self, index: usize) -> bool {
        let (now, job) = (self.now, &mut self.jobs[index]);
        if !matches!(job.state, State::Failed | State::Dead) {
            return false;
        }
        (job.state, job.tries, job.not_before) = (State::Queued, 0, now);
        job.run += 1;
        true
    }
}
