//! From `[vpn.NAME]` to meshes, keeping the place of everything that can be wrong.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use super::Mesh;
use crate::capability::vpn::{Endpoint, Name as InterfaceName};
use crate::repo::Name;
use crate::repo::error::{Fault, Problem};
use crate::repo::parse::{Item, entries, read};

/// The port of the field's manuals.
const PORT: u16 = 51820;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    networks: Spanned<Vec<Spanned<IpNet>>>,
    hosts: Spanned<Vec<Spanned<Name>>>,
    listen_port: Option<NonZeroU16>,
    #[serde(default)]
    endpoints: BTreeMap<Spanned<Name>, Endpoint>,
    persistent_keepalive: Option<NonZeroU16>,
    mtu: Option<Spanned<u32>>,
}

/// Reads each mesh; `hosts` are those that `stead.toml` has.
pub(crate) fn meshes<'a, 'i: 'a>(
    tables: impl Iterator<Item = (InterfaceName, &'a Item<'i>)>,
    hosts: &[&Name],
) -> Result<BTreeMap<InterfaceName, Mesh>, Fault> {
    let mut meshes: BTreeMap<InterfaceName, Mesh> = BTreeMap::new();
    for (name, item) in tables {
        entries(item, &format!("vpn.{name}"))?;
        let table: Table = read(item)?;
        let networks = networks(&table.networks)?;
        let apart = |network: &&Spanned<IpNet>| {
            let mut others = meshes.values().flat_map(|mesh| &mesh.networks);
            others.any(|other| other.contains(network.get_ref()) || network.get_ref().contains(other))
        };
        if let Some(network) = table.networks.get_ref().iter().find(apart) {
            let words = format!("{} overlaps with a network of another mesh", network.get_ref());
            return Err(value(network, words));
        }
        meshes.insert(name.clone(), mesh(name, networks, table, hosts)?);
    }
    Ok(meshes)
}

fn mesh(name: InterfaceName, networks: Vec<IpNet>, table: Table, known: &[&Name]) -> Result<Mesh, Fault> {
    let hosts = listed(&table.hosts, known)?;
    let mtu = table.mtu.map(|mtu| self::mtu(&mtu)).transpose()?;
    let endpoint = |(host, endpoint): (Spanned<Name>, Endpoint)| {
        if hosts.contains(host.get_ref()) {
            return Ok((host.into_inner(), endpoint));
        }
        let known = hosts.iter().map(ToString::to_string).collect();
        Err(Fault::new(host.span(), Problem::UnknownHost { name: host.get_ref().to_string(), known }))
    };
    let endpoints = table.endpoints.into_iter().map(endpoint).collect::<Result<_, _>>()?;
    Ok(Mesh {
        name,
        networks,
        hosts,
        listen_port: table.listen_port.map_or(PORT, NonZeroU16::get),
        endpoints,
        persistent_keepalive: table.persistent_keepalive.map(NonZeroU16::get),
        mtu,
    })
}

fn networks(said: &Spanned<Vec<Spanned<IpNet>>>) -> Result<Vec<IpNet>, Fault> {
    let mut networks: Vec<IpNet> = Vec::new();
    for network in said.get_ref() {
        let net = *network.get_ref();
        if net.trunc() != net {
            return Err(value(network, format!("{net} has host bits: write {}", net.trunc())));
        }
        if net.prefix_len() == 0 || net.max_prefix_len() - net.prefix_len() < 2 {
            return Err(value(network, format!("{net} is no network for a mesh")));
        }
        if networks.iter().any(|other| other.max_prefix_len() == net.max_prefix_len()) {
            return Err(value(network, "a mesh has one network for each of IPv4 and IPv6".to_owned()));
        }
        networks.push(net);
    }
    if networks.is_empty() {
        return Err(value(said, "a mesh needs a network".to_owned()));
    }
    networks.sort();
    Ok(networks)
}

fn listed(said: &Spanned<Vec<Spanned<Name>>>, known: &[&Name]) -> Result<Vec<Name>, Fault> {
    let mut hosts: Vec<Name> = Vec::new();
    for host in said.get_ref() {
        let name = host.get_ref();
        if !known.contains(&name) {
            let known = known.iter().map(ToString::to_string).collect();
            return Err(Fault::new(host.span(), Problem::UnknownHost { name: name.to_string(), known }));
        }
        if hosts.contains(name) {
            return Err(value(host, format!("host `{name}` is named twice")));
        }
        hosts.push(name.clone());
    }
    if hosts.is_empty() {
        return Err(value(said, "a mesh needs at least one host".to_owned()));
    }
    Ok(hosts)
}

fn mtu(said: &Spanned<u32>) -> Result<u32, Fault> {
    let mtu = *said.get_ref();
    // RFC 8200: what every link with IPv6 has to carry.
    if (1280..=65535).contains(&mtu) { Ok(mtu) } else { Err(value(said, format!("{mtu} is not 1280 to 65535 bytes"))) }
}

fn value<T>(at: &Spanned<T>, words: String) -> Fault {
    Fault::new(at.span(), Problem::Value(words))
}
