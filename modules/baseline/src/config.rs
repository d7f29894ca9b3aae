//! `[policy.baseline.config]`.

use serde::Deserialize;

/// All of it. Everything has a default: an empty config gives a hardened server that only ssh reaches.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Who may log in and become root.
    pub admins: Vec<Admin>,
    /// The port of sshd.
    pub ssh_port: u16,
    /// The addresses and prefixes that may reach sshd; everybody when empty.
    pub ssh_from: Vec<String>,
    /// The interface by which sshd is reached, such as `wg0`; every one when absent.
    pub ssh_by: Option<String>,
    /// TCP ports that everybody may reach.
    pub public_ports: Vec<u16>,
    pub vpn: Option<Vpn>,
    /// Folders of `apps/`, each a compose project.
    pub apps: Vec<String>,
    /// Kernel parameters beyond the policy's own.
    pub sysctl: std::collections::BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            admins: Vec::new(),
            ssh_port: 22,
            ssh_from: Vec::new(),
            ssh_by: None,
            public_ports: Vec::new(),
            vpn: None,
            apps: Vec::new(),
            sysctl: std::collections::BTreeMap::new(),
        }
    }
}

/// An administrator.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    pub name: String,
    /// Entries of `authorized_keys`.
    pub keys: Vec<String>,
}

/// The WireGuard interface `wg0`: a mesh of the repo, or what is written here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vpn {
    /// Whether `[vpn.wg0]` of `stead.toml` says its addresses, its port and its peers; those here come on top.
    #[serde(default)]
    pub mesh: bool,
    /// Addresses of the host with prefix length: `10.8.0.1/24`. Not with `mesh`.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// 51820 when absent. Not with `mesh`.
    #[serde(default)]
    pub listen_port: Option<u16>,
    /// TCP ports that peers may reach, those that containers publish among them.
    #[serde(default)]
    pub ports: Vec<u16>,
    #[serde(default)]
    pub peers: Vec<Peer>,
}

/// A peer of `wg0`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Peer {
    pub name: String,
    pub public_key: String,
    pub allowed_ips: Vec<String>,
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The name of a secret of the repo.
    #[serde(default)]
    pub preshared_key: Option<String>,
}
