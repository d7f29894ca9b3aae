//! The health gate of a stack: what was made or changed must run, as the swarm itself judges.
//!
//! A task with a health check counts as running when it is healthy. The swarm tries again and again; a service whose
//! tasks fail twice has had its chance.

use std::collections::BTreeSet;
use std::time::Duration;

use bollard::models::{Service as Found, ServiceUpdateStatusStateEnum, Task, TaskSpec, TaskState};
use bollard::query_parameters::{ListTasksOptions, LogsOptions};
use futures::TryStreamExt;
use tokio::time::Instant;

use super::{PAUSE, Stack, look};
use crate::capability::ApplyError;
use crate::capability::compose::engine::tail;
use crate::capability::compose::model::Service;

/// How long tasks must have run.
const PROOF: Duration = Duration::from_secs(1);
/// What the swarm watches each task for when the file does not say.
const MONITOR: Duration = Duration::from_secs(5);
const CHANCES: usize = 2;
/// How long former tasks are waited for: those of a node that is down never say that they have stopped.
const LEAVE: Duration = Duration::from_secs(30);
const LAST_LINES: &str = "20";

/// The ids of tasks.
pub(super) type Before = BTreeSet<String>;

enum Standing {
    Good,
    NotYet(String),
    Bad(String),
}

impl Stack<'_> {
    /// Waits until the tasks of a service run.
    ///
    /// What tasks from `before` the change failed of says nothing of now.
    pub(super) async fn gate(&self, name: &str, service: &Service, before: &Before) -> Result<(), ApplyError> {
        let (begun, limit) = (Instant::now(), self.limit(service));
        let mut good_since = None;
        loop {
            let full = self.full_name(name);
            let found = self.up.docker.inspect_service(&full, None).await;
            let found = found.map_err(self.up.failed(format!("inspect service {name}")))?;
            let all = self.tasks(name).await?;
            let running = all.iter().filter(|task| state_of(task) == Some(TaskState::RUNNING)).count();
            let tasks = current(&found, all, before);
            let stay = tasks.iter().filter(|task| is_running(task)).count();
            let leave = if begun.elapsed() < LEAVE { running.saturating_sub(stay) } else { 0 };
            let why = match standing(&found, &tasks, leave) {
                Standing::Good if good_since.get_or_insert_with(Instant::now).elapsed() >= PROOF => return Ok(()),
                Standing::Good => None,
                Standing::Bad(why) => Some(why),
                Standing::NotYet(why) => {
                    good_since = None;
                    (begun.elapsed() >= limit).then(|| format!("{why} after {} s", limit.as_secs()))
                }
            };
            match why {
                Some(why) => return Err(self.unhealthy(name, &why, &tasks).await),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// The ids of the tasks that there are.
    pub(super) async fn task_ids(&self, name: &str) -> Result<Before, ApplyError> {
        Ok(self.tasks(name).await?.into_iter().filter_map(|task| task.id).collect())
    }

    async fn tasks(&self, name: &str) -> Result<Vec<Task>, ApplyError> {
        let filters = Some([("service".to_owned(), vec![self.full_name(name)])].into());
        let tasks = self.up.docker.list_tasks(Some(ListTasksOptions { filters })).await;
        tasks.map_err(self.up.failed(format!("list tasks of {name}")))
    }

    /// Replicas are changed some at a time, and each lot has as long as one container has.
    fn limit(&self, service: &Service) -> Duration {
        let update = service.deploy.update_config.as_ref();
        let at_once = update.and_then(|update| update.parallelism).unwrap_or(1);
        let lots = if at_once == 0 { 1 } else { service.replicas().max(1).div_ceil(at_once) };
        let between =
            update.map_or(MONITOR, |update| update.delay.unwrap_or_default() + update.monitor.unwrap_or(MONITOR));
        (self.up.timeout() + between).saturating_mul(lots)
    }

    async fn unhealthy(&self, name: &str, why: &str, tasks: &[Task]) -> ApplyError {
        let mut reason = why.to_owned();
        // The last one that began has the last word.
        let last = tasks.iter().filter(|task| has_begun(task)).max_by_key(|task| task.created_at.clone());
        if let Some(id) = last.and_then(|task| task.id.as_deref()) {
            let options =
                LogsOptions { stdout: true, stderr: true, tail: LAST_LINES.to_owned(), ..LogsOptions::default() };
            let lines: Vec<_> = self.up.docker.task_logs(id, Some(options)).try_collect().await.unwrap_or_default();
            let words: String = lines.iter().map(ToString::to_string).collect();
            if !words.trim().is_empty() {
                reason.push_str(&format!("; its last lines:\n{}", tail(&words).trim_end()));
            }
        }
        let resource = format!("compose {}, service {name}", self.up.project);
        ApplyError::Unhealthy { resource, reason: self.up.variables.hide(&reason) }
    }
}

/// The tasks of the service as it is now.
fn current(found: &Found, tasks: Vec<Task>, before: &Before) -> Vec<Task> {
    // The engine says the runtime of services, and not that of tasks.
    let plain =
        |spec: &TaskSpec| TaskSpec { runtime: None, force_update: spec.force_update.or(Some(0)), ..spec.clone() };
    let wanted = found.spec.as_ref().and_then(|spec| spec.task_template.as_ref()).map(plain);
    let is_new = |task: &Task| task.id.as_ref().is_some_and(|id| !before.contains(id));
    tasks
        .into_iter()
        .filter(|task| task.spec.as_ref().map(plain) == wanted && (is_running(task) || is_new(task)))
        .collect()
}

/// How a service is doing, of which `leave` former tasks still run.
fn standing(found: &Found, tasks: &[Task], leave: usize) -> Standing {
    let update = found.update_status.as_ref();
    let state = update.and_then(|update| update.state);
    let message = || update.and_then(|update| update.message.clone()).unwrap_or_default();
    match state {
        Some(ServiceUpdateStatusStateEnum::PAUSED | ServiceUpdateStatusStateEnum::ROLLBACK_PAUSED) => {
            return Standing::Bad(format!(
                "the swarm has stopped its update: {}",
                failure(tasks).unwrap_or_else(message)
            ));
        }
        Some(ServiceUpdateStatusStateEnum::ROLLBACK_STARTED | ServiceUpdateStatusStateEnum::ROLLBACK_COMPLETED) => {
            return Standing::Bad(format!("the swarm has rolled its update back: {}", message()));
        }
        _ => {}
    }
    let failures = tasks.iter().filter(|task| has_failed(task)).count();
    if failures >= CHANCES {
        return Standing::Bad(failure(tasks).unwrap_or_else(|| "its tasks fail".to_owned()));
    }
    let up = tasks.iter().filter(|task| is_running(task) || state_of(task) == Some(TaskState::COMPLETE)).count();
    let wanted = match look::replicas(found) {
        Some(replicas) => usize::try_from(replicas).unwrap_or(usize::MAX),
        None => tasks.iter().filter(|task| task.desired_state == Some(TaskState::RUNNING)).count().max(1),
    };
    if up >= wanted && state != Some(ServiceUpdateStatusStateEnum::UPDATING) {
        return if leave == 0 { Standing::Good } else { Standing::NotYet(format!("{leave} former tasks still run")) };
    }
    let waits = tasks.iter().filter_map(|task| task.status.as_ref()?.err.clone()).find(|words| !words.is_empty());
    let why = waits.map(|words| format!(": {words}")).unwrap_or_default();
    Standing::NotYet(format!("{up} of {wanted} tasks run{why}"))
}

fn failure(tasks: &[Task]) -> Option<String> {
    let failed = tasks.iter().rfind(|task| has_failed(task))?.status.clone()?;
    let words = failed.err.filter(|words| !words.is_empty()).or(failed.message)?;
    let code = failed.container_status.and_then(|status| status.exit_code).filter(|code| *code != 0);
    let ended = code.map(|code| format!(" (exit code {code})")).unwrap_or_default();
    Some(format!("its tasks fail: {words}{ended}"))
}

fn state_of(task: &Task) -> Option<TaskState> {
    task.status.as_ref()?.state
}

fn is_running(task: &Task) -> bool {
    state_of(task) == Some(TaskState::RUNNING) && task.desired_state == Some(TaskState::RUNNING)
}

fn has_failed(task: &Task) -> bool {
    matches!(state_of(task), Some(TaskState::FAILED | TaskState::REJECTED | TaskState::ORPHANED))
}

fn has_begun(task: &Task) -> bool {
    let container = task.status.as_ref().and_then(|status| status.container_status.as_ref());
    container.is_some_and(|container| container.container_id.as_ref().is_some_and(|id| !id.is_empty()))
}
