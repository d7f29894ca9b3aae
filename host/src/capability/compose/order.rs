//! Whether a new container may run beside the one whose place it takes.

use super::model::{MountKind, Order, Service};

/// Why the former container is stopped first; `None`: the new one is started first.
pub(super) fn why_stop_first(service: &Service) -> Option<String> {
    let update = service.deploy.update_config.as_ref();
    let order = update.and_then(|update| update.order);
    let impossible = exclusive(service);
    match order {
        Some(Order::StopFirst) => Some("`update_config.order` says so".to_owned()),
        Some(Order::StartFirst) => impossible,
        None => impossible.or_else(|| shared_state(service)),
    }
}

/// What only one container at a time can have.
fn exclusive(service: &Service) -> Option<String> {
    let published = service.ports.iter().find_map(|port| port.published.as_deref().filter(|port| !port.is_empty()));
    if let Some(port) = published {
        return Some(format!("it publishes port {port}"));
    }
    if service.container_name.is_some() {
        return Some("`container_name` names one container".to_owned());
    }
    let has_address = |attachment: &&super::model::Attachment| {
        attachment.ipv4_address.is_some() || attachment.ipv6_address.is_some() || attachment.mac_address.is_some()
    };
    if service.networks.values().flatten().any(|attachment| has_address(&attachment)) || service.mac_address.is_some() {
        return Some("it has an address of its own".to_owned());
    }
    if service.network_mode.is_some() {
        return Some("`network_mode` gives it a network that it does not have alone".to_owned());
    }
    (!service.devices.is_empty() || !service.gpus.is_empty()).then(|| "it has devices".to_owned())
}

/// Two databases in one folder end badly, so what is written to is not written to by two, unless the file says so.
fn shared_state(service: &Service) -> Option<String> {
    let written = service.volumes.iter().find(|mount| {
        !mount.read_only && matches!(mount.kind, MountKind::Volume | MountKind::Bind) && mount.source.is_some()
    });
    written.map(|mount| format!("it writes to {}", mount.target))
}
