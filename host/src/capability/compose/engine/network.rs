//! Networks and volumes. A network whose settings changed is made anew; a volume is never removed.

use std::collections::HashMap;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, VolumeCreateRequest};
use futures::future::try_join_all;

use super::Up;
use crate::capability::ApplyError;
use crate::capability::compose::docker::{self, Listed, unless_gone};
use crate::capability::compose::model::{Network, Volume};
use crate::capability::compose::state::Kept;

impl Up<'_> {
    /// Makes the networks that are missing; what is in one that must be made anew is removed first.
    pub(super) async fn networks(&self, listed: &[Listed]) -> Result<(), ApplyError> {
        let there = docker::networks(self.docker, self.project).await.map_err(self.failed("list networks"))?;
        for (key, network) in &self.model.networks {
            let Some(Kept { settings, external }) = self.version.networks.get(&network.name) else { continue };
            if *external {
                self.external_network(&network.name).await?;
                continue;
            }
            match there.get(&network.name) {
                Some(Some(is)) if is != settings => self.leave(&network.name, listed).await?,
                Some(_) => continue,
                None => {}
            }
            let labels = self.network_labels(key, &network.labels, settings);
            let request = NetworkCreateRequest { labels: Some(labels), ..request(network) };
            let made = self.docker.create_network(request).await;
            made.map_err(self.failed(format!("make network {}", network.name)))?;
        }
        Ok(())
    }

    /// Removes a network with the containers that are in it.
    async fn leave(&self, network: &str, listed: &[Listed]) -> Result<(), ApplyError> {
        let within = |listed: &&Listed| {
            let service = self.version.services.get(&listed.container.service);
            service.is_some_and(|service| service.networks.contains(network))
        };
        try_join_all(listed.iter().filter(within).map(|listed| self.remove(listed))).await?;
        let removed = unless_gone(self.docker.remove_network(network).await);
        removed.map_err(self.failed(format!("remove network {network}")))
    }

    async fn external_network(&self, name: &str) -> Result<(), ApplyError> {
        let found = self.docker.inspect_network(name, None).await;
        found.map(drop).map_err(self.failed(format!("use the external network {name}")))
    }

    /// Removes the project's networks that nothing declares any more.
    pub(super) async fn remove_unused_networks(&self) -> Result<(), ApplyError> {
        let there = docker::networks(self.docker, self.project).await.map_err(self.failed("list networks"))?;
        for name in there.keys().filter(|name| !self.version.networks.contains_key(*name)) {
            let removed = unless_gone(self.docker.remove_network(name).await);
            removed.map_err(self.failed(format!("remove network {name}")))?;
        }
        Ok(())
    }

    /// Makes the volumes that are missing.
    pub(super) async fn volumes(&self) -> Result<(), ApplyError> {
        let there = docker::volumes(self.docker, self.project).await.map_err(self.failed("list volumes"))?;
        for (key, volume) in &self.model.volumes {
            let Some(kept) = self.version.volumes.get(&volume.name) else { continue };
            if kept.external {
                let found = self.docker.inspect_volume(&volume.name).await;
                found.map(drop).map_err(self.failed(format!("use the external volume {}", volume.name)))?;
            } else if !there.contains(&volume.name) {
                let made = self.docker.create_volume(self.volume(key, volume)).await;
                made.map(drop).map_err(self.failed(format!("make volume {}", volume.name)))?;
            }
        }
        Ok(())
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
