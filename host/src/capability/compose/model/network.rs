//! How a service is reached: its ports, and its places in networks.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A published port.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Port {
    pub(crate) target: u16,
    /// A port, a range of which Docker picks one, or nothing: any.
    #[serde(default)]
    pub(crate) published: Option<String>,
    #[serde(default)]
    pub(crate) host_ip: Option<String>,
    #[serde(default)]
    pub(crate) protocol: Option<String>,
    /// `host` or `ingress`: means something in a swarm only.
    #[serde(default)]
    pub(crate) mode: Option<String>,
    /// A name for people.
    #[serde(default, rename = "name")]
    _name: Option<String>,
    /// A word for programs that route by it.
    #[serde(default, rename = "app_protocol")]
    _app_protocol: Option<String>,
}

/// How a service is in a network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Attachment {
    pub(crate) aliases: Vec<String>,
    pub(crate) ipv4_address: Option<String>,
    pub(crate) ipv6_address: Option<String>,
    pub(crate) link_local_ips: Vec<String>,
    pub(crate) mac_address: Option<String>,
    pub(crate) driver_opts: BTreeMap<String, String>,
    pub(crate) interface_name: Option<String>,
    pub(crate) gw_priority: Option<i64>,
    pub(crate) priority: i64,
}
