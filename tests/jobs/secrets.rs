//! Secrets that commands are given: they reach the command, and nothing that is kept.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use stead::job::Worker;
use stead::repo::{Identity, Repo, Secrets};
use stead::secret::Secret;
use stead_queue::State;

use crate::dies::reaches;
use crate::place::{Place, result, said, why};

pub(crate) const VALUE: &str = "correct horse battery staple";

/// Gives the repo a secret.
pub(crate) fn set(place: &Place, name: &str) -> Result<()> {
    let key = place.folder.path().join("identity");
    if !key.exists() {
        Identity::create(&key)?;
    }
    let identity = Identity::find(&[key], |_| None)?;
    let mut secrets = Secrets::open(&Repo::open(place.folder.path())?, &identity)?;
    secrets.set(name.parse()?, Secret::new(VALUE.to_owned()));
    Ok(secrets.save(&identity)?)
}

/// The files under a folder that hold the value.
pub(crate) fn holding(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(holding(&path)?);
        } else if path.is_file() && fs::read(&path)?.windows(VALUE.len()).any(|bytes| bytes == VALUE.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

/// Also for the worker that goes on after another one has died.
#[tokio::test]
async fn a_secret_reaches_its_command_and_nothing_that_is_kept() -> Result<()> {
    let place = Place::granting("secrets = [\"db-*\"]\n")?;
    set(&place, "db-password")?;
    let service = place.service()?;
    let script = "file=\"$CREDENTIALS_DIRECTORY/db-password\"; wc -c < \"$file\"; echo \"<$(cat \"$file\")>\"
        sleep 4; cat \"$file\"; env | grep -c horse";
    let input = json!({"machines": 1, "scripts": [script], "secrets": ["db-password"]});
    let job = place.submit(&service, input, &[]).await?;
    let worker = Worker::new(service.clone(), "first")?;
    // Now, intended and made, ready, names, started.
    tokio::select! {
        worked = worker.run(1) => worked?,
        () = reaches(&service.store.queue, job, 6) => {}
    }
    let service = place.service()?;
    let ended = place.work(&service, job).await?;
    ensure!(ended.state == State::Succeeded, "{}", why(&service, job).await?);
    let hidden = "*".repeat(VALUE.len());
    let lines = [VALUE.len().to_string(), format!("<{hidden}>"), format!("{hidden}0")];
    assert_eq!(said(&service, job).await?["m0/1"], lines);
    assert_eq!(result(&service, job).await?["outputs"], json!([lines.join("\n") + "\n"]));
    let kept = holding(&place.folder.path().join("state"))?;
    ensure!(kept.is_empty(), "the secret is in {kept:?}");
    let attempts = service.store.queue.attempts(job).await?;
    ensure!(attempts.len() == 2, "{attempts:?}");
    Ok(())
}

#[tokio::test]
async fn a_secret_that_is_not_granted_is_denied() -> Result<()> {
    let place = Place::granting("secrets = [\"db-*\"]\n")?;
    set(&place, "db-password")?;
    set(&place, "root-password")?;
    let service = place.service()?;
    for (name, words) in [
        ("root-password", "[policy.works.grant.vm]\nsecrets = [\"root-password\"]"),
        ("db-none", "no secret is called db-none"),
    ] {
        let input = json!({"machines": 1, "scripts": ["true"], "secrets": [name]});
        let job = place.submit(&service, input, &[]).await?;
        let ended = place.work(&service, job).await?;
        let why = why(&service, job).await?;
        ensure!(ended.state == State::Failed && why.contains(words), "{why}");
    }
    service.store.queue.check().await.context("the queue")?;
    Ok(())
}
