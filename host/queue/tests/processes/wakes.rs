//! Who waits for a job gets it soon after it was submitted, wherever that was.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use stead_queue::*;
use stead_tests::postgres::{Postgres, Sync};
use tokio::time::{sleep, timeout};

/// Well below the time after which a queue looks by itself.
const SOON: Duration = Duration::from_secs(2);

/// What waits is one queue, and what submits another one: as in two processes, or twice the same.
async fn wakes(waiting: &Queue, other: &Queue) -> Result<Duration> {
    let (waiter, name) = (waiting.clone(), WorkerName::new("w")?);
    let worker = tokio::spawn(async move { waiter.next(&name, 1).await });
    let mut changes = waiting.changes();
    sleep(Duration::from_millis(300)).await;
    let since = Instant::now();
    let submitted = other.submit(Submission::new(JobName::new("predict")?, "input")).await?;
    let claimed = timeout(SOON, worker).await???;
    let took = since.elapsed();
    ensure!(claimed.first().map(|job| job.lease.job()) == Some(submitted.job), "{claimed:?}");
    timeout(SOON, changes.wait()).await?;
    // A worker learns at once that its job is to be cancelled.
    while timeout(Duration::from_millis(300), changes.wait()).await.is_ok() {}
    other.cancel(submitted.job).await?;
    timeout(SOON, changes.wait()).await?;
    for job in claimed {
        ensure!(waiting.renew(job.lease).await?.is_cancelled);
        ensure!(waiting.finish(job.lease, Outcome::Cancelled).await? == State::Cancelled);
    }
    Ok(took)
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = Place::File(folder.path().join("queue.sqlite"));
    let [one, other] = [Queue::open(&place, Settings::default())?, Queue::open(&place, Settings::default())?];
    eprintln!("within a process {:?}, across two {:?}", wakes(&one, &one).await?, wakes(&one, &other).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() -> Result<()> {
    let server = Postgres::start(Sync::Off)?;
    let place = server.database()?.parse()?;
    let [one, other] = [Queue::open(&place, Settings::default())?, Queue::open(&place, Settings::default())?];
    eprintln!("within a process {:?}, across two {:?}", wakes(&one, &one).await?, wakes(&one, &other).await?);
    // Also after all connections were cut, the one that listens among them.
    server.cut_connections()?;
    sleep(Duration::from_secs(2)).await;
    wakes(&one, &other).await.map(drop)
}
