//! A repo with one job policy, and a service that works on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use stead::job::{Input, Providers, Said, Service, Source, Store, Worker};
use stead::repo::Repo;
use stead_queue::{Backoff, Job, JobId, JobName, RetryPolicy, Settings, Submission};
use stead_tests::policy;
use tempfile::TempDir;

use crate::provider::Containers;

const STEAD: &str = r#"
[policy.works]
component = "works.wasm"

[policy.works.limits]
cpu = "2 s"

[policy.works.grant.http]
@HTTP@
[policy.works.grant.vm]
providers = ["containers"]
images = ["any"]
machines = 1
lifetime = "60 min"
"#;

/// What it may ask: servers of this machine.
pub(crate) const HTTP: &str = r#"hosts = ["127.0.0.1:*", "localhost:*", "[[]::1[]]:*"]
private = true
"#;

pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) containers: Containers,
    /// Where Docker is.
    pub(crate) root: Option<PathBuf>,
    policy: &'static str,
}

impl Place {
    pub(crate) fn new() -> Result<Self> {
        Self::granting("")
    }

    /// With another policy, or other grants.
    pub(crate) fn with(policy: &'static str, source: &str, stead: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::copy(policy::component(policy, source)?, folder.path().join(format!("{policy}.wasm")))?;
        fs::write(folder.path().join("stead.toml"), stead)?;
        Ok(Self { folder, containers: Containers::default(), root: None, policy })
    }

    /// The policy of [`Place::new`] with more lines in its grant `vm`.
    pub(crate) fn granting(more: &str) -> Result<Self> {
        Self::with("works", "tests/jobs/policy", &(STEAD.replace("@HTTP@", HTTP) + more))
    }

    /// The same with other lines in its grant `http`.
    pub(crate) fn with_http(lines: &str) -> Result<Self> {
        Self::with("works", "tests/jobs/policy", &STEAD.replace("@HTTP@", lines))
    }

    /// As another process would open it.
    pub(crate) fn service(&self) -> Result<Arc<Service>> {
        let state = self.folder.path().join("state");
        let store = Store::open_with(&state, None, settings())?;
        let provider: Arc<dyn stead_vm::provider::Provider> = Arc::new(self.containers.clone());
        let providers: Providers = BTreeMap::from([("containers".to_owned(), provider)]);
        let service = Service::with(Repo::open(self.folder.path())?, &state, store, providers)?;
        let service = service.with_identities(vec![self.folder.path().join("identity")]);
        Ok(Arc::new(match &self.root {
            Some(root) => service.with_root(root.clone()),
            None => service,
        }))
    }

    pub(crate) async fn submit(&self, service: &Service, input: Value, attached: &[(&str, &[u8])]) -> Result<JobId> {
        let mut files = BTreeMap::new();
        for (name, content) in attached {
            let path = self.folder.path().join("attached");
            fs::write(&path, content)?;
            let digest = service.store.files.attach(&path)?;
            service.store.share(&digest).await?;
            files.insert((*name).to_owned(), digest);
        }
        let input = serde_json::to_vec(&Input { input: input.to_string(), attached: files })?;
        let most_attempts = 200.try_into()?;
        let job = Submission { most_attempts, ..Submission::new(JobName::new(self.policy)?, input) };
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

/// Leases that end soon after a worker has died, and pauses that a test can wait for.
pub(crate) fn settings() -> Settings {
    let second = Duration::from_secs(1);
    let pause = Some(Backoff { jitter: 0.0, ..Backoff::new(second, 1.0, second) });
    let retry = RetryPolicy { vm_lost: pause, no_capacity: pause, temporary: pause, ..RetryPolicy::default() };
    Settings { lease: 2 * second, retry, ..Settings::default() }
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
