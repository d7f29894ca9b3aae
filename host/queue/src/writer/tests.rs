//! Calls that share a transaction do not share a failure.

use std::sync::Arc;

use anyhow::{Result, ensure};
use tempfile::TempDir;

use super::{Desk, Mode};
use crate::op;
use crate::sqlite::SqliteConnection;
use crate::wake::Wake;
use crate::*;

fn desk(pages: Option<i64>) -> Result<(Desk, TempDir)> {
    let (folder, settings) = (tempfile::tempdir()?, Arc::new(Settings::default()));
    let connection = SqliteConnection::open(&folder.path().join("queue.sqlite"), &settings)?;
    if let Some(pages) = pages {
        connection.limit_pages(pages)?;
    }
    Ok((Desk::start(connection, Mode::Write, settings, Arc::new(Wake::new()))?, folder))
}

async fn submit(desk: &Desk, size: usize) -> Result<Submitted, QueueError> {
    let job = Submission::new(JobName::new("predict")?, vec![b'x'; size]);
    desk.call(move |tx| op::submit(tx, &job), None).await
}

#[tokio::test]
async fn one_that_the_database_refuses_leaves_the_others_alone() -> Result<()> {
    let (desk, _folder) = desk(None)?;
    let refused = || {
        // After it has written: that must not stay.
        let job = Submission::new(JobName::new("refused")?, "input");
        let body = move |tx: &mut op::Tx<'_>| op::submit(tx, &job).and(Err::<(), _>(QueueError::Stored("for a test")));
        anyhow::Ok(desk.call(body, None))
    };
    // A slow one first, so that the rest share a transaction.
    let sleep = |_: &mut op::Tx<'_>| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        Ok(())
    };
    let slow = desk.call(sleep, None);
    let (_, one, no, other) = tokio::join!(slow, submit(&desk, 1), refused()?, submit(&desk, 1));
    ensure!(one?.is_new && other?.is_new && matches!(no, Err(QueueError::Stored(_))), "{no:?}");
    let jobs = desk.call(|tx| op::list(tx, &Filter::default(), None, 10), None).await?;
    ensure!(jobs.len() == 2 && jobs.iter().all(|job| job.name.as_str() == "predict"), "{jobs:?}");
    ensure!(desk.call(op::check, None).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_full_disk_is_told_and_loses_nothing() -> Result<()> {
    let (desk, _folder) = desk(Some(150))?;
    let (mut kept, mut refused) = (0, 0);
    for _ in 0..20 {
        match submit(&desk, 50_000).await {
            Ok(_) => kept += 1,
            Err(QueueError::Database(_)) => refused += 1,
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(kept > 2 && refused > 2, "{kept} were kept and {refused} refused");
    let jobs = desk.call(|tx| op::list(tx, &Filter::default(), None, 100), None).await?;
    ensure!(jobs.len() == kept, "{} of {kept}", jobs.len());
    ensure!(desk.call(op::check, None).await?.is_empty());
    Ok(())
}
