//! Many workers in many processes, some of which are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use stead_queue::*;
use stead_tests::postgres::{Postgres, Sync};

use crate::{PATIENCE, Process};

const LIMIT: u32 = 3;
/// Leases that no busy machine lets run out, and leases of the dead.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(1);

async fn opened(place: &str, lease: Duration) -> Result<Queue> {
    let queue = Queue::open(&place.parse()?, Settings { lease, ..Settings::default() })?;
    queue.set_limit(JobName::new("limited")?, None, NonZeroU32::new(LIMIT)).await?;
    Ok(queue)
}

/// Waits until no job waits or runs any more.
async fn ended(queue: &Queue) -> Result<()> {
    let since = Instant::now();
    while queue.counts().await?.iter().any(|count| !count.state.has_ended()) {
        ensure!(since.elapsed() < PATIENCE, "{:?}", queue.counts().await?);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// All jobs, with their attempts.
async fn all(queue: &Queue) -> Result<Vec<(Job, Vec<Attempt>)>> {
    let mut all = Vec::new();
    for job in queue.list(Filter::default(), None, 10_000).await? {
        let attempts = queue.attempts(job.id).await?;
        all.push((job, attempts));
    }
    Ok(all)
}

/// The most attempts of one name that were under way at the same time.
fn most_at_once(jobs: &[(Job, Vec<Attempt>)], name: &str) -> Result<i32> {
    let mut changes = Vec::new();
    for (_, attempts) in jobs.iter().filter(|(job, _)| job.name.as_str() == name) {
        for attempt in attempts {
            changes.push((attempt.started, 1));
            changes.push((attempt.ended.as_ref().context("it runs")?.at, -1));
        }
    }
    // Of one millisecond, ends come first: which came first is not recorded.
    changes.sort();
    let mut running = 0;
    Ok(changes
        .iter()
        .map(|(_, change)| {
            running += change;
            running
        })
        .max()
        .unwrap_or_default())
}

async fn several_processes(place: &str, folder: &Path) -> Result<()> {
    let queue = opened(place, LONG).await?;
    Process::start(place, LONG, &["submit", "300"], &folder.join("submitter"))?.wait()?;
    let mut workers = Vec::new();
    for name in ["one", "two", "three", "four"] {
        workers.push(Process::start(place, LONG, &["work", name, "4"], &folder.join(name))?);
    }
    ended(&queue).await?;
    let jobs = all(&queue).await?;
    let mut names = BTreeSet::new();
    for (job, attempts) in &jobs {
        ensure!(job.state == State::Succeeded, "{job:?}");
        let [attempt] = attempts.as_slice() else { bail!("{job:?} was claimed more than once: {attempts:?}") };
        names.insert(attempt.worker.as_str().split('-').next().map(str::to_owned));
    }
    ensure!(jobs.len() == 300 && names.len() > 1, "{} jobs by {names:?}", jobs.len());
    let most = most_at_once(&jobs, "limited")?;
    ensure!(most == LIMIT.cast_signed(), "{most} at once");
    ensure!(queue.check().await?.is_empty());
    Ok(())
}

/// What the processes were told, by job: the highest number of each kind.
fn acknowledged(folder: &Path) -> Result<BTreeMap<(String, u64), u64>> {
    let mut told = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some() {
            continue;
        }
        for line in fs::read_to_string(path)?.lines() {
            let words: Vec<_> = line.split(' ').collect();
            let [kind, job, rest @ ..] = words.as_slice() else { continue };
            let number = rest.first().map_or(Ok(0), |number| number.parse())?;
            let known = told.entry(((*kind).to_owned(), job.parse()?)).or_insert(number);
            *known = number.max(*known);
        }
    }
    Ok(told)
}

async fn kills(place: &str, folder: &Path) -> Result<()> {
    let queue = opened(place, SHORT).await?;
    for round in 0..12_u64 {
        let said = |name: &str| folder.join(format!("{name}{round}"));
        let mut submitter = Process::start(place, SHORT, &["submit", "10000"], &said("submitter"))?;
        let mut worker = Process::start(place, SHORT, &["work", "doomed", "4"], &said("doomed"))?;
        submitter.said(10)?;
        worker.said(10)?;
        tokio::time::sleep(Duration::from_millis(7 * round)).await;
        worker.kill()?;
        submitter.kill()?;
    }
    let _heirs = [
        Process::start(place, SHORT, &["work", "heir", "8"], &folder.join("heir"))?,
        Process::start(place, SHORT, &["work", "other-heir", "8"], &folder.join("other-heir"))?,
    ];
    ended(&queue).await?;
    let told = acknowledged(folder)?;
    let count = |wanted: &str| told.keys().filter(|(kind, _)| kind == wanted).count();
    ensure!(count("submitted") > 20 && count("finished") > 20, "too little happened: {}", count("submitted"));
    let jobs: BTreeMap<_, _> = all(&queue).await?.into_iter().map(|(job, all)| (job.id.number(), (job, all))).collect();
    for ((kind, id), number) in &told {
        let (job, attempts) = jobs.get(id).with_context(|| format!("job {id} was {kind} and is lost"))?;
        match kind.as_str() {
            "claimed" => ensure!(attempts.len() as u64 >= *number, "{job:?}"),
            "logged" => ensure!(job.next_line >= *number, "{job:?}"),
            "finished" => ensure!(job.state == State::Succeeded && job.attempt == *number, "{job:?}"),
            _ => {}
        }
    }
    for (job, attempts) in jobs.values() {
        let done = attempts.iter().filter(|one| one.ended.as_ref().is_some_and(|end| end.how == Ending::Succeeded));
        ensure!((job.state == State::Succeeded) == (done.count() == 1), "{job:?} {attempts:?}");
        let lines = queue.log(job.id, 0, 10).await?;
        let expected: Vec<_> = (0..job.next_line).map(|line| format!("{}:{line}", job.id).into_bytes()).collect();
        ensure!(lines.into_iter().map(|line| line.line.text).collect::<Vec<_>>() == expected, "{job:?}");
    }
    ensure!(queue.check().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn sqlite_gives_each_job_to_one_process() -> Result<()> {
    let folder = tempfile::tempdir()?;
    several_processes(&folder.path().join("queue.sqlite").to_string_lossy(), folder.path()).await
}

#[tokio::test]
async fn postgres_gives_each_job_to_one_process() -> Result<()> {
    let (server, folder) = (Postgres::start(Sync::Off)?, tempfile::tempdir()?);
    several_processes(&server.database()?, folder.path()).await
}

#[tokio::test]
async fn sqlite_loses_nothing_when_processes_are_killed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    kills(&folder.path().join("queue.sqlite").to_string_lossy(), folder.path()).await
}

#[tokio::test]
async fn postgres_loses_nothing_when_processes_are_killed() -> Result<()> {
    let (server, folder) = (Postgres::start(Sync::Off)?, tempfile::tempdir()?);
    kills(&server.database()?, folder.path()).await
}
