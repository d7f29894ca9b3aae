//! A hardened server with firewall, VPN, Docker and its compose apps.
//!
//! What it declares follows from `[policy.baseline.config]` alone; each module is one part, in the order of the calls.

mod access;
mod apps;
mod config;
mod network;
mod updates;

use stead_guest::Error;

use config::Config;

stead_guest::policy!(configure);

fn configure() -> Result<(), Error> {
    let config: Config = stead_guest::config::parse()?;
    updates::declare()?;
    access::declare(&config)?;
    network::declare(&config)?;
    apps::declare(&config)
}
