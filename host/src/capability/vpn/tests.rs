//! The back-end on real WireGuard: the kernel's where it has one, wireguard-go's elsewhere.

mod host;
mod inside;
mod life;
mod taken;
mod tunnel;

use std::net::IpAddr;

use anyhow::Result;
use ipnet::IpNet;
use proptest::prelude::*;
use wireguard_control::{Key, PeerConfigBuilder};

use super::device::peer_updates;
use super::{Driver, Fact, Identity, Interface, Peer, PeerState, PublicKey, Seen, Spec, Vpn, diff};
use crate::capability::{Declared, Desired, Owned};

fn key(byte: u8) -> PublicKey {
    PublicKey::new([byte; 32])
}

fn state(allowed_ips: &[&str]) -> PeerState {
    let allowed_ips = allowed_ips.iter().filter_map(|prefix| prefix.parse().ok()).collect();
    PeerState { allowed_ips, ..PeerState::default() }
}

fn one(byte: u8) -> PeerConfigBuilder {
    PeerConfigBuilder::new(&Key([byte; 32]))
}

#[test]
fn a_prefix_more_replaces_none() {
    let update =
        peer_updates(&key(1), Some(&state(&["10.0.0.1/32"])), &state(&["10.0.0.1/32", "10.0.0.2/32"]), None, None);
    assert_eq!(update, [one(1).add_allowed_ip(IpAddr::from([10, 0, 0, 2]), 32)]);
}

#[test]
fn a_prefix_less_replaces_all() {
    let update =
        peer_updates(&key(1), Some(&state(&["10.0.0.1/32", "10.0.0.2/32"])), &state(&["10.0.0.2/32"]), None, None);
    assert_eq!(update, [one(1).replace_allowed_ips().add_allowed_ip(IpAddr::from([10, 0, 0, 2]), 32)]);
}

#[test]
fn a_peer_that_is_right_is_left_alone() {
    let is = PeerState { persistent_keepalive: Some(25), ..state(&["10.0.0.1/32"]) };
    assert_eq!(peer_updates(&key(1), Some(&is), &is, None, None), [one(1)]);
}

prop_compose! {
    fn prefix()(bits in any::<u32>(), length in 0u8..=32) -> IpNet {
        IpNet::new(IpAddr::from(bits.to_be_bytes()), length).map(|prefix| prefix.trunc()).unwrap_or_default()
    }
}

prop_compose! {
    fn peer(byte: u8)(
        allowed_ips in prop::collection::btree_set(prefix(), 0..4),
        endpoint in prop::option::of(1u16..),
        persistent_keepalive in prop::option::of(1u16..),
    ) -> Peer {
        Peer {
            interface: "wg0".to_owned().try_into().unwrap_or_else(|_| unreachable!()),
            public_key: key(byte),
            name: endpoint.map(|port| format!("peer {port}")),
            preshared_key: None,
            endpoint: endpoint.and_then(|port| format!("vpn.example.org:{port}").parse().ok()),
            allowed_ips,
            persistent_keepalive,
        }
    }
}

prop_compose! {
    fn interface()(
        addresses in prop::collection::btree_set(prefix(), 0..3),
        listen_port in prop::option::of(1u16..),
        fwmark in prop::option::of(1u32..),
        mtu in 1280u32..9000,
        routes in any::<bool>(),
        table in prop::option::of(256u32..),
    ) -> Interface {
        let name = "wg0".to_owned().try_into().unwrap_or_else(|_| unreachable!());
        Interface { name, addresses, listen_port, mtu, fwmark, routes, table: table.filter(|_| routes) }
    }
}

fn planned(fact: &Fact, specs: &[Declared<Spec>]) -> Option<Vec<super::Set>> {
    let desired = Desired::<Vpn> { specs, owned: &Owned::new(), changed: &Default::default() };
    let diff = diff::diff(fact, &desired).ok()?;
    Some(diff.steps.into_iter().map(|step| step.action).collect())
}

proptest! {
    /// Whatever is declared, a machine on which it is so needs no step.
    #[test]
    fn what_is_as_declared_needs_no_step(interface in interface(), a in peer(1), b in peer(2)) {
        let name = interface.name.clone();
        let specs: Vec<_> = [Spec::Interface(interface), Spec::Peer(a), Spec::Peer(b)]
            .into_iter()
            .map(|spec| Declared { policy: "base".to_owned(), spec })
            .collect();
        let mut fact = Fact { kernel: true, ..Fact::default() };
        // Peers that happen to share a prefix are refused, which is shown elsewhere.
        let Some(mut steps) = planned(&fact, &specs) else { return Ok(()) };
        prop_assert_eq!(steps.len(), 1);
        let Some(mut to) = steps.pop().map(|set| set.to) else { return Ok(()) };
        let own = Some(Identity::Of(key(9)));
        to.boot.identity = own;
        if let Some(live) = &mut to.live {
            live.identity = own;
            live.listen_port = live.listen_port.or(Some(40000));
        }
        fact.interfaces.insert(name, Seen { driver: Some(Driver::Kernel), state: to, kept: None });
        prop_assert_eq!(planned(&fact, &specs), Some(Vec::new()));
    }
}

/// What a peer or an interface is declared to be, in the words of the recorded spec.
fn specs(declared: &[serde_json::Value]) -> Result<Vec<Declared<Spec>>> {
    let one = |spec: &serde_json::Value| {
        Ok(Declared { policy: "base".to_owned(), spec: serde_json::from_value(spec.clone())? })
    };
    declared.iter().map(one).collect()
}
