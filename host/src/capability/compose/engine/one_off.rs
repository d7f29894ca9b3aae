//! A one-off container: as `docker compose run` makes it, of a model that has its one service only.
//!
//! It makes what is missing and changes nothing else: what is there is of the app, which only an apply changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bollard::body_full;
use bollard::models::NetworkingConfig;
use bollard::query_parameters::{CreateContainerOptions, UploadToContainerOptions};

use super::Up;
use super::body::Given;
use super::converge::{Task, remove};
use crate::capability::ApplyError;
use crate::capability::compose::docker::{self, ONE_OFF};
use crate::capability::compose::model::{Condition, Service};
use crate::capability::compose::state::Status;

const SLUG: &str = "com.docker.compose.slug";

/// What its container is, beyond its service.
#[derive(Clone, Copy, Debug)]
pub(in crate::capability::compose) struct OneOff<'a> {
    /// What it is called, here and by whoever looks for it again.
    pub(in crate::capability::compose) called: &'a str,
    pub(in crate::capability::compose) labels: &'a BTreeMap<String, String>,
    /// A tar archive of what is put into it before it starts.
    pub(in crate::capability::compose) files: Option<&'a [u8]>,
}

impl Up<'_> {
    /// Makes a container and starts it. One of that name that was made and never started is made anew.
    ///
    /// # Errors
    /// When something that it needs is missing, or Docker refuses.
    pub(in crate::capability::compose) async fn one_off(
        &self,
        name: &str,
        one: OneOff<'_>,
    ) -> Result<String, ApplyError> {
        let (Some(service), Some(planned)) = (self.model.services.get(name), self.version.services.get(name)) else {
            return Err(self.refused(format!("its compose file has no service {name}")));
        };
        self.check_engine()?;
        self.find_dependencies(service).await?;
        self.await_dependencies(service).await?;
        let images = self.images().await?;
        let image = images.get(name).ok_or_else(|| self.refused(format!("service {name} has no image")))?;
        let (made, volumes) = tokio::join!(self.missing_networks(), self.volumes());
        made.and(volumes)?;
        let id = self.make_one_off(Task { name, service, planned, image }, one).await?;
        match self.fill(&id, service, one).await {
            Ok(()) => Ok(id),
            Err(error) => {
                // Nobody would find out what it lacks.
                let _ = remove(self.docker, &id).await;
                Err(error)
            }
        }
    }

    async fn make_one_off(&self, task: Task<'_>, one: OneOff<'_>) -> Result<String, ApplyError> {
        let Task { name, service, image, .. } = task;
        let listed = self.listed().await?;
        let shares = self.shares(service, 1, &listed)?;
        let mut labels: HashMap<String, String> = self.container_labels(name, 1, &image.image.id);
        labels.extend(one.labels.clone());
        labels.insert(ONE_OFF.to_owned(), "True".to_owned());
        labels.insert(SLUG.to_owned(), one.called.to_owned());
        let given = Given { image: &image.called, labels, former: None, shares: &shares };
        let mut body = self.body(service, given)?;
        let mut endpoints = self.endpoints(task, one.called, &shares, false).into_iter();
        let first = endpoints.next().into_iter().collect();
        body.networking_config = Some(NetworkingConfig { endpoints_config: Some(first) });
        let options = CreateContainerOptions {
            name: Some(one.called.to_owned()),
            platform: service.platform.clone().unwrap_or_default(),
        };
        let created = self.docker.create_container(Some(options), body).await;
        let id = created.map_err(self.failed(format!("make a container of service {name}")))?.id;
        for (network, endpoint) in endpoints {
            self.connect(&id, one.called, network, endpoint).await?;
        }
        Ok(id)
    }

    /// Puts its files into it, and starts it.
    async fn fill(&self, id: &str, service: &Service, one: OneOff<'_>) -> Result<(), ApplyError> {
        self.write_files(id, one.called, service).await?;
        if let Some(files) = one.files {
            let options = UploadToContainerOptions { path: "/".to_owned(), ..UploadToContainerOptions::default() };
            let put = self.docker.upload_to_container(id, Some(options), body_full(files.to_vec().into())).await;
            put.map_err(self.failed("put files into the container"))?;
        }
        self.start(id, one.called, service).await
    }

    /// Makes the networks of the service that are missing.
    async fn missing_networks(&self) -> Result<(), ApplyError> {
        let there = docker::networks(self.docker, self.project).await.map_err(self.failed("list networks"))?;
        let declared = self.model.networks.iter();
        let none = BTreeSet::new();
        let made = declared.map(|(key, network)| self.network(key, network, &there, &none));
        self.work.all(made).await?;
        self.remove_twins().await
    }

    /// What it depends on has to be there already: it is the app's, and would outlive the job.
    async fn find_dependencies(&self, service: &Service) -> Result<(), ApplyError> {
        let mut there = self.listed().await?;
        docker::find_done(self.docker, &mut there).await.map_err(self.failed("inspect containers"))?;
        for (other, dependency) in service.depends_on.iter().filter(|(_, dependency)| dependency.required) {
            let mut of_it = there.iter().filter(|listed| &listed.container.service == other);
            let is_there = match dependency.condition {
                Condition::Completed => of_it.next().is_some(),
                Condition::Started | Condition::Healthy => {
                    of_it.any(|listed| listed.container.status == Status::Running)
                }
            };
            if !is_there {
                let hint = "bring the app up first, by `stead apply`";
                return Err(self.refused(format!("it depends on service {other}, which does not run here: {hint}")));
            }
        }
        Ok(())
    }
}
