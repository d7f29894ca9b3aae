//! Stops the containers that use something, and starts them again in the order of their project.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bollard::query_parameters::{ListContainersOptions, StartContainerOptions, StopContainerOptions};
use futures::future::{join_all, try_join_all};
use serde::{Deserialize, Serialize};

use super::restart::waves;
use super::{App, AppError, Apps, Instance, refused};
use crate::capability::compose::docker::unless_gone;

/// Containers that run, by the name of their app: each its name and its id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users(BTreeMap<String, Vec<(String, String)>>);

impl Users {
    /// The names of the containers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().map(|(name, _)| name.as_str())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of both.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        for (app, more) in others.0 {
            let known = self.0.entry(app).or_default();
            known.extend(more);
            known.sort();
            known.dedup();
        }
        self
    }

    fn add(&mut self, app: String, instance: &Instance) {
        if let Some(container) = instance.container.clone().filter(|_| instance.state == "running") {
            self.0.entry(app).or_default().push(container);
        }
    }
}

impl Apps<'_> {
    /// The containers that run and use this volume of Docker's.
    ///
    /// # Errors
    /// When one of them is of no app, or of a stack: nobody knows how to start it again.
    pub async fn users_of(&self, volume: &str) -> Result<Users, AppError> {
        let filters = HashMap::from([("volume".to_owned(), vec![volume.to_owned()])]);
        let options = ListContainersOptions { filters: Some(filters), ..ListContainersOptions::default() };
        let found = self.docker.list_containers(Some(options)).await.map_err(refused("list containers"))?;
        let looked = join_all(found.into_iter().map(async |summary| {
            let name = summary.names.iter().flatten().next().map(|name| name.trim_start_matches('/').to_owned());
            (name.unwrap_or_default(), self.look(summary).await)
        }));
        let mut users = Users::default();
        for (container, looked) in looked.await {
            match looked {
                Some((app, instance)) if !instance.stack => users.add(app, &instance),
                _ => return Err(AppError::Stranger { container, volume: volume.to_owned() }),
            }
        }
        Ok(users)
    }

    /// All containers of an app that run.
    ///
    /// # Errors
    /// When there is no such app.
    pub async fn running_in(&self, app: &str) -> Result<Users, AppError> {
        let app = self.find(app, &[]).await?;
        let mut users = Users::default();
        app.instances.iter().filter(|one| !one.stack).for_each(|instance| users.add(app.name.clone(), instance));
        Ok(users)
    }

    /// Stops them, those first that others do not depend on.
    ///
    /// # Errors
    /// When Docker refuses.
    pub async fn stop(&self, users: &Users) -> Result<(), AppError> {
        for wave in self.waves(users).await?.into_iter().rev() {
            let stop = async |(name, id): &(String, String)| {
                let stopped = self.docker.stop_container(id, None::<StopContainerOptions>).await;
                unless_gone(stopped).map_err(refused(format!("stop {name}")))
            };
            try_join_all(wave.iter().map(stop)).await?;
        }
        Ok(())
    }

    /// Starts them, each once those that it depends on are up and healthy.
    ///
    /// # Errors
    /// When one is not up in time; the others of its app are started nevertheless.
    pub async fn start(&self, users: &Users, limit: Duration) -> Result<(), AppError> {
        let mut failed = None;
        for wave in self.waves(users).await? {
            let start = async |(name, id): &(String, String)| {
                let started = self.docker.start_container(id, None::<StartContainerOptions>).await;
                unless_gone(started).map_err(refused(format!("start {name}")))?;
                self.up(name, id, limit).await
            };
            let started = join_all(wave.iter().map(start)).await;
            failed = failed.or(started.into_iter().find_map(Result::err));
        }
        failed.map_or(Ok(()), Err)
    }

    /// Those that are still there, in the order in which they are started.
    async fn waves(&self, users: &Users) -> Result<Vec<Vec<(String, String)>>, AppError> {
        let all = self.list(&BTreeSet::new()).await?;
        let mut ordered: Vec<Vec<(String, String)>> = Vec::new();
        for (name, containers) in &users.0 {
            let Some(app) = all.iter().find(|app| app.name == *name) else { continue };
            let ours = |one: &&Instance| one.container.as_ref().is_some_and(|one| containers.contains(one));
            let instances: Vec<_> = app.instances.iter().filter(ours).cloned().collect();
            let services: BTreeSet<String> = instances.iter().map(|instance| instance.service.clone()).collect();
            let app = App { instances, ..app.clone() };
            for (number, wave) in waves(&app, &services).into_iter().enumerate() {
                let wave = wave.into_iter().filter_map(|instance| instance.container.clone());
                match ordered.get_mut(number) {
                    Some(there) => there.extend(wave),
                    None => ordered.push(wave.collect()),
                }
            }
        }
        Ok(ordered)
    }
}
