//! Jobs that do nothing, from submission to result, with two workers; Celery takes turns.

use std::env;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use stead_queue::*;
use tokio::task::JoinSet;

use crate::celery::Celery;
use crate::sample::Sample;
use crate::table::Table;

/// Jobs that are submitted at once, jobs that are submitted one after the other, and how often both are done.
pub(crate) const MANY: usize = 2_000;
pub(crate) const ONE_BY_ONE: usize = 100;
const ROUNDS: usize = 5;
/// As Celery does it: how many jobs a worker holds at once.
const PREFETCH: u32 = 4;

pub(crate) async fn measure(folder: &Path) -> Result<()> {
    let celery = Celery::start(folder)?;
    let [together, apart] = [folder.join("together.sqlite"), folder.join("apart.sqlite")];
    let queue = Queue::open(&Place::File(together), Settings::default())?;
    let mut workers = JoinSet::new();
    for name in ["one", "two"] {
        workers.spawn(work(queue.clone(), WorkerName::new(name)?));
    }
    let submitter = Queue::open(&Place::File(apart.clone()), Settings::default())?;
    let _processes = [worker_of(&apart, "one")?, worker_of(&apart, "two")?];
    let mut throughput: [Vec<Duration>; 3] = Default::default();
    let mut latency: [Vec<Duration>; 3] = Default::default();
    for round in 1..=ROUNDS {
        eprintln!("Jobs that do nothing, {round} of {ROUNDS}…");
        for (index, queue) in [&queue, &submitter].into_iter().enumerate() {
            throughput[index].push(many(queue).await?);
            latency[index].extend(one_by_one(queue).await?);
        }
        throughput[2].push(celery.many()?);
        latency[2].extend(celery.one_by_one()?);
    }
    let names = ["stead, one process", "stead, submitter and two workers apart", "Celery with Redis"];
    let (mut all, mut one) = (
        Table::new(format!("{MANY} jobs that do nothing, submitted at once")),
        Table::new("One such job, from submission to result"),
    );
    for (index, name) in names.into_iter().enumerate() {
        let sample = Sample::of(std::mem::take(&mut throughput[index]))?;
        let rate = MANY as f64 / sample.median().as_secs_f64();
        all = all.row(format!("{name}: {rate:.0} a second"), sample);
        one = one.row(name, Sample::of(std::mem::take(&mut latency[index]))?);
    }
    println!("{all}\n{one}");
    for queue in [&queue, &submitter] {
        ensure!(queue.check().await?.is_empty(), "the queue is wrong");
    }
    Ok(())
}

fn job() -> Result<Submission> {
    Ok(Submission::new(JobName::new("no-op")?, "1"))
}

async fn many(queue: &Queue) -> Result<Duration> {
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..MANY {
        let (queue, job) = (queue.clone(), job()?);
        calls.spawn(async move { queue.submit(job).await });
    }
    let mut last = None;
    while let Some(done) = calls.join_next().await {
        last = last.max(Some(done??.job));
    }
    let waits = |count: &Count| !count.state.has_ended();
    let mut changes = queue.changes();
    while queue.counts().await?.iter().any(waits) {
        changes.wait().await;
    }
    let took = began.elapsed();
    let last = queue.result(last.context("none")?).await?;
    ensure!(last.as_deref() == Some(b"2"), "the last one has no result");
    Ok(took)
}

async fn one_by_one(queue: &Queue) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for _ in 0..ONE_BY_ONE {
        let began = Instant::now();
        let id = queue.submit(job()?).await?.job;
        queue.ended(id).await?;
        let result = queue.result(id).await?;
        times.push(began.elapsed());
        ensure!(result.as_deref() == Some(b"2"), "no result");
    }
    Ok(times)
}

/// One worker: what it has done is acknowledged in the same commit in which it gets more.
async fn work(queue: Queue, worker: WorkerName) -> Result<()> {
    let mut jobs = queue.next(&worker, PREFETCH).await?;
    loop {
        let mut done = JoinSet::new();
        for job in jobs.drain(..) {
            let queue = queue.clone();
            done.spawn(async move { queue.finish(job.lease, Outcome::Succeeded { result: b"2".into() }).await });
        }
        // Let the calls above take their places before the next claim takes its own.
        tokio::task::yield_now().await;
        let more = queue.claim(&worker, PREFETCH).await?;
        while let Some(done) = done.join_next().await {
            done??;
        }
        jobs = match more.jobs.is_empty() {
            true => queue.next(&worker, PREFETCH).await?,
            false => more.jobs,
        };
    }
}

pub(crate) async fn worker_process(place: &str, name: &[String]) -> Result<()> {
    let queue = Queue::open(&place.parse()?, Settings::default())?;
    work(queue, WorkerName::new(name.join(" "))?).await
}

struct Worker(Child);

fn worker_of(path: &Path, name: &str) -> Result<Worker> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("worker").arg(path).arg(name).stdin(Stdio::null());
    Ok(Worker(command.spawn()?))
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
