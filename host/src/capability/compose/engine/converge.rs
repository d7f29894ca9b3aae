//! Brings the containers of one service to what they should be: those that fit stay untouched.

use bollard::query_parameters::{RemoveContainerOptions, RenameContainerOptions, RestartContainerOptions};
use tokio::time::Instant;

use super::image::Chosen;
use super::{Up, hook};
use crate::capability::ApplyError;
use crate::capability::compose::docker::{Listed, unless_gone};
use crate::capability::compose::model::Service;
use crate::capability::compose::state::{self, Status};

/// A container of a service that is up.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) id: String,
    pub(super) name: String,
    /// When it was started, if it has not proved itself since.
    pub(super) started: Option<Instant>,
    /// Whether it is another container than before.
    pub(super) is_new: bool,
}

/// A service on its way, with what it is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'a> {
    pub(super) name: &'a str,
    pub(super) service: &'a Service,
    pub(super) planned: &'a state::Service,
    pub(super) image: &'a Chosen,
}

impl Up<'_> {
    /// Makes, replaces, starts and removes containers of a service. What it depends on was made anew where `restart`.
    pub(super) async fn converge(
        &self,
        task: Task<'_>,
        listed: &[Listed],
        restart: bool,
    ) -> Result<Vec<Running>, ApplyError> {
        let Task { name, service, .. } = task;
        // Containers that it shares something with, or links to, may be others by now.
        let anew = service.shares().next().is_some() || !service.links.is_empty();
        let now = if anew { Some(self.listed().await?) } else { None };
        let listed = now.as_deref().unwrap_or(listed);
        let mut planned = task.planned.clone();
        planned.image_id = Some(task.image.image.id.clone());
        planned.is_outdated = false;
        let mut there: Vec<_> = listed.iter().filter(|listed| listed.container.service == name).cloned().collect();
        if there.iter().any(|listed| listed.shares.is_none()) && service.shares().next().is_some() {
            let hash = self.hash(name, listed).await?;
            let made_by_compose = |listed: &&mut Listed| listed.shares.is_none() && listed.hash == hash;
            there
                .iter_mut()
                .filter(made_by_compose)
                .for_each(|listed| listed.container.config = planned.config.clone());
        }
        // Those that fit are kept first, then those with low numbers.
        there.sort_by_key(|listed| {
            (!listed.container.misfits(&planned).is_empty(), is_unfinished(&listed.name), listed.container.number)
        });
        let wanted = usize::try_from(service.replicas()).unwrap_or(usize::MAX);
        let surplus = there.split_off(wanted.min(there.len()));
        self.work.all(surplus.iter().map(|listed| self.remove(listed))).await?;
        let missing = free_numbers(&there, wanted);
        let (kept, replaced): (Vec<_>, Vec<_>) =
            there.iter().partition(|listed| listed.container.misfits(&planned).is_empty());
        let kept = self.work.all(kept.into_iter().map(|listed| self.resume(task, listed, restart)));
        let made = self.work.all(missing.into_iter().map(|number| self.make(task, listed, number)));
        let (running, made, replaced) = tokio::join!(kept, made, self.replace_all(task, listed, &replaced));
        let (mut running, made, replaced) = (running?, made?, replaced?);
        running.extend(made);
        running.extend(replaced);
        Ok(running)
    }

    /// Leaves a container that fits as it is, but starts it when it does not run.
    async fn resume(&self, task: Task<'_>, listed: &Listed, restart: bool) -> Result<Running, ApplyError> {
        let own = self.container_name(task.name, task.service, listed.container.number);
        let is_unfinished = is_unfinished(&listed.name);
        if is_unfinished {
            self.rename(&listed.id, &own).await?;
        }
        let started = match listed.container.status {
            Status::Running if restart => {
                let restarted = self.docker.restart_container(&listed.id, None::<RestartContainerOptions>);
                self.work.turn(restarted).await.map_err(self.failed(format!("restart {own}")))?;
                true
            }
            Status::Running => is_unfinished,
            Status::Paused => {
                self.docker.unpause_container(&listed.id).await.map_err(self.failed(format!("unpause {own}")))?;
                true
            }
            Status::Completed | Status::Done | Status::Stopped => {
                self.start(&listed.id, &own, task.service).await?;
                true
            }
        };
        let started = started.then(Instant::now);
        Ok(Running { id: listed.id.clone(), name: own, started, is_new: is_unfinished })
    }

    async fn make(&self, task: Task<'_>, listed: &[Listed], number: u32) -> Result<Running, ApplyError> {
        let own = self.container_name(task.name, task.service, number);
        let id = self.create(task, listed, number, &own, None, true).await?;
        self.start(&id, &own, task.service).await?;
        Ok(Running { id, name: own, started: Some(Instant::now()), is_new: true })
    }

    /// Starts a container, and runs what is to run in it then.
    pub(super) async fn start(&self, id: &str, name: &str, service: &Service) -> Result<(), ApplyError> {
        let started = unless_started(self.work.turn(self.docker.start_container(id, None)).await);
        started.map_err(self.failed(format!("start {name}")))?;
        let ran = hook::run((self.docker, self.variables), "post_start", &service.post_start, (id, name)).await;
        ran.map_err(|reason| self.refused(reason))
    }

    pub(super) async fn rename(&self, id: &str, name: &str) -> Result<(), ApplyError> {
        let renamed = self.docker.rename_container(id, RenameContainerOptions { name: name.to_owned() }).await;
        renamed.map_err(self.failed(format!("name a container {name}")))
    }

    /// Runs what is to run before, and stops a container within its own grace period.
    pub(super) async fn stop(&self, listed: &Listed) -> Result<(), ApplyError> {
        if let Some(service) = self.model.services.get(&listed.container.service)
            && listed.container.status == Status::Running
        {
            let container = (&*listed.id, &*listed.name);
            let ran = hook::run((self.docker, self.variables), "pre_stop", &service.pre_stop, container).await;
            ran.map_err(|reason| self.refused(reason))?;
        }
        let stopped = unless_gone(self.docker.stop_container(&listed.id, None).await);
        stopped.map_err(self.failed(format!("stop {}", listed.name)))
    }

    /// Stops a container, and removes it; its volumes stay.
    pub(super) async fn remove(&self, listed: &Listed) -> Result<(), ApplyError> {
        self.stop(listed).await?;
        let removed = self.work.turn(remove(self.docker, &listed.id)).await;
        removed.map_err(self.failed(format!("remove {}", listed.name)))
    }

    pub(super) fn container_name(&self, name: &str, service: &Service, number: u32) -> String {
        service.container_name.clone().unwrap_or_else(|| format!("{}-{name}-{number}", self.project))
    }
}

/// Removes a container, running or not.
pub(super) async fn remove(docker: &bollard::Docker, id: &str) -> Result<(), bollard::errors::Error> {
    let options = RemoveContainerOptions { force: true, ..RemoveContainerOptions::default() };
    unless_gone(docker.remove_container(id, Some(options)).await)
}

fn free_numbers(there: &[Listed], wanted: usize) -> Vec<u32> {
    let taken = |number: &u32| there.iter().any(|listed| listed.container.number == *number);
    (1..).filter(|number| !taken(number)).take(wanted.saturating_sub(there.len())).collect()
}

/// Whether it was left over by a replacement that did not end.
fn is_unfinished(name: &str) -> bool {
    name.split_once('_').is_some_and(|(id, _)| id.len() == 12 && id.chars().all(|c| c.is_ascii_hexdigit()))
}

fn unless_started(started: Result<(), bollard::errors::Error>) -> Result<(), bollard::errors::Error> {
    match started {
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 304, .. }) => Ok(()),
        started => started,
    }
}
