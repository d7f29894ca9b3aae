//! What our server should be: a firewall that drops what nobody opened, Docker, and the compose apps.
//!
//! Each call asks stead for one thing. Nothing changes while this runs: stead checks the calls against the grants in
//! `stead.toml`, compares them with the server, and shows a plan.

use serde::Deserialize;
use stead_guest::firewall::{Chain, Fallback, Protocol};
use stead_guest::{Error, compose, config, facts, firewall, package};

/// `[policy.server.config]` of `stead.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// Where sshd(8) listens. This policy does not move it.
    #[serde(default = "ssh_port")]
    ssh_port: u16,
    /// Projects in `apps/`, each with the port that it publishes.
    #[serde(default)]
    apps: Vec<App>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct App {
    name: String,
    port: u16,
}

fn ssh_port() -> u16 {
    22
}

fn configure() -> Result<(), Error> {
    let config: Config = config::parse()?;

    install("nftables")?;
    firewall::default_verdict(Chain::Input, Fallback::Drop)?;
    firewall::open(Protocol::Tcp, config.ssh_port, &[], None)?;

    if !config.apps.is_empty() {
        install_docker()?;
    }
    for app in &config.apps {
        firewall::open(Protocol::Tcp, app.port, &[], None)?;
        compose::up(&app.name, &compose::Options::default())?;
    }
    Ok(())
}

fn install(name: &str) -> Result<(), Error> {
    Ok(package::install(name, &package::Options::default())?)
}

/// The distributions' own packages, under their own names.
fn install_docker() -> Result<(), Error> {
    let os = facts::os();
    let packages: &[&str] = match (os.id.as_str(), os.version_id.as_str()) {
        ("ubuntu", _) => &["docker.io", "docker-compose-v2"],
        ("debian", "12") => return Err(Error::new("Debian 12 has no package of Docker Compose 2")),
        _ => &["docker.io", "docker-cli", "docker-compose"],
    };
    packages.iter().try_for_each(|name| install(name))
}

stead_guest::policy!(configure);
