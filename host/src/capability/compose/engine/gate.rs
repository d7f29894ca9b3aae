//! The health gate: what was started must become healthy, or stay up where it has no health check.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, HealthStatusEnum};
use bollard::query_parameters::LogsOptions;
use futures::TryStreamExt;
use futures::future::try_join_all;
use tokio::time::Instant;

use super::Up;
use super::converge::{Running, Task};
use crate::capability::ApplyError;
use crate::capability::compose::docker::Listed;
use crate::capability::compose::model::{Condition, Dependency, Service};

/// How long a container without a health check must have run before the one whose place it takes goes.
const PROOF: Duration = Duration::from_secs(1);
/// How long one must have run that takes no other's place: what cannot run at all has ended by then. Whoever wants more
/// says so, by a health check or `update_config.monitor`; that it still runs is looked at again after all steps.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_millis(100);
/// How much of its last words an error carries.
const LAST_LINES: &str = "20";
const MOST_BYTES: usize = 4096;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Dependency(Condition),
    /// Healthy, or up for a while, or ended with success.
    Proof(Proof),
}

/// How long a container must have lasted since it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Proof {
    /// One without a health check.
    unchecked: Duration,
    /// One with a health check.
    checked: Duration,
}

impl Proof {
    fn of(service: Option<&Service>, otherwise: Duration) -> Self {
        let update = service.and_then(|service| service.deploy.update_config.as_ref());
        let monitor = update.and_then(|update| update.monitor);
        Self { unchecked: monitor.unwrap_or(otherwise), checked: monitor.unwrap_or_default() }
    }
}

/// How a container is doing.
enum Standing {
    Good,
    Ended,
    NotYet,
    Bad(String),
}

impl Up<'_> {
    /// Waits until what a service depends on is as it asks.
    pub(super) async fn await_dependencies(&self, service: &Service) -> Result<(), ApplyError> {
        let conditional = |dependency: &&Dependency| dependency.condition != Condition::Started;
        let depends_on = service.depends_on.iter().filter(|(_, dependency)| conditional(dependency));
        let waited = depends_on.map(|(other, dependency)| async move {
            let listed = self.listed().await?;
            let of_it = listed.into_iter().filter(|listed| &listed.container.service == other);
            let waits = of_it.map(|Listed { id, name, .. }| async move {
                self.wait(&id, &name, other, Awaited::Dependency(dependency.condition), Instant::now()).await
            });
            match try_join_all(waits).await {
                Err(_) if !dependency.required => Ok(()),
                waited => waited.map(drop),
            }
        });
        try_join_all(waited).await.map(drop)
    }

    /// Waits until a container that takes the place of another one has proved itself.
    pub(super) async fn prove(&self, id: &str, name: &str, task: Task<'_>) -> Result<(), ApplyError> {
        let proof = Awaited::Proof(Proof::of(Some(task.service), PROOF));
        self.wait(id, name, task.name, proof, Instant::now()).await.map(drop)
    }

    /// Waits until everything that was started has proved itself; answers with the services that ended with success.
    pub(super) async fn gate(&self, started: &BTreeMap<&str, Vec<Running>>) -> Result<BTreeSet<String>, ApplyError> {
        let mut waits = Vec::new();
        for (service, running) in started.iter().flat_map(|(service, all)| all.iter().map(|one| (*service, one))) {
            let Some(since) = running.started else { continue };
            let proof = Awaited::Proof(Proof::of(self.model.services.get(service), FIRST_LOOK));
            waits.push(async move {
                let ended = self.wait(&running.id, &running.name, service, proof, since).await?;
                Ok::<_, ApplyError>(ended.then(|| service.to_owned()))
            });
        }
        Ok(self.work.all(waits).await?.into_iter().flatten().collect())
    }

    /// Waits for one container that was started, the last time, at `since`; answers whether it ended, with success.
    async fn wait(
        &self,
        id: &str,
        name: &str,
        service: &str,
        awaited: Awaited,
        mut since: Instant,
    ) -> Result<bool, ApplyError> {
        let begun = Instant::now();
        let mut limit = self.timeout();
        let mut seen = None;
        if let Awaited::Proof(proof) = awaited {
            tokio::time::sleep_until(since + proof.unchecked.min(PAUSE)).await;
            limit = limit.max(proof.unchecked);
        }
        loop {
            let found =
                self.docker.inspect_container(id, None).await.map_err(self.failed(format!("inspect {name}")))?;
            limit = limit.max(first_probe(&found));
            let started_at = found.state.as_ref().and_then(|state| state.started_at.clone());
            if seen.as_ref() != Some(&started_at) {
                // When Docker restarted it, nobody knows how long ago.
                since = if seen.is_some() || is_restarted(&found) { Instant::now() } else { since };
                seen = Some(started_at);
            }
            let why = match standing(&found, awaited, since.elapsed()) {
                Standing::Good => return Ok(false),
                Standing::Ended => return Ok(true),
                Standing::Bad(why) => why,
                Standing::NotYet if begun.elapsed() >= limit => {
                    format!("was not {} within {} s", aim(&found, awaited), limit.as_secs())
                }
                Standing::NotYet if self.work.is_halted() => "was no longer waited for".to_owned(),
                Standing::NotYet => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            return Err(self.unhealthy(&found, name, service, &why).await);
        }
    }

    async fn unhealthy(&self, found: &ContainerInspectResponse, name: &str, service: &str, why: &str) -> ApplyError {
        let mut reason = format!("container {name} {why}");
        if let Some(probe) = last_probe(found) {
            reason.push_str(&format!("; its health check said: {}", probe.trim()));
        }
        let words = self.last_words(found.id.as_deref().unwrap_or(name)).await;
        if !words.trim().is_empty() {
            reason.push_str(&format!("; its last lines:\n{}", words.trim_end()));
        }
        let resource = format!("compose {}, service {service}", self.project);
        ApplyError::Unhealthy { resource, reason: self.variables.hide(&reason) }
    }

    async fn last_words(&self, id: &str) -> String {
        let options = LogsOptions { stdout: true, stderr: true, tail: LAST_LINES.to_owned(), ..LogsOptions::default() };
        let lines: Vec<_> = self.docker.logs(id, Some(options)).try_collect().await.unwrap_or_default();
        let words: String = lines.iter().map(ToString::to_string).collect();
        tail(&words).to_owned()
    }
}

fn standing(found: &ContainerInspectResponse, awaited: Awaited, lasts: Duration) -> Standing {
    let none = ContainerState::default();
    let state = found.state.as_ref().unwrap_or(&none);
    let health = state.health.as_ref().and_then(|health| health.status);
    let checked = !matches!(health, None | Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY));
    let needed = match awaited {
        Awaited::Proof(proof) if checked => proof.checked,
        Awaited::Proof(proof) if is_restarted(found) => proof.unchecked.max(PROOF),
        Awaited::Proof(proof) => proof.unchecked,
        Awaited::Dependency(_) => Duration::ZERO,
    };
    let lasted = lasts >= needed;
    match (state.status, awaited) {
        (Some(ContainerStateStatusEnum::RUNNING), Awaited::Dependency(Condition::Started)) => Standing::Good,
        (Some(ContainerStateStatusEnum::RUNNING), Awaited::Dependency(Condition::Completed)) => Standing::NotYet,
        (Some(ContainerStateStatusEnum::RUNNING), Awaited::Dependency(Condition::Healthy)) if !checked => {
            Standing::Bad("has no health check, and a service waits for it to be healthy".to_owned())
        }
        (Some(ContainerStateStatusEnum::RUNNING), _) if checked => match health {
            Some(HealthStatusEnum::HEALTHY) if lasted => Standing::Good,
            Some(HealthStatusEnum::UNHEALTHY) => Standing::Bad("is unhealthy".to_owned()),
            _ => Standing::NotYet,
        },
        (Some(ContainerStateStatusEnum::RUNNING), _) if lasted => Standing::Good,
        (Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD), awaited) => ended(state, awaited),
        // One that Docker restarts again and again never lasts, so its time runs out.
        _ => Standing::NotYet,
    }
}

fn is_restarted(found: &ContainerInspectResponse) -> bool {
    found.restart_count.is_some_and(|count| count > 0)
}

fn ended(state: &ContainerState, awaited: Awaited) -> Standing {
    let code = state.exit_code.unwrap_or_default();
    match awaited {
        Awaited::Dependency(Condition::Healthy) => Standing::Bad(format!("ended with exit code {code}")),
        _ if code == 0 => Standing::Ended,
        _ if state.oom_killed == Some(true) => Standing::Bad(
            "was killed for want of memory: give it more by `mem_limit` or `deploy.resources.limits.memory`".to_owned(),
        ),
        _ => Standing::Bad(format!("ended with exit code {code}")),
    }
}

fn aim(found: &ContainerInspectResponse, awaited: Awaited) -> &'static str {
    let checked = found.state.as_ref().is_some_and(|state| state.health.is_some());
    match awaited {
        Awaited::Dependency(Condition::Completed) => "done",
        _ if checked => "healthy",
        _ => "up",
    }
}

/// How long the answer of the first probe may take: nobody is healthy before.
fn first_probe(found: &ContainerInspectResponse) -> Duration {
    let check = found.config.as_ref().and_then(|config| config.healthcheck.as_ref());
    let nanoseconds = check.map_or(0, |check| check.interval.unwrap_or(0).saturating_add(check.timeout.unwrap_or(0)));
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or_default()) + PROOF
}

fn last_probe(found: &ContainerInspectResponse) -> Option<String> {
    let health = found.state.as_ref()?.health.as_ref()?;
    let output = health.log.as_ref()?.last()?.output.as_deref()?;
    Some(tail(output).to_owned())
}

/// The end of a text, at the boundary of a character.
pub(in crate::capability::compose) fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(MOST_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}
