//! Puts a new container in the place of a former one: started first where nothing stands in the way, and the former
//! one goes only when the new one has proved itself. Otherwise it is stopped first, and comes back if the new one fails.

use bollard::models::ContainerInspectResponse;

use super::Up;
use super::converge::{Running, Task, remove};
use crate::capability::ApplyError;
use crate::capability::compose::docker::Listed;
use crate::capability::compose::state::Status;

impl Up<'_> {
    /// Replaces containers of a service, as many at a time as it says: one, so that the others go on.
    pub(super) async fn replace_all(
        &self,
        task: Task<'_>,
        listed: &[Listed],
        former: &[&Listed],
    ) -> Result<Vec<Running>, ApplyError> {
        let update = task.service.deploy.update_config.as_ref();
        let at_once = match update.and_then(|update| update.parallelism).unwrap_or(1) {
            0 => former.len().max(1),
            some => usize::try_from(some).unwrap_or(usize::MAX),
        };
        let mut running = Vec::new();
        for group in former.chunks(at_once) {
            if let Some(delay) = update.and_then(|update| update.delay).filter(|_| !running.is_empty()) {
                tokio::time::sleep(delay).await;
            }
            running.extend(self.work.all(group.iter().map(|former| self.replace(task, listed, former))).await?);
        }
        Ok(running)
    }

    async fn replace(&self, task: Task<'_>, listed: &[Listed], former: &Listed) -> Result<Running, ApplyError> {
        let number = former.container.number;
        let own = self.container_name(task.name, task.service, number);
        let inspected = self.docker.inspect_container(&former.id, None).await;
        let inspected = inspected.map_err(self.failed(format!("inspect {own}")))?;
        // The same name for the time being that docker compose gives.
        let meanwhile = format!("{}_{own}", former.id.get(..12).unwrap_or(&former.id));
        let starts_first = task.planned.stop_first.is_none() && former.container.status == Status::Running;
        let id = self.create(task, listed, number, &meanwhile, Some(&inspected), !starts_first).await?;
        let done = match starts_first {
            true => self.start_first(task, listed, former, &id).await,
            false => self.stop_first(task, former, &inspected, &id).await,
        };
        if let Err(error) = done {
            // What is wrong was said; that the failed one cannot be removed is said by the next plan.
            let _ = remove(self.docker, &id).await;
            return Err(error);
        }
        remove(self.docker, &former.id).await.map_err(self.failed(format!("remove the former {own}")))?;
        self.rename(&id, &own).await?;
        Ok(Running { id, name: own, started: None, is_new: true })
    }

    async fn start_first(
        &self,
        task: Task<'_>,
        listed: &[Listed],
        former: &Listed,
        id: &str,
    ) -> Result<(), ApplyError> {
        let own = self.container_name(task.name, task.service, former.container.number);
        self.start(id, &own, task.service).await?;
        self.prove(id, &own, task).await?;
        self.make_known(task, listed, former.container.number, id).await?;
        self.stop(former).await
    }

    async fn stop_first(
        &self,
        task: Task<'_>,
        former: &Listed,
        inspected: &ContainerInspectResponse,
        id: &str,
    ) -> Result<(), ApplyError> {
        let own = self.container_name(task.name, task.service, former.container.number);
        self.stop(former).await?;
        let started = async {
            self.start(id, &own, task.service).await?;
            self.prove(id, &own, task).await
        };
        let Err(error) = started.await else { return Ok(()) };
        // Its port and its address have to be free before the former one comes back.
        let _ = remove(self.docker, id).await;
        if inspected.state.as_ref().and_then(|state| state.running) == Some(true) {
            self.start(&former.id, &own, task.service)
                .await
                .map_err(|back| self.refused(format!("{error}; and the former container did not come back: {back}")))?;
        }
        Err(error)
    }
}
