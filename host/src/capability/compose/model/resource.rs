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

/// A config or a secret whose content is a file of the host. Its other sources are not carried.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSource {
    #[serde(default, rename = "name")]
    _name: String,
    #[serde(default)]
    pub(crate) file: String,
}
