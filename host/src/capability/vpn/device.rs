//! The kernel's or a program's WireGuard, by `wireguard-control`. Keys stay in [`Secret`]s here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::time::SystemTime;

use ipnet::IpNet;
use wireguard_control::{AllowedIp, Backend, DeviceUpdate, InterfaceName, Key, PeerConfigBuilder, PeerInfo};

use super::{Driver, Name, PeerState, PublicKey};
use crate::secret::Secret;

/// How many prefixes go into one message: a netlink message holds 8 KiB, and a prefix takes 40 bytes.
const PREFIXES: usize = 100;

/// A device with its keys.
#[derive(Debug, Default)]
pub(super) struct Device {
    pub(super) private: Option<Secret<Key>>,
    pub(super) listen_port: Option<u16>,
    pub(super) fwmark: Option<u32>,
    pub(super) peers: BTreeMap<PublicKey, DevicePeer>,
}

/// A peer with its key.
#[derive(Debug, Default)]
pub(super) struct DevicePeer {
    pub(super) preshared: Option<Secret<Key>>,
    pub(super) endpoint: Option<SocketAddr>,
    pub(super) keepalive: Option<u16>,
    pub(super) allowed_ips: BTreeSet<IpNet>,
    /// When the last one was completed.
    pub(super) handshake: Option<SystemTime>,
    /// In bytes.
    pub(super) received: u64,
    /// In bytes.
    pub(super) sent: u64,
}

/// A WireGuard refused. Never holds what it was asked, in which there are keys.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct DeviceError(String);

impl From<std::io::Error> for DeviceError {
    fn from(error: std::io::Error) -> Self {
        // The crate puts whole messages, with their keys, into the errors that it makes itself.
        let code = error.raw_os_error().map(|code| std::io::Error::from_raw_os_error(code).to_string());
        Self(code.unwrap_or_else(|| error.kind().to_string()))
    }
}

/// Where programs listen, each on a socket named after its interface.
const SOCKETS: &str = "/var/run/wireguard";

/// Whether a program serves the interface.
pub(super) fn has_program(name: &Name) -> bool {
    UnixStream::connect(format!("{SOCKETS}/{name}.sock")).is_ok()
}

/// The interfaces that a program serves, in no order.
pub(super) fn programs() -> Vec<Name> {
    let Ok(entries) = std::fs::read_dir(SOCKETS) else { return Vec::new() };
    let files = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let names = files.filter_map(|file| file.strip_suffix(".sock")?.parse::<Name>().ok());
    names.filter(has_program).collect()
}

/// Reads the device.
///
/// # Errors
/// When it is gone, or may not be read.
pub(super) fn read(name: &Name, driver: &Driver) -> Result<Device, DeviceError> {
    let device = wireguard_control::Device::get(&interface(name)?, backend(driver))?;
    let mut read = Device {
        private: device.private_key.filter(is_set).map(Secret::new),
        listen_port: device.listen_port.filter(|port| *port != 0),
        fwmark: device.fwmark.filter(|mark| *mark != 0),
        peers: BTreeMap::new(),
    };
    for peer in device.peers {
        // The kernel splits a peer with many prefixes over several messages, and only the first has all the rest.
        let key = PublicKey::new(peer.config.public_key.0);
        read.peers.entry(key).or_default().merge(peer);
    }
    Ok(read)
}

/// Changes the device; what the update does not name stays.
///
/// # Errors
/// When it is refused.
pub(super) fn update(name: &Name, driver: &Driver, update: DeviceUpdate) -> Result<(), DeviceError> {
    Ok(update.apply(&interface(name)?, backend(driver))?)
}

impl DevicePeer {
    fn merge(&mut self, PeerInfo { config, stats }: PeerInfo) {
        // The epoch is how WireGuard says never.
        self.handshake = self.handshake.or(stats.last_handshake_time).filter(|time| *time > SystemTime::UNIX_EPOCH);
        self.received = self.received.max(stats.rx_bytes);
        self.sent = self.sent.max(stats.tx_bytes);
        // A preshared key of zeros is how WireGuard says none.
        self.preshared = self.preshared.take().or(config.preshared_key.filter(is_set).map(Secret::new));
        self.endpoint = self.endpoint.or(config.endpoint);
        self.keepalive = self.keepalive.or(config.persistent_keepalive_interval).filter(|seconds| *seconds != 0);
        let prefix = |ip: &AllowedIp| IpNet::new(ip.address, ip.cidr).ok();
        self.allowed_ips.extend(config.allowed_ips.iter().filter_map(prefix));
    }
}

/// What makes a peer `to` from what it `is`, without touching what is right already.
pub(super) fn peer_updates(
    key: &PublicKey,
    is: Option<&PeerState>,
    to: &PeerState,
    preshared: Option<&Secret<Key>>,
    endpoint: Option<SocketAddr>,
) -> Vec<PeerConfigBuilder> {
    let none = PeerState::default();
    let is = is.unwrap_or(&none);
    let mut first = builder(key);
    if is.preshared_key != to.preshared_key {
        first = match preshared {
            Some(preshared) => first.set_preshared_key(preshared.reveal().clone()),
            None => first.unset_preshared_key(),
        };
    }
    if let Some(endpoint) = endpoint {
        first = first.set_endpoint(endpoint);
    }
    if is.persistent_keepalive != to.persistent_keepalive {
        first = first.set_persistent_keepalive_interval(to.persistent_keepalive.unwrap_or(0));
    }
    let mut wanted: BTreeSet<_> = to.allowed_ips.difference(&is.allowed_ips).copied().collect();
    if !is.allowed_ips.is_subset(&to.allowed_ips) {
        // Only a replacement takes a prefix away; where there is nothing to take away, no packet is lost.
        first = first.replace_allowed_ips();
        wanted = to.allowed_ips.clone();
    }
    let wanted: Vec<_> =
        wanted.into_iter().map(|net| AllowedIp { address: net.addr(), cidr: net.prefix_len() }).collect();
    let mut chunks = wanted.chunks(PREFIXES);
    let mut updates = vec![first.add_allowed_ips(chunks.next().unwrap_or_default())];
    updates.extend(chunks.map(|chunk| builder(key).add_allowed_ips(chunk)));
    updates
}

fn builder(key: &PublicKey) -> PeerConfigBuilder {
    PeerConfigBuilder::new(&Key(key.bytes()))
}

fn is_set(key: &Key) -> bool {
    *key != Key::zero()
}

fn backend(driver: &Driver) -> Backend {
    match driver {
        Driver::Userspace => Backend::Userspace,
        Driver::Kernel | Driver::Other(_) => Backend::Kernel,
    }
}

fn interface(name: &Name) -> Result<InterfaceName, DeviceError> {
    name.as_str().parse().map_err(|_| DeviceError("its name is no name of an interface".to_owned()))
}
