//! Queues to try things on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use stead_queue::{Backoff, Clock, Limits, Place, Queue, RetryPolicy, Settings};

use crate::clock::TestClock;

/// Small limits, and pauses without chance, so that cases can say what comes.
pub(crate) fn settings(clock: &Arc<TestClock>) -> Settings {
    let pause = |seconds| Some(Backoff { jitter: 0.0, ..Backoff::new(seconds, 2.0, seconds * 100) });
    let second = Duration::from_secs(1);
    let retry = RetryPolicy {
        vm_lost: pause(5 * second),
        no_capacity: pause(30 * second),
        temporary: pause(30 * second),
        preempted: pause(second),
        worker_lost: pause(Duration::ZERO),
        ..RetryPolicy::default()
    };
    let limits = Limits { input: 100, result: 100, answer: 100, entries: 5, line: 100, log: 1000, artifacts: 2 };
    Settings { retry, limits, lease: 30 * second, clock: Some(clock.clone() as Arc<dyn Clock>), ..Settings::default() }
}

pub(crate) fn file(folder: &Path, clock: &Arc<TestClock>) -> Result<Queue> {
    Ok(Queue::open(&Place::File(folder.join("queue.sqlite")), settings(clock))?)
}

pub(crate) fn server(address: &str, clock: &Arc<TestClock>) -> Result<Queue> {
    Ok(Queue::open(&address.parse()?, settings(clock))?)
}
