//! What happens when callers go away, connections break, and files are not what they should be.

use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::pin::pin;
use std::process::Command;
use std::task::{Context as Waking, Waker};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_queue::*;
use stead_tests::postgres::{Postgres, Sync};

use crate::Process;

const LEASE: Duration = Duration::from_secs(30);

fn job() -> Result<Submission> {
    Ok(Submission::new(JobName::new("predict")?, "input"))
}

#[tokio::test]
async fn a_claim_that_nobody_awaits_any_more_goes_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let queue = Queue::open(&Place::File(folder.path().join("queue.sqlite")), Settings::default())?;
    let id = queue.submit(job()?).await?.job;
    let worker = WorkerName::new("w")?;
    // Before it was answered, and after.
    for pause in [0, 300] {
        {
            let claim = pin!(queue.claim(&worker, 1));
            ensure!(claim.poll(&mut Waking::from_waker(Waker::noop())).is_pending());
            thread::sleep(Duration::from_millis(pause));
        }
        let claimed = tokio::time::timeout(Duration::from_secs(10), queue.next(&worker, 1)).await??;
        ensure!(claimed.first().map(|job| job.lease.job()) == Some(id), "{claimed:?}");
        ensure!(queue.job(id).await?.tries == 1);
        for job in claimed {
            queue.finish(job.lease, Outcome::Released).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_that_breaks_is_opened_anew() -> Result<()> {
    let server = Postgres::start(Sync::Off)?;
    let queue = Queue::open(&server.database()?.parse()?, Settings::default())?;
    let before = queue.submit(job()?).await?.job;
    for _ in 0..3 {
        server.cut_connections()?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        queue.submit(job()?).await?;
        ensure!(queue.job(before).await?.state == State::Queued);
    }
    ensure!(queue.list(Filter::default(), None, 10).await?.len() == 4);
    ensure!(queue.check().await?.is_empty());
    Ok(())
}

/// A process that is stopped in the midst of a transaction holds the one lock of all that write.
#[tokio::test]
async fn a_process_that_stands_still_does_not_stop_the_others() -> Result<()> {
    let (server, folder) = (Postgres::start(Sync::Off)?, tempfile::tempdir()?);
    let address = server.database()?;
    let queue = Queue::open(&address.parse()?, Settings::default())?;
    for round in 0..3 {
        let process = Process::start(&address, LEASE, &["submit", "100000"], &folder.path().join(format!("{round}")))?;
        while queue.counts().await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(100 + 7 * round)).await;
        ensure!(Command::new("kill").args(["-s", "STOP", &process.child.id().to_string()]).status()?.success());
        tokio::time::timeout(Duration::from_secs(20), queue.submit(job()?)).await??;
    }
    Ok(())
}

#[test]
fn processes_that_open_a_new_queue_at_once_do_not_disturb_each_other() -> Result<()> {
    let (server, folder) = (Postgres::start(Sync::Off)?, tempfile::tempdir()?);
    for place in [Place::File(folder.path().join("queue.sqlite")), server.database()?.parse()?] {
        let open = || Queue::open(&place, Settings::default()).map(drop);
        thread::scope(|scope| {
            let opened: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            opened.into_iter().try_for_each(|one| one.join().unwrap_or(Err(QueueError::Closed)))
        })?;
    }
    Ok(())
}

#[test]
fn a_queue_of_a_later_version_is_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("queue.sqlite");
    drop(Queue::open(&Place::File(path.clone()), Settings::default())?);
    let mode = std::fs::metadata(&path)?.permissions().mode();
    ensure!(mode & 0o077 == 0, "others may read it: {mode:o}");
    rusqlite::Connection::open(&path)?.pragma_update(None, "user_version", 1000)?;
    let opened = Queue::open(&Place::File(path), Settings::default());
    ensure!(matches!(opened, Err(QueueError::Newer { found: 1000, .. })), "{opened:?}");
    Ok(())
}

#[test]
fn what_cannot_be_opened_says_why_and_no_secret() -> Result<()> {
    let missing = Queue::open(&Place::File("/nonexistent/queue.sqlite".into()), Settings::default());
    ensure!(matches!(missing, Err(QueueError::Open { .. })), "{missing:?}");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("queue.sqlite");
    std::fs::write(&path, "not a database, but a text that is long enough to be taken for one".repeat(100))?;
    let opened = Queue::open(&Place::File(path), Settings::default());
    ensure!(matches!(opened, Err(QueueError::Open { .. } | QueueError::Database(_))), "{opened:?}");
    let place: Place = "postgres://stead:hunter2@127.0.0.1:1/queue".parse()?;
    let opened = Queue::open(&place, Settings::default());
    ensure!(matches!(opened, Err(QueueError::Connect(_))), "{opened:?}");
    for said in [format!("{place:?}"), format!("{opened:?}")] {
        ensure!(!said.contains("hunter2"), "{said}");
    }
    let wrong = "postgres://stead:hunter2@[::/queue".parse::<Place>();
    ensure!(wrong.is_err() && !format!("{wrong:?}").contains("hunter2"), "{wrong:?}");
    Ok(())
}
