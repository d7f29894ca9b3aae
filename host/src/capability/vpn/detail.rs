//! What a step shows of an interface: each setting, and each peer on a line of its own.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::{Boot, Driver, Fact, Identity, Live, PeerState, PublicKey, Seen, Set, State};
use crate::plan::Step;

/// What people call the peers.
pub(super) type Names<'a> = BTreeMap<PublicKey, &'a str>;

/// Adds what changes from `seen` to `to`.
pub(super) fn describe(step: Step<Set>, seen: &Seen, to: &State, names: &Names<'_>, fact: &Fact) -> Step<Set> {
    let is = &seen.state;
    let step = settings(step, is.live.as_ref(), to.live.as_ref());
    let step = peers(step, is.live.as_ref(), to.live.as_ref(), names);
    let step = boot(step, &is.boot, &to.boot);
    notes(step, seen, to, fact)
}

fn settings(step: Step<Set>, is: Option<&Live>, to: Option<&Live>) -> Step<Set> {
    type Shown = fn(&Live) -> Option<String>;
    let shown: [(&str, Shown); 7] = [
        ("state", |live| Some(if live.up { "up" } else { "down" }.to_owned())),
        ("public key", |live| live.identity.map(identity)),
        ("listen port", |live| live.listen_port.map(|port| port.to_string())),
        ("fwmark", |live| live.fwmark.map(|mark| format!("{mark:#x}"))),
        ("mtu", |live| Some(live.mtu.to_string())),
        ("addresses", |live| list(&live.addresses)),
        ("routes", |live| list(&live.routes)),
    ];
    let step = shown.iter().fold(step, |step, (name, show)| step.field(name, is.and_then(show), to.and_then(show)));
    let tables = |live: Option<&Live>| live.map(|live| live.tables.clone()).unwrap_or_default();
    let (is, to) = (tables(is), tables(to));
    let all: BTreeSet<_> = is.keys().chain(to.keys()).collect();
    let of = |tables: &BTreeMap<u32, BTreeSet<IpNet>>, table| tables.get(table).and_then(list);
    all.iter().fold(step, |step, table| step.field(&format!("table {table}"), of(&is, table), of(&to, table)))
}

fn peers(mut step: Step<Set>, is: Option<&Live>, to: Option<&Live>, names: &Names<'_>) -> Step<Set> {
    let none = BTreeMap::new();
    let (is, to) = (is.map_or(&none, |live| &live.peers), to.map_or(&none, |live| &live.peers));
    let keys: BTreeSet<_> = is.keys().chain(to.keys()).collect();
    for key in keys {
        let label = match names.get(key) {
            Some(name) => format!("peer {name} {}", key.short()),
            None => format!("peer {}", key.short()),
        };
        step = step.field(&label, is.get(key).map(peer), to.get(key).map(peer));
    }
    step
}

fn boot(step: Step<Set>, is: &Boot, to: &Boot) -> Step<Set> {
    let is_there = |boot: &Boot| *boot != Boot::default();
    let (before, after) = match (is_there(is), is == to) {
        (_, true) => (None, None),
        (true, false) => (Some("otherwise".to_owned()), is_there(to).then(|| "the same".to_owned())),
        (false, false) => (None, is_there(to).then(|| "the same".to_owned())),
    };
    let exposed = |boot: &Boot| boot.exposed.then(|| "readable by others".to_owned());
    step.field("after a boot", before, after).field("files of keys", exposed(is), exposed(to))
}

fn notes(mut step: Step<Set>, seen: &Seen, to: &State, fact: &Fact) -> Step<Set> {
    let is = &seen.state;
    let stays = |identity: &Identity| to.live.as_ref().and_then(|live| live.identity) == Some(*identity);
    if let Some(own) = is.live.as_ref().and_then(|live| live.identity).filter(stays) {
        step = step.note(format!("its public key stays {}", identity(own)));
    }
    if is.live.is_some() && !is.boot.comes_back() && to.boot.comes_back() {
        step = step.note("it is there already and is taken over: what made it must not make it at boot any more");
    }
    if is.boot.identity.is_some() && to.boot.identity.is_none() {
        step = step.note("its private key is kept, for root alone: an interface of this name gets it back");
    }
    if !to.boot.comes_back() {
        return step;
    }
    if seen.driver.is_none() && to.boot.unit.is_some() {
        return step.note("the kernel has no WireGuard: wireguard-go serves it, by a unit of its own");
    }
    if seen.driver == Some(Driver::Userspace) {
        let never = "it runs in userspace: after a boot it has neither keys nor peers until the next apply";
        return if to.boot.unit.is_none() { step.note(never) } else { step };
    }
    if !fact.networkd {
        step =
            step.note("systemd-networkd.service is not enabled: until it is, the interface does not come back at boot");
    }
    step
}

fn identity(identity: Identity) -> String {
    match identity {
        Identity::HostMade => "made on the host when applied".to_owned(),
        Identity::Of(key) => key.to_string(),
    }
}

fn peer(peer: &PeerState) -> String {
    let mut shown = vec![list(&peer.allowed_ips).unwrap_or_else(|| "no prefix".to_owned())];
    shown.extend(peer.preshared_key.as_ref().map(|digest| format!("preshared key {}", digest.short())));
    shown.extend(peer.endpoint.as_ref().map(|endpoint| format!("at {endpoint}")));
    shown.extend(peer.persistent_keepalive.map(|seconds| format!("keepalive {seconds} s")));
    shown.join(", ")
}

fn list(prefixes: &BTreeSet<IpNet>) -> Option<String> {
    let shown: Vec<_> = prefixes.iter().map(ToString::to_string).collect();
    (!shown.is_empty()).then(|| shown.join(" "))
}
