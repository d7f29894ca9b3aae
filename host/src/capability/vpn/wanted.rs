//! What all policies together declare of each interface, or how they contradict each other.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::{
    Boot, Content, Driver, Fact, Identity, Interface, Live, Name, Peer, PeerState, PublicKey, Seen, Spec, State, Unit,
};
use super::{networkd, userspace};
use crate::capability::{Declared, PlanError};
use crate::digest::Digest;

/// One interface and its peers.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) interface: &'a Interface,
    pub(super) policy: &'a str,
    pub(super) peers: BTreeMap<PublicKey, (&'a Peer, &'a str)>,
    /// The public half of the key pair that it is to have, when a mesh says so.
    pub(super) public_key: Option<PublicKey>,
    /// The hosts of its mesh that are no peers yet.
    pub(super) without_key: &'a [String],
}

/// By interface, sorted by name.
///
/// # Errors
/// When two specs contradict each other, or a peer's interface is not declared.
pub(super) fn merge(specs: &[Declared<Spec>]) -> Result<BTreeMap<&Name, Wanted<'_>>, PlanError> {
    let mut wanted = BTreeMap::new();
    for declared in specs {
        if let Some(interface) = declared.spec.declares() {
            add_interface(&mut wanted, interface, &declared.policy)?;
        }
        if let Spec::Mesh(mesh) = &declared.spec
            && let Some(wanted) = wanted.get_mut(&mesh.interface.name)
        {
            (wanted.public_key, wanted.without_key) = (mesh.public_key, &mesh.without_key);
        }
    }
    for declared in specs {
        for peer in declared.spec.peers() {
            let interface = wanted.get_mut(&peer.interface).ok_or_else(|| PlanError::Impossible {
                resource: format!("vpn {}", peer.interface),
                policy: declared.policy.clone(),
                reason: format!("{} is to be its peer, but no policy adds the interface", peer.public_key.short()),
            })?;
            interface.add_peer(peer, &declared.policy)?;
        }
    }
    Ok(wanted)
}

fn add_interface<'a>(
    wanted: &mut BTreeMap<&'a Name, Wanted<'a>>,
    interface: &'a Interface,
    policy: &'a str,
) -> Result<(), PlanError> {
    let name = &interface.name;
    if let Some(earlier) = wanted.get(name) {
        if earlier.interface == interface {
            return Ok(());
        }
        return Err(conflict(name, earlier.policy, policy, "they declare it differently".to_owned()));
    }
    let taken =
        |other: &&Wanted<'_>| interface.listen_port.is_some() && other.interface.listen_port == interface.listen_port;
    if let Some(other) = wanted.values().find(taken) {
        let port = interface.listen_port.unwrap_or_default();
        let reason = format!("{} listens on UDP port {port} as well", other.interface.name);
        return Err(conflict(name, other.policy, policy, reason));
    }
    wanted.insert(name, Wanted { interface, policy, peers: BTreeMap::new(), public_key: None, without_key: &[] });
    Ok(())
}

impl<'a> Wanted<'a> {
    fn add_peer(&mut self, peer: &'a Peer, policy: &'a str) -> Result<(), PlanError> {
        let name = &self.interface.name;
        if let Some((earlier, first)) = self.peers.get(&peer.public_key) {
            if *earlier == peer {
                return Ok(());
            }
            let reason = format!("they declare the peer {} differently", peer.public_key.short());
            return Err(conflict(name, first, policy, reason));
        }
        for (other, first) in self.peers.values() {
            // A prefix is held by one peer: wg(8) would silently take it from the other.
            if let Some(prefix) = peer.allowed_ips.intersection(&other.allowed_ips).next() {
                let (a, b) = (other.public_key.short(), peer.public_key.short());
                return Err(conflict(name, first, policy, format!("{prefix} goes to peer {a} and to peer {b}")));
            }
        }
        self.peers.insert(peer.public_key, (peer, policy));
        Ok(())
    }

    /// What the interface is to be, given what it is: where nothing is declared, it stays.
    ///
    /// # Errors
    /// When it is to be its own peer, or a secret was not read.
    pub(super) fn state(&self, seen: &Seen, fact: &Fact) -> Result<State, PlanError> {
        let is = &seen.state;
        let live = is.live.as_ref();
        let declared = self.public_key.filter(|key| seen.kept == Some(*key)).map(Identity::Of);
        let there = || is.boot.identity.or_else(|| live.and_then(|live| live.identity));
        let identity = declared.or_else(there).unwrap_or(Identity::HostMade);
        self.refuse_itself(identity)?;
        let peers = self.peer_states(&fact.secrets)?;
        let preshared = |(key, peer): (&PublicKey, &PeerState)| Some((*key, peer.preshared_key.clone()?));
        let unit = self.unit(seen, fact);
        // systemd-networkd(8) would look for an interface of the kernel.
        let by_kernel = |text: fn(&Self) -> String| unit.is_none().then(|| Content::Text(text(self)));
        let boot = Boot {
            netdev: by_kernel(networkd::netdev),
            network: by_kernel(networkd::network),
            identity: Some(identity),
            preshared_keys: peers.iter().filter_map(preshared).collect(),
            exposed: false,
            unit,
        };
        let interface = self.interface;
        let to = Live {
            identity: Some(identity),
            listen_port: interface.listen_port.or_else(|| live.and_then(|live| live.listen_port)),
            fwmark: interface.fwmark,
            mtu: interface.mtu,
            up: true,
            addresses: interface.addresses.clone(),
            routes: self.routes().or_else(|| live.map(|live| live.routes.clone())).unwrap_or_default(),
            tables: self.table().or_else(|| live.map(|live| live.tables.clone())).unwrap_or_default(),
            peers,
        };
        Ok(State { live: Some(to), boot })
    }

    /// What serves it where the kernel does not. A program that runs without systemd is whoever's has started it.
    fn unit(&self, seen: &Seen, fact: &Fact) -> Option<Unit> {
        let by_program = (seen.driver.is_none() && !fact.kernel) || seen.driver == Some(Driver::Userspace);
        if by_program && fact.userspace {
            return Some(Unit { content: Content::Text(userspace::unit(self)), enabled: true });
        }
        seen.state.boot.unit.clone().filter(|_| by_program)
    }

    /// The routes that the interface is to have; `None`: they are nobody's business here.
    pub(super) fn routes(&self) -> Option<BTreeSet<IpNet>> {
        let covered = |prefix: &IpNet| self.interface.addresses.iter().any(|address| address.trunc().contains(prefix));
        let elsewhere = self.interface.table.is_some();
        let routes = self.prefixes().filter(|prefix| !elsewhere && prefix.prefix_len() > 0 && !covered(prefix));
        self.interface.routes.then(|| routes.collect())
    }

    /// The routes that other tables than the main one are to have; `None`: they are nobody's business here.
    pub(super) fn table(&self) -> Option<BTreeMap<u32, BTreeSet<IpNet>>> {
        let filled = self.interface.table.map(|table| (table, self.prefixes().collect::<BTreeSet<_>>()));
        self.interface.routes.then(|| filled.into_iter().filter(|(_, routes)| !routes.is_empty()).collect())
    }

    fn prefixes(&self) -> impl Iterator<Item = IpNet> {
        self.peers.values().flat_map(|(peer, _)| peer.allowed_ips.iter().copied())
    }

    /// The secrets of its peers with their digests.
    pub(super) fn secrets(&self, digests: &BTreeMap<String, Digest>) -> BTreeMap<String, Digest> {
        let names = self.peers.values().filter_map(|(peer, _)| peer.preshared_key.as_ref());
        names.filter_map(|name| Some((name.clone(), digests.get(name)?.clone()))).collect()
    }

    fn peer_states(&self, secrets: &BTreeMap<String, Digest>) -> Result<BTreeMap<PublicKey, PeerState>, PlanError> {
        let unread =
            |name: &String| PlanError::Record { capability: "vpn", reason: format!("secret {name} was not read") };
        let state = |(key, (peer, _)): (&PublicKey, &(&Peer, &str))| {
            let preshared =
                peer.preshared_key.as_ref().map(|name| secrets.get(name).cloned().ok_or_else(|| unread(name)));
            let state = PeerState {
                allowed_ips: peer.allowed_ips.clone(),
                preshared_key: preshared.transpose()?,
                endpoint: peer.endpoint.clone(),
                persistent_keepalive: peer.persistent_keepalive,
            };
            Ok((*key, state))
        };
        self.peers.iter().map(state).collect()
    }

    /// The kernel drops such a peer without a word, so that no apply would ever get there.
    fn refuse_itself(&self, identity: Identity) -> Result<(), PlanError> {
        let Identity::Of(own) = identity else { return Ok(()) };
        let Some((peer, policy)) = self.peers.get(&own) else { return Ok(()) };
        Err(PlanError::Impossible {
            resource: format!("vpn {}", peer.interface),
            policy: (*policy).to_owned(),
            reason: format!("{} is the interface's own public key, so it cannot be its peer", own.short()),
        })
    }
}

fn conflict(name: &Name, first: &str, second: &str, reason: String) -> PlanError {
    PlanError::Conflict { resource: format!("vpn {name}"), first: first.to_owned(), second: second.to_owned(), reason }
}
