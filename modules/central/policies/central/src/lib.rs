//! The central server: firewall, VPN, Docker, and the compose apps. All the rest is in `apps/`.

mod config;

use config::{App, Config};
use stead_guest::{Error, compose, facts, file, firewall, package, service, vpn};

/// The WireGuard interface of the team: `[vpn.wg0]` of `stead.toml`.
const VPN: &str = "wg0";
/// Seconds that an app may take to become healthy. The first start of a database takes longest.
const HEALTHY: u32 = 180;

stead_guest::policy!(configure);

fn configure() -> Result<(), Error> {
    let config: Config = stead_guest::config::parse()?;
    for name in docker().iter().copied().chain(["nftables", "wireguard-tools"]) {
        package::install(name, &package::Options::default())?;
    }
    for name in &config.packages {
        package::install(name, &package::Options { recommends: Some(false), ..package::Options::default() })?;
    }
    network(&config)?;
    trust_registry(&config.domain)?;
    let running = service::State { enabled: Some(true), running: Some(true), ..service::State::default() };
    service::unit("docker.service", &running)?;
    config.apps.iter().try_for_each(|app| up(app, &config.domain))
}

/// Docker Engine, its client and its Compose plugin, as the distribution calls them.
fn docker() -> &'static [&'static str] {
    match facts::os().id.as_str() {
        "ubuntu" => &["docker.io", "docker-compose-v2"],
        _ => &["docker.io", "docker-cli", "docker-compose"],
    }
}

/// What comes in is ssh, the VPN, and the ports of the config. What containers publish is closed until it is opened here.
fn network(config: &Config) -> Result<(), Error> {
    firewall::default_verdict(firewall::Chain::Input, firewall::Fallback::Drop)?;
    firewall::open(firewall::Protocol::Tcp, 22, &[], None)?;
    for port in &config.public_ports {
        firewall::open(firewall::Protocol::Tcp, *port, &[], None)?;
    }
    let interface = vpn::add_mesh(VPN)?;
    if let Some(port) = interface.listen_port {
        firewall::open(firewall::Protocol::Udp, port, &[], None)?;
    }
    for port in &config.team_ports {
        firewall::open(firewall::Protocol::Tcp, *port, &[], Some(VPN))?;
    }
    Ok(())
}

/// Docker believes the registry by the team's own authority; see docker-registry's manual on certs.d.
fn trust_registry(domain: &str) -> Result<(), Error> {
    let folder = format!("/etc/docker/certs.d/registry.{domain}:8443");
    for folder in ["/etc/docker", "/etc/docker/certs.d", &folder] {
        file::directory(folder, &file::Attributes::default())?;
    }
    let attributes = file::Attributes { mode: Some(0o644), ..file::Attributes::default() };
    Ok(file::write(&format!("{folder}/ca.crt"), &[file::Part::Secret("tls-ca".to_owned())], &attributes, &[])?)
}

fn up(app: &App, domain: &str) -> Result<(), Error> {
    let options = compose::Options {
        environment: vec![("DOMAIN".to_owned(), domain.to_owned())],
        secrets: app.secrets.iter().map(|(variable, secret)| (variable.clone(), secret.clone())).collect(),
        health_timeout: Some(HEALTHY),
        ..compose::Options::default()
    };
    Ok(compose::up(&app.name, &options)?)
}
