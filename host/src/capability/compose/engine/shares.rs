//! What a container shares with others: namespaces, volumes, links. A service in a compose file, a container in Docker.
//!
//! The config hash that Compose puts on such a container names the other container, so it is taken when that is there.

use std::path::Path;

use serde_json::Value;

use super::Up;
use crate::capability::ApplyError;
use crate::capability::compose::Project;
use crate::capability::compose::docker::Listed;
use crate::capability::compose::loader::{Plugin, Resolved};
use crate::capability::compose::model::{self, Service};

/// With containers in place of services.
#[derive(Clone, Debug, Default)]
pub(super) struct Shares {
    pub(super) network_mode: Option<String>,
    pub(super) ipc: Option<String>,
    pub(super) pid: Option<String>,
    pub(super) volumes_from: Vec<String>,
    pub(super) links: Vec<String>,
}

impl Up<'_> {
    /// What a service shares, with the containers that are there now.
    pub(super) fn shares(&self, service: &Service, number: u32, listed: &[Listed]) -> Result<Shares, ApplyError> {
        let shares = Shares::of(service, listed).map_err(|reason| self.refused(reason))?;
        Ok(Shares { links: self.links(service, number, listed), ..shares })
    }

    /// As `docker compose` names links: each container by its alias, and by names that Compose once gave.
    fn links(&self, service: &Service, number: u32, listed: &[Listed]) -> Vec<String> {
        let mut links = Vec::new();
        for link in &service.links {
            let (other, alias) = link.split_once(':').unwrap_or((link, link));
            for Listed { name, .. } in listed.iter().filter(|listed| listed.container.service == other) {
                links.push(format!("{name}:{alias}"));
                links.push(format!("{name}:{other}-{number}"));
                links.push(format!("{name}:{}-{other}-{number}", self.project));
            }
        }
        let external = service.external_links.iter();
        links.extend(external.map(|link| if link.contains(':') { link.clone() } else { format!("{link}:{link}") }));
        links
    }

    /// The config hash of a service that shares something, with the containers that are there now in the model.
    pub(super) async fn hash(&self, name: &str, listed: &[Listed]) -> Result<String, ApplyError> {
        let hash = hash(self.plugin, self.project, self.lasting, self.resolved, name, listed).await;
        let hash = hash.map_err(|error| self.refused(self.variables.hide(&error)))?;
        Ok(hash.unwrap_or_default())
    }
}

/// The config hash of a service that shares something; `None` when what it shares is not there.
pub(in crate::capability::compose) async fn hash(
    plugin: &Plugin,
    project: &Project,
    lasting: &Path,
    resolved: &Resolved,
    name: &str,
    listed: &[Listed],
) -> Result<Option<String>, String> {
    let parsed = model::parse(&resolved.model).model;
    let Some(service) = parsed.services.get(name) else { return Ok(None) };
    let Ok(shares) = Shares::of(service, listed) else { return Ok(None) };
    let mut model = resolved.model.clone();
    if let Some(services) = model.pointer_mut("/services").and_then(Value::as_object_mut) {
        shares.put_in(name, services);
    }
    Ok(plugin.hashes(project, lasting, &model).await?.remove(name))
}

fn first_of<'l>(service: &str, listed: &'l [Listed]) -> Result<&'l Listed, String> {
    let of_it = listed.iter().filter(|listed| listed.container.service == service);
    let first = of_it.min_by_key(|listed| listed.container.number);
    first.ok_or_else(|| format!("service {service} has no container that another service could share"))
}

impl Shares {
    fn of(service: &Service, listed: &[Listed]) -> Result<Self, String> {
        let mode = |mode: &Option<String>| match mode.as_deref().and_then(|mode| mode.strip_prefix("service:")) {
            Some(other) => first_of(other, listed).map(|listed| Some(format!("container:{}", listed.id))),
            None => Ok(mode.clone()),
        };
        let from = |from: &String| match from.split(':').collect::<Vec<_>>()[..] {
            ["container", name, ..] => Ok(name.to_owned()),
            [other, ..] => first_of(other, listed).map(|listed| listed.id.clone()),
            [] => Ok(from.clone()),
        };
        Ok(Self {
            network_mode: mode(&service.network_mode)?,
            ipc: mode(&service.ipc)?,
            pid: mode(&service.pid)?,
            volumes_from: service.volumes_from.iter().map(from).collect::<Result<_, _>>()?,
            links: Vec::new(),
        })
    }

    /// The ids of the containers without which it cannot be.
    pub(super) fn containers(&self) -> Vec<String> {
        let modes = [&self.network_mode, &self.ipc, &self.pid].into_iter().flatten();
        let modes = modes.filter_map(|mode| mode.strip_prefix("container:")).map(str::to_owned);
        modes.chain(self.volumes_from.iter().cloned()).collect()
    }

    /// Says containers where a resolved service says services.
    fn put_in(&self, name: &str, services: &mut serde_json::Map<String, Value>) {
        let Some(service) = services.get_mut(name) else { return };
        for (key, mode) in [("network_mode", &self.network_mode), ("ipc", &self.ipc), ("pid", &self.pid)] {
            if let (Some(mode), Some(said)) = (mode, service.get_mut(key)) {
                *said = mode.clone().into();
            }
        }
        if let Some(said) = service.get_mut("volumes_from") {
            *said = self.volumes_from.clone().into();
            // Compose hashes the bare id of a container, which stands for a service wherever a file is read.
            let image = service.get("image").cloned().unwrap_or_else(|| "none".into());
            let other = |id: &String| (id.clone(), serde_json::json!({ "image": image }));
            services.extend(self.volumes_from.iter().map(other));
        }
    }
}
