//! A policy that asks for what its config says.

use serde::Deserialize;
use stead_guest::file::{Attributes, Part};
use stead_guest::{Error, config, file, info, sysctl};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The value of `net.ipv4.ip_forward`.
    forward: Option<String>,
    /// The text of `/etc/motd`.
    motd: Option<String>,
    /// The secret in `/etc/token`.
    token: Option<String>,
    /// Whether it panics at the end.
    panic: bool,
}

fn configure() -> Result<(), Error> {
    let config: Config = config::parse()?;
    info!("asking");
    if let Some(value) = &config.forward {
        sysctl::set("net.ipv4.ip_forward", value)?;
    }
    if let Some(text) = config.motd {
        file::write("/etc/motd", &[Part::Text(text)], &Attributes::default(), &[])?;
    }
    if let Some(name) = config.token {
        file::write("/etc/token", &[Part::Secret(name)], &Attributes::default(), &[])?;
    }
    assert!(!config.panic, "as the config says");
    Ok(())
}

stead_guest::policy!(configure);
