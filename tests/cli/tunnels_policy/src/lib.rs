//! A policy that declares the meshes and peers that its config says.

use serde::Deserialize;
use stead_guest::{Error, config, info, vpn};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Config {
    meshes: Vec<String>,
    peers: Vec<Peer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Peer {
    interface: String,
    public_key: String,
    allowed_ips: Vec<String>,
}

fn configure() -> Result<(), Error> {
    let config: Config = config::parse()?;
    for name in &config.meshes {
        let interface = vpn::add_mesh(name)?;
        info!("{} has {}, port {:?}", interface.name, interface.addresses.join(" "), interface.listen_port);
    }
    for Peer { interface, public_key, allowed_ips } in config.peers {
        vpn::add_peer(&interface, &vpn::Peer { public_key, allowed_ips, ..vpn::Peer::default() })?;
    }
    Ok(())
}

stead_guest::policy!(configure);
