//! Random sequences of calls, by two processes' worth of queues that take turns, beside the model.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use stead_queue::*;
use stead_tests::postgres::{Postgres, Sync};
use tokio::runtime::Runtime;

use crate::clock::TestClock;
use crate::model::{End, Model, New};
use crate::place;

/// The most that run at once, by lane.
const MOST: [u32; 3] = [1, 2, 100];

/// A call. Jobs are picked by a number that is taken modulo how many there are; `late` takes the attempt before.
#[derive(Clone, Debug)]
enum Call {
    Submit(New),
    Claim(u32),
    Renew { pick: usize, late: bool },
    Finish { pick: usize, late: bool, end: End },
    Log { pick: usize, late: bool, back: u64, lines: usize },
    Cancel(usize),
    Retry(usize),
    Advance(u64),
    SetClock(i64),
}

fn end() -> impl Strategy<Value = End> {
    let failed = prop::sample::select(Cause::ALL).prop_map(End::Failed);
    prop_oneof![2 => Just(End::Succeeded), 1 => Just(End::Cancelled), 1 => Just(End::Released), 4 => failed]
}

fn new() -> impl Strategy<Value = New> {
    let delay = prop_oneof![3 => Just(0), 1 => 1_u64..60];
    let timeout = prop_oneof![3 => Just(None), 1 => (1_u64..90).prop_map(Some)];
    (-2..3, 0..MOST.len(), delay, timeout, 1_u32..4).prop_map(|(priority, lane, delay, timeout, most_attempts)| New {
        priority,
        lane,
        delay,
        timeout,
        most_attempts,
    })
}

fn call() -> impl Strategy<Value = Call> {
    let late = || prop::bool::weighted(0.2);
    prop_oneof![
        4 => new().prop_map(Call::Submit),
        5 => (1_u32..4).prop_map(Call::Claim),
        2 => (any::<usize>(), late()).prop_map(|(pick, late)| Call::Renew { pick, late }),
        4 => (any::<usize>(), late(), end()).prop_map(|(pick, late, end)| Call::Finish { pick, late, end }),
        2 => (any::<usize>(), late(), 0_u64..3, 0_usize..12)
            .prop_map(|(pick, late, back, lines)| Call::Log { pick, late, back, lines }),
        1 => any::<usize>().prop_map(Call::Cancel),
        1 => any::<usize>().prop_map(Call::Retry),
        4 => (1_u64..40).prop_map(Call::Advance),
        1 => (-5000_i64..5000).prop_map(Call::SetClock),
    ]
}

struct Pair {
    queues: [Queue; 2],
    clock: Arc<TestClock>,
    model: Model,
    /// The file's clock may be set; a server's is not moved by tests.
    is_file: bool,
}

impl Pair {
    async fn run(&mut self, calls: &[Call]) -> Result<()> {
        for (step, call) in calls.iter().enumerate() {
            let queue = self.queues[step % 2].clone();
            self.step(&queue, call).await.with_context(|| format!("step {step}, {call:?}"))?;
        }
        for (index, expected) in self.model.jobs.iter().enumerate() {
            let job = self.queues[0].job(id(index)).await?;
            let found = (job.state, job.attempt, job.tries, job.run.number(), job.next_line);
            let expected = (expected.state, expected.attempt, expected.tries, expected.run, expected.lines);
            ensure!(found == expected, "job {index}: {found:?}, and not {expected:?}");
        }
        let wrong = self.queues[1].check().await?;
        ensure!(wrong.is_empty(), "{wrong:?}");
        Ok(())
    }

    async fn step(&mut self, queue: &Queue, call: &Call) -> Result<()> {
        match call {
            Call::Submit(new) => self.submit(queue, new).await,
            Call::Claim(most) => {
                let claimed = queue.claim(&WorkerName::new("w")?, *most).await?;
                let found: Vec<_> = claimed.jobs.iter().map(|job| job.lease.job()).collect();
                let expected: Vec<_> = self.model.claim(*most as usize).into_iter().map(id).collect();
                ensure!(found == expected, "{found:?}, and not {expected:?}");
                Ok(())
            }
            Call::Advance(seconds) => {
                self.clock.advance(Duration::from_secs(*seconds));
                self.model.now += seconds;
                Ok(())
            }
            Call::SetClock(by) if self.is_file && !self.model.jobs.iter().any(|job| job.state == State::Queued) => {
                // Those that wait do so for a time of the day: the model has only the other kind.
                self.clock.set(*by);
                Ok(())
            }
            Call::SetClock(_) => Ok(()),
            _ if self.model.jobs.is_empty() => Ok(()),
            Call::Cancel(pick) => {
                let index = pick % self.model.jobs.len();
                queue.cancel(id(index)).await?;
                self.model.cancel(index);
                Ok(())
            }
            Call::Retry(pick) => {
                let index = pick % self.model.jobs.len();
                ensure!(queue.retry(id(index)).await.is_ok() == self.model.retry(index));
                Ok(())
            }
            Call::Renew { pick, late } | Call::Finish { pick, late, .. } | Call::Log { pick, late, .. } => {
                let index = pick % self.model.jobs.len();
                let attempt = self.model.jobs[index].attempt.saturating_sub(u64::from(*late));
                self.write(queue, call, index, attempt).await
            }
        }
    }

    async fn submit(&mut self, queue: &Queue, new: &New) -> Result<()> {
        let mut job = Submission::new(JobName::new(format!("lane-{}", new.lane))?, "input");
        job.priority = new.priority;
        job.timeout = new.timeout.map(Duration::from_secs);
        job.not_before = Some(self.clock.read().wall.after(Duration::from_secs(new.delay)));
        job.most_attempts = NonZeroU32::new(new.most_attempts).context("zero")?;
        let submitted = queue.submit(job).await?;
        ensure!(submitted.job == id(self.model.jobs.len()), "{submitted:?}");
        self.model.submit(new.clone());
        Ok(())
    }

    /// A worker's write, which is to be refused just when the model says that the worker has no right to it.
    async fn write(&mut self, queue: &Queue, call: &Call, index: usize, attempt: u64) -> Result<()> {
        let (lease, holds) = (Lease::of(id(index), attempt), self.model.holds(index, attempt));
        let answer = match call {
            Call::Renew { .. } => queue.renew(lease).await.map(|renewed| {
                let expected = self.model.renew(index);
                let left = renewed.lasts.as_secs();
                ensure!((left, renewed.is_cancelled) == expected, "{left} {renewed:?}, and not {expected:?}");
                Ok(())
            }),
            Call::Finish { end, .. } if holds => queue.finish(lease, outcome(*end)).await.map(|state| {
                let expected = self.model.end(index, *end);
                ensure!(state == expected, "{state}, and not {expected}");
                Ok(())
            }),
            // Said again, it may be known.
            Call::Finish { .. } => return Ok(()),
            Call::Log { back, lines, .. } => {
                let first = self.model.jobs[index].lines.saturating_sub(*back);
                let line = |number| Line { stream: Stream::Log, text: format!("{}", first + number).into() };
                let lines: Vec<_> = (0..*lines as u64).map(line).collect();
                let end = (first + lines.len() as u64).max(self.model.jobs[index].lines);
                queue.append_log(lease, first, lines).await.map(|next| {
                    self.model.jobs[index].lines = end;
                    ensure!(next == end, "{next}, and not {end}");
                    Ok(())
                })
            }
            _ => return Ok(()),
        };
        match answer {
            Ok(checked) if holds => checked,
            Err(QueueError::Fenced(_)) if !holds => Ok(()),
            Err(QueueError::Full { .. }) => Ok(()),
            answer => Err(anyhow::anyhow!("holds: {holds}, {answer:?}")),
        }
    }
}

fn outcome(end: End) -> Outcome {
    match end {
        End::Succeeded => Outcome::Succeeded { result: Vec::new() },
        End::Cancelled => Outcome::Cancelled,
        End::Released => Outcome::Released,
        End::Failed(cause) => Outcome::Failed { cause, message: "why".to_owned() },
    }
}

fn id(index: usize) -> JobId {
    JobId::from_number(index as u64 + 1)
}

async fn pair(open: impl Fn(&Arc<TestClock>) -> Result<Queue>, is_file: bool) -> Result<Pair> {
    let clock = TestClock::new();
    let queues = [open(&clock)?, open(&clock)?];
    for (lane, most) in MOST.iter().enumerate() {
        queues[0].set_limit(JobName::new(format!("lane-{lane}"))?, None, NonZeroU32::new(*most)).await?;
    }
    let model = Model { most: MOST.iter().map(|most| *most as usize).collect(), ..Model::default() };
    Ok(Pair { queues, clock, model, is_file })
}

fn check(cases: u32, open: impl AsyncFn() -> Result<Pair>) -> Result<()> {
    let runtime = Runtime::new()?;
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let sequences = prop::collection::vec(call(), 1..120);
    let tried = runner.run(&sequences, |calls| {
        let tried = runtime.block_on(async { open().await?.run(&calls).await });
        tried.map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    tried.map_err(|error| anyhow::anyhow!("{error}"))
}

#[test]
fn sqlite_is_as_the_model() -> Result<()> {
    // In memory: what is tried here is not durability.
    let shm = Path::new("/dev/shm");
    let folder = if shm.is_dir() { tempfile::tempdir_in(shm)? } else { tempfile::tempdir()? };
    let count = std::cell::Cell::new(0);
    check(200, async || {
        count.set(count.get() + 1);
        let own = folder.path().join(count.get().to_string());
        std::fs::create_dir(&own)?;
        pair(|clock| place::file(&own, clock), true).await
    })
}

#[test]
fn postgres_is_as_the_model() -> Result<()> {
    let server = Postgres::start(Sync::Off)?;
    check(20, async || {
        let address = server.database()?;
        pair(|clock| place::server(&address, clock), false).await
    })
}
