//! Makes a container: of its image, in its networks, with its files.

use bollard::models::{ContainerInspectResponse, NetworkConnectRequest, NetworkingConfig};
use bollard::query_parameters::CreateContainerOptions;

use super::Up;
use super::body::Given;
use super::converge::Task;
use super::endpoint::endpoint;
use super::shares::Shares;
use crate::capability::ApplyError;
use crate::capability::compose::docker::{CONFIG, CONFIG_HASH, Listed, SHARES};

impl Up<'_> {
    /// Makes a container of a service; others find it under the service's names where `is_known`.
    pub(super) async fn create(
        &self,
        task: Task<'_>,
        listed: &[Listed],
        number: u32,
        called: &str,
        former: Option<&ContainerInspectResponse>,
        is_known: bool,
    ) -> Result<String, ApplyError> {
        let Task { name, service, image, .. } = task;
        let own = self.container_name(name, service, number);
        let shares = self.shares(service, number, listed)?;
        let mut labels = self.container_labels(name, number, &image.image.id);
        if service.shares().next().is_some() {
            let hash = self.hash(name, listed).await?;
            let plain = labels.insert(CONFIG_HASH.to_owned(), hash).unwrap_or_default();
            labels.insert(CONFIG.to_owned(), plain);
            labels.insert(SHARES.to_owned(), shares.containers().join(","));
        }
        let given = Given { image: &image.called, labels, former, shares: &shares };
        let mut body = self.body(service, given)?;
        let mut endpoints = self.endpoints(task, &own, &shares, is_known).into_iter();
        body.networking_config =
            Some(NetworkingConfig { endpoints_config: Some(endpoints.next().into_iter().collect()) });
        let options = CreateContainerOptions {
            name: Some(called.to_owned()),
            platform: service.platform.clone().unwrap_or_default(),
        };
        let made = self.work.turn(self.docker.create_container(Some(options), body)).await;
        let id = made.map_err(self.failed(format!("make the container {own} of service {name}")))?.id;
        // Engines before API 1.44 take one network when they make a container.
        for (network, endpoint) in endpoints {
            self.connect(&id, &own, network, endpoint).await?;
        }
        self.write_files(&id, &own, service).await?;
        Ok(id)
    }

    /// The networks of a container, and how it is in each.
    pub(super) fn endpoints(
        &self,
        task: Task<'_>,
        own: &str,
        shares: &Shares,
        is_known: bool,
    ) -> Vec<(String, bollard::models::EndpointSettings)> {
        let mut mac_address = task.service.mac_address.as_ref();
        let attachments = self.attachments(task.service);
        attachments
            .map(|(network, attachment)| {
                let known = endpoint([own, task.name], &shares.links, mac_address.take(), attachment);
                let unknown = bollard::models::EndpointSettings { aliases: None, links: None, ..known.clone() };
                (network.to_owned(), if is_known { known } else { unknown })
            })
            .collect()
    }

    /// Lets others find a running container under the names of its service.
    pub(super) async fn make_known(
        &self,
        task: Task<'_>,
        listed: &[Listed],
        number: u32,
        id: &str,
    ) -> Result<(), ApplyError> {
        let own = self.container_name(task.name, task.service, number);
        let shares = self.shares(task.service, number, listed)?;
        for (network, endpoint) in self.endpoints(task, &own, &shares, true) {
            // Docker gives names when a container enters a network, and at no other time.
            let request = bollard::models::NetworkDisconnectRequest { container: id.to_owned(), force: Some(false) };
            let left = self.docker.disconnect_network(&network, request).await;
            left.map_err(self.failed(format!("disconnect {own} from network {network}")))?;
            self.connect(id, &own, network, endpoint).await?;
        }
        Ok(())
    }

    pub(super) async fn connect(
        &self,
        id: &str,
        own: &str,
        network: String,
        endpoint: bollard::models::EndpointSettings,
    ) -> Result<(), ApplyError> {
        let request = NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(endpoint) };
        let connected = self.docker.connect_network(&network, request).await;
        connected.map_err(self.failed(format!("connect {own} to network {network}")))
    }
}
