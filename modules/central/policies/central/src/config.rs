//! `[policy.central.config]`.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The apps answer at `app.DOMAIN`, `sso.DOMAIN` and so on.
    pub domain: String,
    /// TCP ports that everybody may reach.
    pub public_ports: Vec<u16>,
    /// TCP ports that only the team may reach, over the VPN.
    pub team_ports: Vec<u16>,
    /// Debian packages beyond those of the firewall, the VPN and Docker.
    pub packages: Vec<String>,
    /// Compose apps, in the order in which they come up.
    pub apps: Vec<App>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Its folder in `apps/`.
    pub name: String,
    /// Variables of its compose file whose values are secrets: variable = secret.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}
