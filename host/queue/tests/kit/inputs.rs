//! Whatever callers and policies send is kept as it is or refused, and the queue goes on.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use stead_queue::*;
use stead_tests::postgres::{Postgres, Sync};
use tokio::runtime::Runtime;

/// What a caller and then a policy send.
#[derive(Clone, Debug)]
struct Sent {
    texts: [String; 6],
    bytes: [Vec<u8>; 4],
    priority: i32,
    times: [Option<u64>; 2],
    sequence: u64,
    permille: u16,
}

fn sent() -> impl Strategy<Value = Sent> {
    // Plain names, so that something gets in, and all that a String can be.
    let text = || prop_oneof![3 => "[a-z.-]{1,20}", 1 => any::<String>(), 1 => "\\PC{0,300}"];
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    let time = || prop::option::of(any::<u64>());
    let texts = [text(), text(), text(), text(), text(), text()];
    let numbers = (any::<i32>(), prop_oneof![3 => Just(0), 1 => any::<u64>()], any::<u16>());
    (texts, [bytes(), bytes(), bytes(), bytes()], [time(), time()], numbers).prop_map(
        |(texts, bytes, times, (priority, sequence, permille))| Sent {
            texts,
            bytes,
            times,
            priority,
            sequence,
            permille,
        },
    )
}

async fn submit(queue: &Queue, sent: &Sent) -> Result<JobId> {
    let [name, key, concurrency, ..] = &sent.texts;
    let mut job = Submission::new(JobName::new(name)?, sent.bytes[0].clone());
    job.key = Some(IdempotencyKey::new(key)?);
    job.priority = sent.priority;
    job.timeout = sent.times[0].map(Duration::from_millis);
    // Past, present or beyond the calendar: it must at least not be in the way.
    job.not_before = sent.times[1].map(|time| Timestamp::from_millis(0).after(Duration::from_millis(time)));
    job.concurrency = Some(Concurrency { key: ConcurrencyKey::new(concurrency)?, most: std::num::NonZeroU32::MAX });
    let submitted = queue.submit(job).await?;
    let found = queue.job(submitted.job).await?;
    ensure!(found.name.as_str() == name && found.key.as_ref().is_some_and(|found| found.as_str() == key));
    ensure!(queue.input(submitted.job).await? == sent.bytes[0]);
    Ok(submitted.job)
}

async fn work(queue: &Queue, sent: &Sent) -> Result<()> {
    let [.., worker, call, message] = &sent.texts;
    for job in queue.claim(&WorkerName::new(worker)?, 1).await?.jobs {
        let (lease, id) = (job.lease, job.lease.job());
        let line = |bytes: &Vec<u8>| Line { stream: Stream::Stderr, text: bytes.clone() };
        let lines: Vec<_> = sent.bytes.iter().map(line).collect();
        queue.append_log(lease, job.next_line, lines.clone()).await?;
        let found = queue.log(id, job.next_line, 100).await?;
        ensure!(found.into_iter().map(|one| one.line).eq(lines));
        let progress = Progress { permille: sent.permille, message: message.clone() };
        queue.set_progress(lease, progress).await?;
        let entry = Entry {
            sequence: sent.sequence,
            phase: Phase::Intended,
            call: CallName::new(call)?,
            request: [sent.permille.to_le_bytes()[0]; 32],
            answer: sent.bytes[1].clone(),
        };
        match queue.append_entry(lease, entry.clone()).await {
            Err(QueueError::Gap { .. } | QueueError::Diverged { .. }) => {}
            done => {
                done?;
                ensure!(
                    queue.journal(id, job.run, sent.sequence, 1).await?.first().map(|one| &one.entry) == Some(&entry)
                );
            }
        }
        let name = ArtifactName::new(call)?;
        let artifact = Artifact { name, size: sent.sequence, digest: [0; 32], place: message.clone() };
        queue.record_artifact(lease, artifact).await?;
        queue.finish(lease, Outcome::Failed { cause: Cause::PolicyError, message: message.clone() }).await?;
    }
    Ok(())
}

/// A refusal is fine; a failure of the database is not.
fn judged<T>(done: Result<T>) -> Result<()> {
    match done.map(drop).map_err(|error| error.downcast::<QueueError>()) {
        Ok(()) | Err(Ok(QueueError::Name { .. } | QueueError::KeyReused { .. })) => Ok(()),
        Err(Ok(error)) => Err(error.into()),
        Err(Err(error)) => Err(error),
    }
}

fn check(cases: u32, place: &Place) -> Result<()> {
    let runtime = Runtime::new()?;
    let queue = Queue::open(place, Settings::default())?;
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let tried = runner.run(&sent(), |sent| {
        let all = async {
            judged(submit(&queue, &sent).await)?;
            judged(work(&queue, &sent).await)
        };
        runtime.block_on(all).map_err(|error| TestCaseError::fail(format!("{error:?}")))
    });
    tried.map_err(|error| anyhow::anyhow!("{error}"))?;
    let wrong = runtime.block_on(queue.check())?;
    ensure!(wrong.is_empty(), "{wrong:?}");
    Ok(())
}

#[test]
fn sqlite_takes_any_input() -> Result<()> {
    let shm = Path::new("/dev/shm");
    let folder = if shm.is_dir() { tempfile::tempdir_in(shm)? } else { tempfile::tempdir()? };
    check(500, &Place::File(folder.path().join("queue.sqlite")))
}

#[test]
fn postgres_takes_any_input() -> Result<()> {
    let server = Postgres::start(Sync::Off)?;
    check(150, &server.database()?.parse()?)
}

proptest! {
    /// An address is read or refused, and what is said of it holds no password.
    #[test]
    fn any_address_is_read_or_refused(rest in "\\PC{0,60}") {
        let read = format!("postgres://stead:hunter2@{rest}").parse::<Place>();
        prop_assert!(!format!("{read:?}").contains("hunter2"), "{read:?}");
    }
}
