//! The job `words`, which is the same program in every language.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead::policy::job::{Answer, Ended, Failure, JobEnd, JobError, Outcome};

use crate::door::{Done, Script};
use crate::guest::Guest;

async fn run(guest: &Guest, lost: bool) -> Result<(JobEnd, Done)> {
    let counted = || Answer::Ended(Ended { outcome: Outcome::Exited(0), output: "3\n".to_owned() });
    let gone = Answer::Failed(Failure::Lost("the machine is gone ☃".to_owned()));
    let script = Script::new([
        ("clock.now", vec![Answer::Text("2026-11-26T12:00:00Z".to_owned())]),
        ("vm.start", if lost { vec![gone] } else { vec![Answer::Number(7), Answer::Number(7)] }),
        ("vm.wait", vec![counted(), counted()]),
    ]);
    let input = json!({ "image": "any", "files": ["a.txt", "ü☃ \"b\""] });
    guest.run_job(&input, &json!({}), script).await.map_err(said)
}

pub(crate) fn said(error: JobError) -> anyhow::Error {
    match error {
        JobError::Policy(error) => anyhow::anyhow!("{error}"),
        JobError::Closed => anyhow::anyhow!("closed"),
    }
}

pub(crate) async fn calls_and_result_are_the_same(guest: &Guest, measure: &Guest) -> Result<()> {
    let ((ours, did), (theirs, expected)) = (run(guest, false).await?, run(measure, false).await?);
    ensure!(expected.calls.len() == 11, "{expected:?}");
    assert_eq!(did, expected);
    assert_eq!(result(&ours)?, result(&theirs)?);
    assert_eq!(result(&ours)?.get("total"), Some(&json!(6)));
    Ok(())
}

/// The result of a job that has one.
pub(crate) fn result(end: &JobEnd) -> Result<Value> {
    match end {
        JobEnd::Done(result) => serde_json::from_str::<Value>(result).context("no JSON"),
        JobEnd::Failed { message, .. } => anyhow::bail!("{message}"),
    }
}

/// What the job does and answers.
pub(crate) async fn everything(guest: &Guest) -> Result<Value> {
    let (ended, done) = run(guest, false).await?;
    let said: Vec<_> = done.said.into_iter().map(|(_, message)| message).collect();
    Ok(json!({ "result": result(&ended)?, "calls": done.calls.len(), "said": said, "progress": done.progress }))
}

pub(crate) async fn a_lost_machine_is_worth_another_attempt(guest: &Guest) -> Result<()> {
    let (ended, _) = run(guest, true).await?;
    let JobEnd::Failed { message, retry: true, .. } = &ended else { anyhow::bail!("{ended:?}") };
    assert_eq!(message, "the machine is gone ☃");
    Ok(())
}
