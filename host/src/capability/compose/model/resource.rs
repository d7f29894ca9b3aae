//! Networks, volumes, configs and secrets of a project.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) external: bool,
    pub(crate) driver: Option<String>,
    pub(crate) driver_opts: BTreeMap<String, String>,
    pub(crate) ipam: Ipam,
    pub(crate) internal: bool,
    pub(crate) attachable: bool,
    pub(crate) enable_ipv4: Option<bool>,
    pub(crate) enable_ipv6: Option<bool>,
    pub(crate) labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ipam {
    pub(crate) driver: Option<String>,
    pub(crate) config: Vec<Pool>,
    pub(crate) options: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Pool {
    pub(crate) subnet: Option<String>,
    pub(crate) ip_range: Option<String>,
    pub(crate) gateway: Option<String>,
    pub(crate) aux_addresses: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Volume {
    pub(crate) name: String,
    pub(crate) external: bool,
    pub(crate) driver: Option<String>,
    pub(crate) driver_opts: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// A config or a secret: a file of the host, the value of a variable, or text.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FileSource {
    pub(crate) name: String,
    pub(crate) file: Option<String>,
    /// The name of a variable of the project.
    pub(crate) environment: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) external: bool,
    pub(crate) driver: Option<String>,
    pub(crate) driver_opts: BTreeMap<String, String>,
    pub(crate) template_driver: Option<String>,
    /// Of objects in a swarm only.
    pub(crate) labels: BTreeMap<String, String>,
}

impl FileSource {
    /// Whether it is written into a container, and not mounted.
    pub(crate) fn is_written(&self) -> bool {
        self.environment.is_some() || self.content.is_some()
    }
}
