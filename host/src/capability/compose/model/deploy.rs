//! How a service is to be deployed: how often, with what, and how it is updated.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::device::DeviceRequest;
use super::scalar::{duration, integer, nano_cpus};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Deploy {
    pub(crate) mode: Option<String>,
    pub(crate) replicas: Option<u32>,
    pub(crate) resources: Resources,
    pub(crate) restart_policy: Option<RestartPolicy>,
    pub(crate) update_config: Option<UpdateConfig>,
    pub(crate) rollback_config: Option<UpdateConfig>,
    /// Of a service in a swarm; containers have their own.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) endpoint_mode: Option<String>,
    pub(crate) placement: Placement,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Resources {
    pub(crate) limits: Limits,
    pub(crate) reservations: Limits,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    #[serde(deserialize_with = "nano_cpus")]
    pub(crate) cpus: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) memory: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) pids: Option<i64>,
    pub(crate) devices: Vec<DeviceRequest>,
    pub(crate) generic_resources: Vec<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RestartPolicy {
    pub(crate) condition: Option<String>,
    pub(crate) max_attempts: Option<i64>,
    #[serde(deserialize_with = "duration")]
    pub(crate) delay: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub(crate) window: Option<Duration>,
}

/// How containers give way to new ones.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UpdateConfig {
    /// How many at once; 0 is all.
    pub(crate) parallelism: Option<u32>,
    #[serde(deserialize_with = "duration")]
    pub(crate) delay: Option<Duration>,
    pub(crate) failure_action: Option<String>,
    #[serde(deserialize_with = "duration")]
    pub(crate) monitor: Option<Duration>,
    pub(crate) max_failure_ratio: Option<f32>,
    pub(crate) order: Option<Order>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    StartFirst,
    StopFirst,
}

/// Where a service may run in a swarm.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Placement {
    pub(crate) constraints: Vec<String>,
    pub(crate) preferences: Vec<Value>,
    pub(crate) max_replicas_per_node: Option<u64>,
}

impl Placement {
    pub(super) fn is_empty(&self) -> bool {
        self.constraints.is_empty() && self.preferences.is_empty() && self.max_replicas_per_node.is_none()
    }
}
