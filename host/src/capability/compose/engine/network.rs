//! Networks and volumes. A network whose settings changed is made anew; a volume is never removed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, VolumeCreateRequest};

use super::Up;
use crate::capability::ApplyError;
use crate::capability::compose::docker::{self, Listed, unless_gone};
use crate::capability::compose::model::{Network, Volume};
use crate::capability::compose::state::Kept;
use crate::digest::Digest;

/// Docker lets go of containers a moment after it says that they are removed: of fifty, on a busy machine, more than 5 seconds.
const LINGERING: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

impl Up<'_> {
    /// Makes the networks that are missing; what is in one that must be made anew is removed first. Answers whether
    /// there was such a one.
    pub(super) async fn networks(&self, listed: &[Listed]) -> Result<bool, ApplyError> {
        let there = docker::networks(self.docker, self.project).await.map_err(self.failed("list networks"))?;
        let moved = |(name, kept): &(&String, &Kept)| {
            !kept.external && there.get(*name).is_some_and(|is| is.as_ref().is_some_and(|is| *is != kept.settings))
        };
        let moved: BTreeSet<&str> = self.version.networks.iter().filter(moved).map(|(name, _)| name.as_str()).collect();
        self.leave(&moved, listed).await?;
        let declared = self.model.networks.iter();
        let made = declared.map(|(key, network)| self.network(key, network, &there, &moved));
        self.work.all(made).await?;
        self.remove_twins().await?;
        Ok(!moved.is_empty())
    }

    /// Somebody else may have made the same network at the same time.
    pub(super) async fn remove_twins(&self) -> Result<(), ApplyError> {
        let twins = docker::twins(self.docker, self.project).await.map_err(self.failed("list networks"))?;
        self.work.all(twins.iter().map(|id| self.remove_network(id))).await.map(drop)
    }

    pub(super) async fn network(
        &self,
        key: &str,
        network: &Network,
        there: &BTreeMap<String, Option<Digest>>,
        moved: &BTreeSet<&str>,
    ) -> Result<(), ApplyError> {
        let name = network.name.as_str();
        let Some(Kept { settings, external }) = self.version.networks.get(name) else { return Ok(()) };
        if *external {
            return self.external_network(name).await;
        }
        if there.contains_key(name) && !moved.contains(name) {
            return Ok(());
        }
        let labels = self.network_labels(key, &network.labels, settings);
        let request = NetworkCreateRequest { labels: Some(labels), ..request(network) };
        let made = self.work.turn(self.docker.create_network(request)).await;
        made.map(drop).map_err(self.failed(format!("make network {name}")))
    }

    /// Removes networks with the containers that are in them.
    async fn leave(&self, networks: &BTreeSet<&str>, listed: &[Listed]) -> Result<(), ApplyError> {
        let within = |listed: &&Listed| {
            let service = self.version.services.get(&listed.container.service);
            service.is_some_and(|service| service.networks.iter().any(|name| networks.contains(name.as_str())))
        };
        self.work.all(listed.iter().filter(within).map(|listed| self.remove(listed))).await?;
        self.work.all(networks.iter().map(|name| self.remove_network(name))).await.map(drop)
    }

    async fn remove_network(&self, name: &str) -> Result<(), ApplyError> {
        let removed = self.work.turn(remove_network(self.docker, name)).await;
        removed.map_err(self.failed(format!("remove network {name}")))
    }

    async fn external_network(&self, name: &str) -> Result<(), ApplyError> {
        let found = self.docker.inspect_network(name, None).await;
        found.map(drop).map_err(self.failed(format!("use the external network {name}")))
    }

    /// Removes the project's networks that nothing declares any more.
    pub(super) async fn remove_unused_networks(&self) -> Result<(), ApplyError> {
        let there = docker::networks(self.docker, self.project).await.map_err(self.failed("list networks"))?;
        let unused = there.keys().filter(|name| !self.version.networks.contains_key(*name));
        self.work.all(unused.map(|name| self.remove_network(name))).await.map(drop)
    }

    /// Makes the volumes that are missing.
    pub(super) async fn volumes(&self) -> Result<(), ApplyError> {
        let there = docker::volumes(self.docker, self.project).await.map_err(self.failed("list volumes"))?;
        let made = self.model.volumes.iter().map(|(key, volume)| self.make_volume(key, volume, &there));
        self.work.all(made).await.map(drop)
    }

    async fn make_volume(&self, key: &str, volume: &Volume, there: &BTreeSet<String>) -> Result<(), ApplyError> {
        let name = &volume.name;
        let Some(kept) = self.version.volumes.get(name) else { return Ok(()) };
        if kept.external {
            let found = self.docker.inspect_volume(name).await;
            return found.map(drop).map_err(self.failed(format!("use the external volume {name}")));
        }
        if there.contains(name) {
            return Ok(());
        }
        let made = self.work.turn(self.docker.create_volume(self.volume(key, volume))).await;
        made.map(drop).map_err(self.failed(format!("make volume {name}")))
    }

    fn volume(&self, key: &str, volume: &Volume) -> VolumeCreateRequest {
        let mut labels = self.labels(&volume.labels);
        labels.insert("com.docker.compose.volume".to_owned(), key.to_owned());
        VolumeCreateRequest {
            name: Some(volume.name.clone()),
            driver: volume.driver.clone(),
            driver_opts: Some(volume.driver_opts.clone().into_iter().collect()),
            labels: Some(labels),
            ..VolumeCreateRequest::default()
        }
    }
}

/// Removes a network, unless it is gone.
///
/// # Errors
/// When containers of others are in it: they are named.
pub(super) async fn remove_network(docker: &Docker, name: &str) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        let error = match unless_gone(docker.remove_network(name).await) {
            Ok(()) => return Ok(()),
            Err(error) if is_in_use(&error) => error,
            Err(error) => return Err(error),
        };
        let within = docker.inspect_network(name, None).await.ok().and_then(|network| network.containers);
        let within: BTreeSet<String> = within.into_iter().flatten().filter_map(|(_, one)| one.name).collect();
        if within.is_empty() && began.elapsed() < LINGERING {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let Error::DockerResponseServerError { status_code, message } = error else { return Err(error) };
        let names = Vec::from_iter(within).join(", ");
        let hint = "stop them, or take them out of it with `docker network disconnect`";
        let message = match names.is_empty() {
            // The engine counts what it has in a network, and has been seen to lose count; a start puts that right.
            true => {
                format!("{message}, but it names none: a restart of the engine, `systemctl restart docker`, mends that")
            }
            false => format!("it is in use by containers that are not of this project: {names}; {hint}"),
        };
        return Err(Error::DockerResponseServerError { status_code, message });
    }
}

fn is_in_use(error: &Error) -> bool {
    let said = |message: &str| message.contains("active endpoints");
    matches!(error, Error::DockerResponseServerError { message, .. } if said(message))
}

pub(in crate::capability::compose) fn request(network: &Network) -> NetworkCreateRequest {
    let pools = network.ipam.config.iter().map(|pool| IpamConfig {
        subnet: pool.subnet.clone(),
        ip_range: pool.ip_range.clone(),
        gateway: pool.gateway.clone(),
        auxiliary_addresses: Some(pool.aux_addresses.clone().into_iter().collect()),
    });
    let driver = &network.ipam.driver;
    let said = driver.is_some() || !network.ipam.config.is_empty() || !network.ipam.options.is_empty();
    let ipam = said.then(|| Ipam {
        driver: driver.clone().or_else(|| Some("default".to_owned())),
        config: Some(pools.collect()),
        options: (!network.ipam.options.is_empty()).then(|| network.ipam.options.clone().into_iter().collect()),
    });
    NetworkCreateRequest {
        name: network.name.clone(),
        driver: Some(network.driver.clone().unwrap_or_else(|| "bridge".to_owned())),
        internal: Some(network.internal),
        attachable: Some(network.attachable),
        enable_ipv6: network.enable_ipv6,
        options: Some(HashMap::from_iter(network.driver_opts.clone())),
        ipam,
        ..NetworkCreateRequest::default()
    }
}
