//! The packages of `[policy.NAME.config]` are installed.

use serde::Deserialize;
use stead_guest::{Error, config, info, package};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    packages: Vec<String>,
}

fn configure() -> Result<(), Error> {
    let config: Config = config::parse()?;
    for name in &config.packages {
        package::install(name, &package::Options::default())?;
    }
    info!("{} packages", config.packages.len());
    Ok(())
}

stead_guest::policy!(configure);
