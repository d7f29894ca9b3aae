//! Docker, and the compose apps.

use stead_guest::{Error, compose, facts, package, service};

use crate::config::Config;

pub fn declare(config: &Config) -> Result<(), Error> {
    if config.apps.is_empty() {
        return Ok(());
    }
    for name in docker(&facts::os()) {
        package::install(name, &package::Options::default())?;
    }
    let state = service::State { enabled: Some(true), running: Some(true), ..service::State::default() };
    service::unit("docker.service", &state)?;
    for app in &config.apps {
        compose::up(app, &compose::Options::default())?;
    }
    Ok(())
}

/// Docker Engine, its client and its Compose plugin, as the distribution calls them.
fn docker(os: &facts::OsRelease) -> &'static [&'static str] {
    match os.id.as_str() {
        "ubuntu" => &["docker.io", "docker-compose-v2"],
        // Until Debian 12 the client came with docker.io, and docker-compose was the first, Python one.
        _ => &["docker.io", "docker-cli", "docker-compose"],
    }
}
