//! Where a container is to be reached: its places in networks, and its ports.

use std::collections::BTreeMap;

use bollard::models::{EndpointIpamConfig, EndpointSettings, PortBinding, PortMap};

use super::Up;
use crate::capability::ApplyError;
use crate::capability::compose::model::{Attachment, Port, Service};

/// The option of a network's driver that names the interface.
const INTERFACE: &str = "com.docker.network.endpoint.ifname";

/// From which version of the API on Docker heeds these; an older one says nothing, and does not (Engine API, version
/// history).
const NEWER: &[(&str, usize, Says)] = &[
    ("mac_address", 44, |attachment| attachment.mac_address.is_some()),
    ("gw_priority", 48, |attachment| attachment.gw_priority.is_some_and(|priority| priority != 0)),
    ("interface_name", 49, |attachment| attachment.interface_name.is_some()),
];

/// Whether a key is said.
type Says = fn(&Attachment) -> bool;

impl Up<'_> {
    /// Whether the engine heeds what is said of networks.
    ///
    /// # Errors
    /// For the first key that it would not.
    pub(super) fn check_engine(&self) -> Result<(), ApplyError> {
        let version = self.docker.client_version();
        let minor = if version.major_version > 1 { usize::MAX } else { version.minor_version };
        let unheeded = self.model.services.iter().find_map(|(name, service)| Some((name, unheeded(service, minor)?)));
        let Some((name, (key, needed))) = unheeded else { return Ok(()) };
        Err(self.refused(format!(
            "service {name}, key {key}: needs an engine of API 1.{needed}, and this one is of 1.{minor}: a newer Docker \
             heeds it"
        )))
    }

    /// The networks of a service by their names in Docker, the most important first.
    pub(super) fn attachments<'s>(
        &'s self,
        service: &'s Service,
    ) -> impl Iterator<Item = (&'s str, Option<&'s Attachment>)> {
        let own = service.networks.iter().filter(|_| service.network_mode.is_none());
        let mut attachments: Vec<_> = own.map(|(key, attachment)| (key, attachment.as_ref())).collect();
        attachments.sort_by_key(|(key, attachment)| (-attachment.map_or(0, |attachment| attachment.priority), *key));
        let named =
            |(key, attachment): (&'s String, _)| Some((self.model.networks.get(key)?.name.as_str(), attachment));
        attachments.into_iter().filter_map(named)
    }
}

/// The first key that an engine of this version leaves out without a word, and the version that does not.
fn unheeded(service: &Service, minor: usize) -> Option<(&'static str, usize)> {
    // Before, it was a key of the container.
    let own = service.mac_address.is_some().then_some(("mac_address", 44)).into_iter();
    let keys = NEWER.iter().filter(|(_, _, says)| service.networks.values().flatten().any(says));
    own.chain(keys.map(|(key, needed, _)| (*key, *needed))).find(|(_, needed)| minor < *needed)
}

/// How a container is in a network, under these names.
pub(super) fn endpoint(
    names: [&str; 2],
    links: &[String],
    mac_address: Option<&String>,
    attachment: Option<&Attachment>,
) -> EndpointSettings {
    let none = Attachment::default();
    let attachment = attachment.unwrap_or(&none);
    let mut driver_opts = attachment.driver_opts.clone();
    driver_opts.extend(attachment.interface_name.iter().map(|name| (INTERFACE.to_owned(), name.clone())));
    let addresses = EndpointIpamConfig {
        ipv4_address: attachment.ipv4_address.clone(),
        ipv6_address: attachment.ipv6_address.clone(),
        link_local_ips: (!attachment.link_local_ips.is_empty()).then(|| attachment.link_local_ips.clone()),
    };
    EndpointSettings {
        aliases: Some(names.map(str::to_owned).into_iter().chain(attachment.aliases.iter().cloned()).collect()),
        links: (!links.is_empty()).then(|| links.to_vec()),
        mac_address: attachment.mac_address.as_ref().or(mac_address).cloned(),
        driver_opts: (!driver_opts.is_empty()).then(|| driver_opts.into_iter().collect()),
        gw_priority: attachment.gw_priority,
        ipam_config: (addresses != EndpointIpamConfig::default()).then_some(addresses),
        ..EndpointSettings::default()
    }
}

pub(super) fn container_port(port: &Port) -> String {
    format!("{}/{}", port.target, port.protocol.as_deref().unwrap_or("tcp"))
}

pub(super) fn port_bindings(ports: &[Port]) -> PortMap {
    let mut bindings: BTreeMap<String, Vec<PortBinding>> = BTreeMap::new();
    for port in ports {
        bindings.entry(container_port(port)).or_default().push(PortBinding {
            host_ip: Some(port.host_ip.clone().unwrap_or_default()),
            host_port: Some(port.published.clone().unwrap_or_default()),
        });
    }
    bindings.into_iter().map(|(port, bindings)| (port, Some(bindings))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_engine_is_not_given_what_it_leaves_out() {
        let service = |text: &str| serde_json::from_str::<Service>(text).unwrap_or_default();
        let in_network = service(r#"{"networks": {"a": {"mac_address": "02:42:ac:11:00:02"}}}"#);
        assert_eq!(unheeded(&in_network, 43), Some(("mac_address", 44)));
        assert_eq!(unheeded(&service(r#"{"mac_address": "02:42:ac:11:00:02"}"#), 43), Some(("mac_address", 44)));
        assert_eq!(unheeded(&in_network, 44), None);
        assert_eq!(
            unheeded(&service(r#"{"networks": {"a": {"interface_name": "x0"}}}"#), 48),
            Some(("interface_name", 49))
        );
        assert_eq!(unheeded(&service(r#"{"networks": {"a": null}}"#), 41), None);
    }
}
