//! What a submission and a claim cost, as more and more jobs wait.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use stead_queue::*;
use tokio::task::JoinSet;

use crate::sample::Sample;
use crate::table::Table;

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Calls that are timed at each size, and of the shared kind, how many callers make them.
const CALLS: usize = 300;
const CALLERS: usize = 64;
const INPUT: [u8; 200] = [b'x'; 200];

pub(crate) async fn measure(database: &str, place: &Place) -> Result<()> {
    // As a server among several.
    let server = matches!(place, Place::Server(_)).then(|| "one".to_owned());
    let queue = Queue::open(place, Settings { lease: Duration::from_secs(3600), server, ..Settings::default() })?;
    // Half of what waits has no room: a claim has to pass it by.
    queue.set_limit(JobName::new("full")?, None, NonZeroU32::new(1)).await?;
    queue.submit(Submission::new(JobName::new("full")?, INPUT)).await?;
    queue.claim(&WorkerName::new("holder")?, 1).await?;
    let title = |what: &str| Table::new(format!("{database}: {what}"));
    let (mut submits, mut claims) = (title("one submission, with as many jobs queued"), title("one claim"));
    let (mut shared_submits, mut shared_claims) = (
        title(&format!("a submission of {CALLERS} callers at once, each")),
        title(&format!("a claim of {CALLERS} callers at once, each")),
    );
    let mut queued = 0;
    for size in SIZES {
        let began = Instant::now();
        fill(&queue, size - queued).await?;
        queued = size;
        eprintln!("{database}: {size} queued after {:?} more", began.elapsed());
        let name = format!("{size} queued");
        submits = submits.row(&name, one_by_one(|| submit(&queue, 0)).await?);
        claims = claims.row(&name, one_by_one(|| claim(&queue)).await?);
        shared_submits =
            shared_submits.row(&name, shared(&queue, |queue| async move { submit(&queue, 0).await }).await?);
        shared_claims = shared_claims.row(&name, shared(&queue, |queue| async move { claim(&queue).await }).await?);
        looks(&queue, size).await?;
    }
    for table in [submits, claims, shared_submits, shared_claims] {
        println!("{table}");
    }
    let wrong = queue.check().await?;
    ensure!(wrong.is_empty(), "{wrong:?}");
    Ok(())
}

async fn submit(queue: &Queue, number: usize) -> Result<()> {
    let mut job = Submission::new(JobName::new(["free", "full"][number % 2])?, INPUT);
    job.priority = i32::try_from(number % 5)?;
    queue.submit(job).await.map(drop).map_err(Into::into)
}

async fn claim(queue: &Queue) -> Result<()> {
    let claim = queue.claim(&WorkerName::new("worker")?, 1).await?;
    ensure!(claim.jobs.len() == 1, "nothing to claim");
    Ok(())
}

async fn fill(queue: &Queue, jobs: usize) -> Result<()> {
    let mut callers = JoinSet::new();
    for caller in 0..256 {
        let queue = queue.clone();
        callers.spawn(async move {
            for number in (caller..jobs).step_by(256) {
                submit(&queue, number).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(())
}

async fn one_by_one(mut call: impl AsyncFnMut() -> Result<()>) -> Result<Sample> {
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let began = Instant::now();
        call().await?;
        times.push(began.elapsed());
    }
    Sample::of(times)
}

/// The time of each round of all callers, by how many they are.
async fn shared<F: Future<Output = Result<()>> + Send + 'static>(
    queue: &Queue,
    call: fn(Queue) -> F,
) -> Result<Sample> {
    let mut times = Vec::new();
    for _ in 0..CALLS / 10 {
        let began = Instant::now();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(call(queue.clone()));
        }
        while let Some(done) = callers.join_next().await {
            done??;
        }
        times.push(began.elapsed() / u32::try_from(CALLERS)?);
    }
    Sample::of(times)
}

async fn looks(queue: &Queue, size: usize) -> Result<()> {
    let began = Instant::now();
    queue.counts().await?;
    let counted = began.elapsed();
    let filter = Filter { name: Some(JobName::new("free")?), state: Some(State::Running) };
    queue.list(filter, None, 50).await?;
    eprintln!("{size} queued: counts {counted:?}, a list of 50 {:?}", began.elapsed() - counted);
    Ok(())
}
