//! When an attempt that failed is followed by another one. A pure function of the cause, the job and how often it was tried.

use std::time::Duration;

use crate::{Cause, JobId};

/// How long to wait between attempts: `first`, then `factor` times as long each time, up to `longest`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    pub first: Duration,
    pub factor: f64,
    pub longest: Duration,
    /// How much of each pause chance may take off it, from 0 to 1, so that jobs that failed together do not return together.
    pub jitter: f64,
}

/// For each cause, how to try again; a cause without one ends the job as failed.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    pub policy_error: Option<Backoff>,
    pub temporary: Option<Backoff>,
    pub vm_lost: Option<Backoff>,
    pub no_capacity: Option<Backoff>,
    pub preempted: Option<Backoff>,
    pub worker_lost: Option<Backoff>,
    pub timed_out: Option<Backoff>,
    /// Chance is drawn from this, the job and the attempt, and from nothing else.
    pub seed: u64,
}

impl Backoff {
    pub const fn new(first: Duration, factor: f64, longest: Duration) -> Self {
        Self { first, factor, longest, jitter: 0.2 }
    }

    /// The pause after this many tries.
    fn pause(&self, tries: u32, chance: f64) -> Duration {
        let times = self.factor.max(1.0).powi(i32::try_from(tries.saturating_sub(1)).unwrap_or(i32::MAX));
        let whole = (self.first.as_secs_f64() * times).min(self.longest.as_secs_f64());
        Duration::try_from_secs_f64(whole * (1.0 - self.jitter.clamp(0.0, 1.0) * chance)).unwrap_or(self.longest)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let [second, minute] = [Duration::from_secs(1), Duration::from_secs(60)];
        Self {
            policy_error: None,
            temporary: Some(Backoff::new(30 * second, 2.0, 15 * minute)),
            timed_out: None,
            vm_lost: Some(Backoff::new(5 * second, 2.0, 5 * minute)),
            no_capacity: Some(Backoff::new(30 * second, 2.0, 15 * minute)),
            preempted: Some(Backoff::new(second, 2.0, minute)),
            // The run goes on where it was, and its VM costs money meanwhile.
            worker_lost: Some(Backoff { jitter: 0.0, ..Backoff::new(Duration::ZERO, 1.0, Duration::ZERO) }),
            seed: 0,
        }
    }
}

impl RetryPolicy {
    /// How long to wait before the next attempt; none when the cause is not tried again.
    pub fn pause(&self, cause: Cause, job: JobId, tries: u32) -> Option<Duration> {
        let seed = self.seed ^ mixed(job.number() ^ (u64::from(tries) << 48));
        self.backoff(cause).map(|backoff| backoff.pause(tries, share(mixed(seed))))
    }

    fn backoff(&self, cause: Cause) -> Option<Backoff> {
        match cause {
            Cause::PolicyError => self.policy_error,
            Cause::Temporary => self.temporary,
            Cause::VmLost => self.vm_lost,
            Cause::NoCapacity => self.no_capacity,
            Cause::Preempted => self.preempted,
            Cause::WorkerLost => self.worker_lost,
            Cause::TimedOut => self.timed_out,
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): each bit of the result depends on each bit of the seed.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 0 up to 1.
fn share(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_pause_grows_up_to_the_longest() {
        let backoff = Backoff::new(SECOND, 2.0, 10 * SECOND);
        let pauses: Vec<_> = (1..=6).map(|tries| backoff.pause(tries, 0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 10, 10]);
        assert_eq!(backoff.pause(u32::MAX, 0.0), 10 * SECOND);
    }

    #[test]
    fn chance_takes_off_at_most_its_share_and_is_the_same_again() {
        let policy = RetryPolicy { seed: 7, ..RetryPolicy::default() };
        let pause = |job| policy.pause(Cause::VmLost, JobId(job), 1);
        let pauses: std::collections::BTreeSet<_> = (1..100).filter_map(pause).collect();
        assert!(pauses.len() > 90, "jobs come back together: {pauses:?}");
        assert!(pauses.iter().all(|pause| (4 * SECOND..=5 * SECOND).contains(pause)), "{pauses:?}");
        assert_eq!(pause(3), pause(3));
        assert_eq!(policy.pause(Cause::PolicyError, JobId(1), 1), None);
    }
}
