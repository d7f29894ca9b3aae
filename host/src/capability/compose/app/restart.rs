//! Restarts containers in the order in which their services depend on each other.

use std::collections::BTreeSet;
use std::time::Duration;

use bollard::models::{ContainerState, HealthStatusEnum};
use bollard::query_parameters::RestartContainerOptions;
use futures::future::try_join_all;
use tokio::time::Instant;

use super::list::Instance;
use super::{App, AppError, Apps, refused};

const PAUSE: Duration = Duration::from_millis(100);
/// How long one without a health check must have run.
const PROOF: Duration = Duration::from_secs(1);

impl Apps<'_> {
    /// Restarts the containers of these services, of all when there is none, and those that ask to be restarted with
    /// what they depend on. Answers with their names, in the order in which they were restarted.
    ///
    /// # Errors
    /// When Docker refuses, or one is not up, or not healthy, in time: then those after it are left as they are.
    pub async fn restart(&self, app: &str, services: &[String], limit: Duration) -> Result<Vec<String>, AppError> {
        self.find(app, services).await?;
        let app = self.find(app, &[]).await?;
        if app.instances.iter().any(|instance| instance.stack) {
            let words =
                format!("it is a stack: `docker service update --force {}_SERVICE` has its tasks made anew", app.name);
            return Err(AppError::Refused { what: format!("restart {}", app.name), words });
        }
        let mut restarted = Vec::new();
        for wave in waves(&app, &chosen(&app, services)) {
            let done = try_join_all(wave.into_iter().map(|instance| self.one(instance, limit))).await?;
            restarted.extend(done.into_iter().flatten());
        }
        Ok(restarted)
    }

    async fn one(&self, instance: &Instance, limit: Duration) -> Result<Option<String>, AppError> {
        let Some((name, id)) = &instance.container else { return Ok(None) };
        let options = None::<RestartContainerOptions>;
        self.docker.restart_container(id, options).await.map_err(refused(format!("restart {name}")))?;
        self.up(name, id, limit).await?;
        Ok(Some(name.clone()))
    }

    /// Waits until a container that was just started is up, and healthy where it has a health check.
    pub(super) async fn up(&self, name: &str, id: &str, limit: Duration) -> Result<(), AppError> {
        let begun = Instant::now();
        loop {
            let found = self.docker.inspect_container(id, None).await.map_err(refused(format!("inspect {name}")))?;
            let not_up = |why: String| AppError::NotUp { container: name.to_owned(), why };
            match standing(&found.state.unwrap_or_default(), begun.elapsed()) {
                Standing::Good => return Ok(()),
                Standing::Bad(why) => return Err(not_up(why)),
                Standing::NotYet if begun.elapsed() >= limit => {
                    return Err(not_up(format!("was not up again within {} s", limit.as_secs())));
                }
                Standing::NotYet => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

enum Standing {
    Good,
    NotYet,
    Bad(String),
}

fn standing(state: &ContainerState, lasted: Duration) -> Standing {
    let health = state.health.as_ref().and_then(|health| health.status);
    match (state.running, health) {
        (Some(true), Some(HealthStatusEnum::HEALTHY)) => Standing::Good,
        (Some(true), Some(HealthStatusEnum::UNHEALTHY)) => Standing::Bad("is unhealthy".to_owned()),
        (Some(true), Some(HealthStatusEnum::STARTING)) => Standing::NotYet,
        (Some(true), _) if state.restarting != Some(true) && lasted >= PROOF => Standing::Good,
        (Some(true), _) => Standing::NotYet,
        // One that does its work and ends is up as far as it ever is.
        _ if state.exit_code == Some(0) => Standing::Good,
        _ if state.restarting == Some(true) => Standing::NotYet,
        _ => Standing::Bad(format!("ended with exit code {}", state.exit_code.unwrap_or_default())),
    }
}

/// The services to be restarted: those that were named, and those that go with them.
fn chosen(app: &App, named: &[String]) -> BTreeSet<String> {
    let all = app.instances.iter().map(|instance| &instance.service);
    let mut chosen: BTreeSet<String> = all.filter(|name| named.is_empty() || named.contains(name)).cloned().collect();
    loop {
        let goes_along = |instance: &&Instance| {
            let with =
                |(name, dependency): (&String, &super::list::Dependency)| dependency.restart && chosen.contains(name);
            !chosen.contains(&instance.service) && instance.depends_on.iter().any(with)
        };
        let more: Vec<_> = app.instances.iter().filter(goes_along).map(|one| one.service.clone()).collect();
        if more.is_empty() {
            return chosen;
        }
        chosen.extend(more);
    }
}

/// Containers by the order in which they are restarted. One that was never meant to go on, because another waits for
/// its end, is restarted as well: docker compose does so.
pub(super) fn waves<'a>(app: &'a App, chosen: &BTreeSet<String>) -> Vec<Vec<&'a Instance>> {
    let mut left: Vec<&Instance> = app
        .instances
        .iter()
        .filter(|instance| chosen.contains(&instance.service) && !instance.one_off && instance.container.is_some())
        .collect();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let waits = |instance: &Instance| {
            left.iter()
                .any(|other| other.service != instance.service && instance.depends_on.contains_key(&other.service))
        };
        let (later, now): (Vec<_>, Vec<_>) = left.iter().copied().partition(|instance| waits(instance));
        // Those that wait for each other have no order.
        let (now, later) = if now.is_empty() { (later, Vec::new()) } else { (now, later) };
        waves.push(now);
        left = later;
    }
    waves
}
