//! The overlay networks of a stack.

use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::NetworkCreateRequest;
use tokio::time::Instant;

use super::{PAUSE, Stack, look, until_free};
use crate::capability::ApplyError;
use crate::capability::compose::docker::SETTINGS;
use crate::capability::compose::engine::network_request;
use crate::capability::compose::state::Kept;

/// Tasks leave a network when they have stopped.
const LEAVE: Duration = Duration::from_secs(60);

impl Stack<'_> {
    /// Makes the networks that are missing. The services in one that must be made anew go first.
    pub(super) async fn networks(&self) -> Result<(), ApplyError> {
        let up = self.up;
        let there = look::networks(up.docker, up.project).await.map_err(up.failed("list networks"))?;
        for network in up.model.networks.values() {
            let Some(Kept { settings, external }) = up.version.networks.get(&network.name) else { continue };
            if *external {
                let found = up.docker.inspect_network(&network.name, None).await;
                found.map(drop).map_err(up.failed(format!("use the external network {}", network.name)))?;
                continue;
            }
            match there.get(&network.name) {
                Some(Some(is)) if is != settings => self.leave(&network.name).await?,
                Some(_) => continue,
                None => {}
            }
            let mut labels = look::labels(up.project, &network.labels);
            labels.insert(SETTINGS.to_owned(), settings.to_string());
            let driver = Some(network.driver.clone().unwrap_or_else(|| "overlay".to_owned()));
            let request = NetworkCreateRequest { labels: Some(labels), driver, ..network_request(network) };
            let made = up.docker.create_network(request).await;
            made.map_err(up.failed(format!("make network {}", network.name)))?;
        }
        Ok(())
    }

    async fn leave(&self, network: &str) -> Result<(), ApplyError> {
        let within = |name: &&String| {
            let service = self.up.version.services.get(*name);
            service.is_none_or(|service| service.networks.contains(network))
        };
        for name in self.services().await?.keys().filter(within) {
            self.remove(name).await?;
        }
        self.remove_network(network).await
    }

    /// Removes the networks that nothing declares any more.
    pub(super) async fn prune_networks(&self) -> Result<(), ApplyError> {
        let there = look::networks(self.up.docker, self.up.project).await.map_err(self.up.failed("list networks"))?;
        for name in there.keys().filter(|name| !self.up.version.networks.contains_key(*name)) {
            self.remove_network(name).await?;
        }
        Ok(())
    }

    async fn remove_network(&self, name: &str) -> Result<(), ApplyError> {
        remove(self.up.docker, name).await.map_err(self.up.failed(format!("remove network {name}")))
    }
}

/// Removes a network, and waits until this node has let go of it: one of the same name may be made right after.
pub(super) async fn remove(docker: &Docker, name: &str) -> Result<(), Error> {
    until_free(|| docker.remove_network(name), LEAVE).await?;
    let begun = Instant::now();
    while docker.inspect_network(name, None).await.is_ok() && begun.elapsed() < LEAVE {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
