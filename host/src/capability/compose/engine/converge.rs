//! Brings the containers of one service to what they should be: those that fit stay untouched.
//!
//! A container is made anew beside the former one, which stops only when Docker has accepted the new one.

use bollard::models::{ContainerInspectResponse, NetworkConnectRequest, NetworkingConfig};
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptions, RenameContainerOptions};
use futures::future::try_join_all;

use super::Up;
use super::body::endpoint;
use crate::capability::ApplyError;
use crate::capability::compose::docker::{Listed, unless_gone};
use crate::capability::compose::model::Service;
use crate::capability::compose::state::Status;

/// A container of a service that is up.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) id: String,
    pub(super) name: String,
    /// Whether it was started just now.
    pub(super) started: bool,
}

impl Up<'_> {
    /// Makes, replaces, starts and removes containers of a service.
    pub(super) async fn converge(&self, name: &str, image: &str) -> Result<Vec<Running>, ApplyError> {
        let (Some(service), Some(planned)) = (self.model.services.get(name), self.version.services.get(name)) else {
            return Err(self.refused(format!("the files no longer have the service {name} that was planned")));
        };
        let mut planned = planned.clone();
        planned.image_id = Some(image.to_owned());
        let mut there = self.listed().await?;
        there.retain(|listed| listed.container.service == name);
        // Those that fit are kept first, then those with low numbers.
        there.sort_by_key(|listed| {
            (!listed.container.misfits(&planned).is_empty(), is_unfinished(&listed.name), listed.container.number)
        });
        let wanted = usize::try_from(service.replicas()).unwrap_or(usize::MAX);
        let surplus = there.split_off(wanted.min(there.len()));
        try_join_all(surplus.iter().map(|listed| self.remove(listed))).await?;
        let mut numbers: Vec<u32> = there.iter().map(|listed| listed.container.number).collect();
        let mut missing = Vec::new();
        while there.len() + missing.len() < wanted {
            let free = (1..).find(|number| !numbers.contains(number)).unwrap_or(u32::MAX);
            numbers.push(free);
            missing.push(free);
        }
        let kept = try_join_all(there.iter().map(|listed| async {
            match listed.container.misfits(&planned).is_empty() {
                true => self.resume(name, service, listed).await,
                false => self.replace(name, service, image, listed).await,
            }
        }));
        let made = try_join_all(missing.into_iter().map(|number| self.make(name, service, image, number)));
        let (mut running, made) = tokio::try_join!(kept, made)?;
        running.extend(made);
        Ok(running)
    }

    /// Leaves a container that fits as it is, but starts it when it does not run.
    async fn resume(&self, name: &str, service: &Service, listed: &Listed) -> Result<Running, ApplyError> {
        let own = self.container_name(name, service, listed.container.number);
        if is_unfinished(&listed.name) {
            self.rename(&listed.id, &own).await?;
        }
        let started = match listed.container.status {
            Status::Running => false,
            Status::Paused => {
                self.docker.unpause_container(&listed.id).await.map_err(self.failed(format!("unpause {own}")))?;
                true
            }
            Status::Completed | Status::Stopped => {
                self.start(&listed.id, &own).await?;
                true
            }
        };
        Ok(Running { id: listed.id.clone(), name: own, started })
    }

    async fn make(&self, name: &str, service: &Service, image: &str, number: u32) -> Result<Running, ApplyError> {
        let own = self.container_name(name, service, number);
        let id = self.create(name, service, image, number, &own, None).await?;
        self.start(&id, &own).await?;
        Ok(Running { id, name: own, started: true })
    }

    async fn replace(
        &self,
        name: &str,
        service: &Service,
        image: &str,
        listed: &Listed,
    ) -> Result<Running, ApplyError> {
        let own = self.container_name(name, service, listed.container.number);
        let former =
            self.docker.inspect_container(&listed.id, None).await.map_err(self.failed(format!("inspect {own}")))?;
        // The same name for the time being that docker compose gives.
        let meanwhile = format!("{}_{own}", listed.id.get(..12).unwrap_or(&listed.id));
        let id = self.create(name, service, image, listed.container.number, &meanwhile, Some(&former)).await?;
        self.remove(listed).await?;
        self.rename(&id, &own).await?;
        self.start(&id, &own).await?;
        Ok(Running { id, name: own, started: true })
    }

    async fn create(
        &self,
        name: &str,
        service: &Service,
        image: &str,
        number: u32,
        called: &str,
        former: Option<&ContainerInspectResponse>,
    ) -> Result<String, ApplyError> {
        let own = self.container_name(name, service, number);
        let named = service.image.as_deref().unwrap_or_default();
        let current = super::docker::image_id(self.docker, named).await.map_err(self.failed("look for an image"))?;
        // The name is what people know; when it means another image by now, only the id will do.
        let from = if current.as_deref() == Some(image) { named } else { image };
        let mut body = self.body(service, from, self.container_labels(name, number, image), former);
        let mut attachments =
            self.attachments(service).map(|(network, attachment)| (network, endpoint(&own, name, attachment)));
        let first = attachments.next().map(|(network, endpoint)| (network.to_owned(), endpoint));
        body.networking_config = Some(NetworkingConfig { endpoints_config: Some(first.into_iter().collect()) });
        let options = CreateContainerOptions { name: Some(called.to_owned()), ..CreateContainerOptions::default() };
        let made = self.docker.create_container(Some(options), body).await;
        let id = made.map_err(self.failed(format!("make the container {own} of service {name}")))?.id;
        // Engines before API 1.44 take one network when they make a container.
        for (network, endpoint) in attachments {
            let request = NetworkConnectRequest { container: id.clone(), endpoint_config: Some(endpoint) };
            let connected = self.docker.connect_network(network, request).await;
            connected.map_err(self.failed(format!("connect {own} to network {network}")))?;
        }
        Ok(id)
    }

    async fn start(&self, id: &str, name: &str) -> Result<(), ApplyError> {
        let started = unless_started(self.docker.start_container(id, None).await);
        started.map_err(self.failed(format!("start {name}")))
    }

    async fn rename(&self, id: &str, name: &str) -> Result<(), ApplyError> {
        let renamed = self.docker.rename_container(id, RenameContainerOptions { name: name.to_owned() }).await;
        renamed.map_err(self.failed(format!("name a container {name}")))
    }

    /// Stops a container within its own grace period, and removes it; its volumes stay.
    pub(super) async fn remove(&self, listed: &Listed) -> Result<(), ApplyError> {
        remove(self.docker, listed).await.map_err(self.failed(format!("remove {}", listed.name)))
    }

    fn container_name(&self, name: &str, service: &Service, number: u32) -> String {
        service.container_name.clone().unwrap_or_else(|| format!("{}-{name}-{number}", self.project))
    }
}

/// Stops and removes a container.
pub(super) async fn remove(docker: &bollard::Docker, listed: &Listed) -> Result<(), bollard::errors::Error> {
    unless_gone(docker.stop_container(&listed.id, None).await)?;
    let options = RemoveContainerOptions { force: true, ..RemoveContainerOptions::default() };
    unless_gone(docker.remove_container(&listed.id, Some(options)).await)
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
