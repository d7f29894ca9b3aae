//! How the image of a service is built.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scalar::integer;

/// See the Compose Build Specification.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Build {
    pub(crate) context: String,
    pub(crate) dockerfile: Option<String>,
    pub(crate) dockerfile_inline: Option<String>,
    pub(crate) args: BTreeMap<String, Option<String>>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) target: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) network: Option<String>,
    pub(crate) extra_hosts: Vec<String>,
    pub(crate) cache_from: Vec<String>,
    pub(crate) no_cache: bool,
    pub(crate) pull: bool,
    #[serde(deserialize_with = "integer")]
    pub(crate) shm_size: Option<i64>,
    pub(crate) platforms: Vec<String>,
    /// What needs a client that stays with the builder; refused by name.
    #[serde(flatten)]
    pub(crate) more: BTreeMap<String, Value>,
}
