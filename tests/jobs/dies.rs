//! A job ends as if nothing had happened, wherever its workers die.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use stead::job::Worker;
use stead_queue::{JobId, State};
use tokio::time::sleep;

use crate::place::{Place, result, said, why};

const LINES: usize = 400;

fn input() -> serde_json::Value {
    let slow = format!("for i in $(seq {LINES}); do echo line $i; sleep 0.02; done; echo ran >> /root/ran");
    json!({"machines": 1, "scripts": [slow, "echo short; echo ran >> /root/ran"]})
}

#[tokio::test]
async fn a_job_ends_once_wherever_its_workers_die() -> Result<()> {
    let place = Place::new()?;
    let service = place.service()?;
    let job = place.submit(&service, input(), &[("tile", b"a tile\n".as_slice())]).await?;
    let mut deaths = 0;
    for entries in 1.. {
        // Another process each time.
        let service = place.service()?;
        let worker = Worker::new(service.clone(), &format!("worker-{entries}"))?;
        tokio::select! {
            worked = worker.run(1) => worked?,
            () = reaches(&service.store.queue, job, entries) => deaths += 1,
        }
        if service.store.queue.job(job).await?.state.has_ended() {
            break;
        }
    }
    ensure!(deaths > 12, "workers died {deaths} times only; {}", why(&service, job).await?);
    assert_eq!(service.store.queue.job(job).await?.state, State::Succeeded);
    let slow: Vec<_> = (1..=LINES).map(|line| format!("line {line}")).collect();
    let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let expected = json!({
        "outputs": [text(&slow), "short\n"],
        "artifacts": ["done", "result", "tile"],
        "padding": "",
        "began": null,
    });
    assert_eq!(result(&service, job).await?, expected);
    let said = said(&service, job).await?;
    assert_eq!(said["policy"], ["it begins", "it ends"]);
    assert_eq!((&said["m0/2"], &said["m0/3"]), (&slow, &vec!["short".to_owned()]));
    assert_eq!(place.containers.made(), 1, "one machine, whoever made it");
    ensure!(service.machines().await?.iter().all(|(_, left)| left.is_empty()), "a machine is left");
    let artifacts = service.store.queue.artifacts(job).await?;
    let result = artifacts.iter().find(|(_, artifact)| artifact.name.as_str() == "result");
    let path = result.map(|(_, artifact)| service.store.files.path_of(&artifact.place)).unwrap_or_default();
    assert_eq!(std::fs::read_to_string(path)?, "A TILE\n");
    Ok(())
}

/// Waits until the journal has so many entries, or the job has ended.
pub(crate) async fn reaches(queue: &stead_queue::Queue, job: JobId, entries: usize) {
    loop {
        let now = queue.job(job).await.expect("the queue");
        let there = queue.journal(job, now.run, 0, 1000).await.expect("the queue");
        if there.len() >= entries || now.state.has_ended() {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// What a policy asks must follow from its input and from what it was answered: somebody has changed it meanwhile.
#[tokio::test]
async fn a_policy_that_changes_while_it_runs_ends_the_job() -> Result<()> {
    let place = Place::new()?;
    let service = place.service()?;
    let job = place.submit(&service, json!({"seconds": 600}), &[]).await?;
    let worker = Worker::new(service.clone(), "first")?;
    tokio::select! {
        worked = worker.run(1) => worked?,
        () = reaches(&service.store.queue, job, 1) => {}
    }
    let stead = place.folder.path().join("stead.toml");
    let text = std::fs::read_to_string(&stead)?;
    std::fs::write(&stead, format!("{text}\n[policy.works.config]\ndetour = true\n"))?;
    let service = place.service()?;
    assert_eq!(place.work(&service, job).await?.state, State::Failed);
    let why = why(&service, job).await?;
    ensure!(why.starts_with("policy-error: when it was continued the policy called artifact.names where"), "{why}");
    ensure!(why.contains("it had called clock.now instead"), "{why}");
    Ok(())
}
