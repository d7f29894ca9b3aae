//! A repo with one job policy, and a service that works on it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use stead::job::{Input, Providers, Said, Service, Source, Store, Worker};
use stead::repo::Repo;
use stead_queue::{Job, JobId, JobName, Settings, Submission};
use stead_tests::policy;
use tempfile::TempDir;

use crate::provider::Containers;

const STEAD: &str = r#"
[policy.works]
component = "works.wasm"

[policy.works.limits]
cpu = "2 s"

[policy.works.grant.vm]
providers = ["containers"]
images = ["any"]
machines = 1
lifetime = "60 min"
"#;

pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) containers: Containers,
}

impl Place {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::copy(policy::component("works", "tests/jobs/policy")?, folder.path().join("works.wasm"))?;
        fs::write(folder.path().join("stead.toml"), STEAD)?;
        Ok(Self { folder, containers: Containers::default() })
    }

    /// As another process would open it.
    pub(crate) fn service(&self) -> Result<Arc<Service>> {
        let state = self.folder.path().join("state");
        // So short that a dead worker is found out at once.
        let store = Store::open_with(&state, None, Settings { lease: Duration::from_secs(2), ..Settings::default() })?;
        let provider: Arc<dyn stead_vm::provider::Provider> = Arc::new(self.containers.clone());
        let providers: Providers = BTreeMap::from([("containers".to_owned(), provider)]);
        Ok(Arc::new(Service::with(Repo::open(self.folder.path())?, &state, store, providers)?))
    }

    pub(crate) async fn submit(&self, service: &Service, input: Value, attached: &[(&str, &str)]) -> Result<JobId> {
        let mut files = BTreeMap::new();
        for (name, text) in attached {
            let path = self.folder.path().join("attached");
            fs::write(&path, text)?;
            files.insert((*name).to_owned(), service.store.files.attach(&path)?);
        }
        let input = serde_json::to_vec(&Input { input: input.to_string(), attached: files })?;
        let most_attempts = 200.try_into()?;
        let job = Submission { most_attempts, ..Submission::new(JobName::new("works")?, input) };
        Ok(service.store.queue.submit(job).await?.job)
    }

    /// Works until the job has ended.
    pub(crate) async fn work(&self, service: &Arc<Service>, job: JobId) -> Result<Job> {
        let worker = Worker::new(service.clone(), "one")?;
        let ended = async {
            let ended = service.store.queue.ended(job).await;
            worker.stop();
            ended
        };
        let (worked, ended) = tokio::join!(worker.run(1), ended);
        worked?;
        Ok(ended?)
    }
}

/// Why the last attempt came to nothing.
pub(crate) async fn why(service: &Service, job: JobId) -> Result<String> {
    let attempts = service.store.queue.attempts(job).await?;
    let ended = attempts.last().and_then(|attempt| attempt.ended.clone()).context("it has not ended")?;
    Ok(format!("{}: {}", ended.how, ended.message))
}

/// The result as JSON, without the time.
pub(crate) async fn result(service: &Service, job: JobId) -> Result<Value> {
    let result = service.store.queue.result(job).await?.context("no result")?;
    let mut result: Value = serde_json::from_slice(&result)?;
    result["began"] = json!(null);
    Ok(result)
}

/// The lines of the log by who wrote them, in order.
pub(crate) async fn said(service: &Service, job: JobId) -> Result<BTreeMap<String, Vec<String>>> {
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for logged in service.store.queue.log(job, 0, 100_000).await? {
        let line = Said::read(&logged.line).context("a line of nobody")?;
        let source = match line.source {
            Source::Policy => "policy".to_owned(),
            command => command.to_string(),
        };
        said.entry(source).or_default().push(line.text);
    }
    Ok(said)
}
