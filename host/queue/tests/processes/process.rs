//! A process that shares a queue with others, for tests that kill it.
//!
//! `queue_process PLACE LEASE submit COUNT` submits, and `queue_process PLACE LEASE work NAME SLOTS` works, under leases of so
//! many seconds. Each prints what the queue has acknowledged, and nothing else: `submitted JOB`, `claimed JOB ATTEMPT`, `logged JOB NEXT-LINE`, `finished JOB ATTEMPT`.

use std::env;
use std::time::Duration;

use anyhow::{Result, bail};
use stead_queue::*;
use tokio::task::JoinSet;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let words: Vec<_> = env::args().skip(1).collect();
    let [place, lease, role @ ..] = words.as_slice() else { bail!("PLACE LEASE ROLE") };
    let settings = Settings { lease: Duration::from_secs(lease.parse()?), ..Settings::default() };
    let queue = Queue::open(&place.parse()?, settings)?;
    match role {
        [role, count] if role == "submit" => submit(&queue, count.parse()?).await,
        [role, name, slots] if role == "work" => {
            let mut work = JoinSet::new();
            for slot in 0..slots.parse()? {
                work.spawn(slot_of(queue.clone(), WorkerName::new(format!("{name}-{slot}"))?));
            }
            while let Some(ended) = work.join_next().await {
                ended??;
            }
            Ok(())
        }
        _ => bail!("submit COUNT or work NAME SLOTS"),
    }
}

async fn submit(queue: &Queue, count: usize) -> Result<()> {
    let mut calls = JoinSet::new();
    for number in 0..count {
        // Half of the jobs share a limit.
        let name = ["limited", "free"][number % 2];
        let (queue, job) = (queue.clone(), Submission::new(JobName::new(name)?, number.to_string()));
        calls.spawn(async move { queue.submit(job).await });
        if calls.len() >= 8 {
            submitted(calls.join_next().await)?;
        }
    }
    while !calls.is_empty() {
        submitted(calls.join_next().await)?;
    }
    Ok(())
}

fn submitted(call: Option<Result<Result<Submitted, QueueError>, tokio::task::JoinError>>) -> Result<()> {
    let Some(call) = call else { return Ok(()) };
    println!("submitted {}", call??.job);
    Ok(())
}

async fn slot_of(queue: Queue, worker: WorkerName) -> Result<()> {
    loop {
        for job in queue.next(&worker, 1).await? {
            match work(&queue, &job).await {
                // This process was slow, and another one has the job.
                Err(QueueError::Fenced(_)) => {}
                done => done?,
            }
        }
    }
}

/// Two lines of log, with an entry of the journal between them.
async fn work(queue: &Queue, claimed: &Claimed) -> Result<(), QueueError> {
    let (lease, job) = (claimed.lease, claimed.lease.job());
    println!("claimed {job} {}", lease.attempt());
    for line in claimed.next_line..2 {
        let text = format!("{job}:{line}").into();
        let next = queue.append_log(lease, line, vec![Line { stream: Stream::Log, text }]).await?;
        println!("logged {job} {next}");
        if line == 0 && claimed.entries == 0 {
            let (phase, call) = (Phase::Answered, CallName::new("sleep")?);
            queue.append_entry(lease, Entry { sequence: 0, phase, call, request: [0; 32], answer: Vec::new() }).await?;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        queue.renew(lease).await?;
    }
    queue.finish(lease, Outcome::Succeeded { result: claimed.input.clone() }).await?;
    println!("finished {job} {}", lease.attempt());
    Ok(())
}
