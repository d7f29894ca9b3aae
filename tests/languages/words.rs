//! The job `words`, which is the same program in every language.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead::policy::job::{JobEnd, JobError};

use crate::door::{Done, Record};
use crate::guest::Guest;

async fn run(guest: &Guest, lost: bool) -> Result<(JobEnd, Done)> {
    let done: Arc<Mutex<Done>> = Arc::default();
    let input = json!({ "image": "any", "files": ["a.txt", "ü☃ \"b\""] }).to_string();
    let ended = guest.run_job(&input, Box::new(Record { done: done.clone(), lost })).await;
    let ended = ended.map_err(|error| match error {
        JobError::Policy(error) => anyhow::anyhow!("{error}"),
        JobError::Closed => anyhow::anyhow!("closed"),
    })?;
    let done = done.lock().unwrap().clone();
    Ok((ended, done))
}

pub(crate) async fn calls_and_result_are_the_same(guest: &Guest, measure: &Guest) -> Result<()> {
    let ((ours, did), (theirs, expected)) = (run(guest, false).await?, run(measure, false).await?);
    ensure!(expected.calls.len() == 11, "{expected:?}");
    assert_eq!(did, expected);
    let result = |end: &JobEnd| match end {
        JobEnd::Done(result) => serde_json::from_str::<Value>(result).context("no JSON"),
        JobEnd::Failed { message, .. } => anyhow::bail!("{message}"),
    };
    assert_eq!(result(&ours)?, result(&theirs)?);
    assert_eq!(result(&ours)?.get("total"), Some(&json!(6)));
    Ok(())
}

/// What the job does and answers.
pub(crate) async fn everything(guest: &Guest) -> Result<Value> {
    let (ended, done) = run(guest, false).await?;
    let JobEnd::Done(result) = ended else { anyhow::bail!("{ended:?}") };
    let result: Value = serde_json::from_str(&result)?;
    Ok(json!({ "result": result, "calls": done.calls.len(), "said": done.said, "progress": done.progress }))
}

pub(crate) async fn a_lost_machine_is_worth_another_attempt(guest: &Guest) -> Result<()> {
    let (ended, _) = run(guest, true).await?;
    let JobEnd::Failed { message, retry: true, .. } = &ended else { anyhow::bail!("{ended:?}") };
    assert_eq!(message, "the machine is gone ☃");
    Ok(())
}
