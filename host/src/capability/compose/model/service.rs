//! A service of a project, and all that its keys may hold.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::build::Build;
use super::deploy::Deploy;
use super::device::{Blkio, Device, DeviceRequest, Ulimit};
use super::mount::{FileMount, Mount};
use super::network::{Attachment, Port};
use super::scalar::{duration, integer, nano_cpus};
use crate::capability::compose::spec::Project;

/// A service. What is absent is left to the image or to Docker.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Service {
    pub(crate) image: Option<String>,
    pub(crate) build: Option<Build>,
    pub(crate) command: Option<Vec<String>>,
    pub(crate) entrypoint: Option<Vec<String>>,
    /// A variable without a value is taken out of those of the image.
    pub(crate) environment: BTreeMap<String, Option<String>>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) ports: Vec<Port>,
    pub(crate) expose: Vec<String>,
    pub(crate) volumes: Vec<Mount>,
    pub(crate) volumes_from: Vec<String>,
    pub(crate) volume_driver: Option<String>,
    pub(crate) tmpfs: Vec<String>,
    pub(crate) configs: Vec<FileMount>,
    pub(crate) secrets: Vec<FileMount>,
    pub(crate) networks: BTreeMap<String, Option<Attachment>>,
    pub(crate) network_mode: Option<String>,
    pub(crate) mac_address: Option<String>,
    pub(crate) links: Vec<String>,
    pub(crate) external_links: Vec<String>,
    pub(crate) depends_on: BTreeMap<String, Dependency>,
    pub(crate) healthcheck: Option<HealthCheck>,
    pub(crate) restart: Option<String>,
    pub(crate) container_name: Option<String>,
    pub(crate) hostname: Option<String>,
    pub(crate) domainname: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) group_add: Vec<String>,
    pub(crate) working_dir: Option<String>,
    pub(crate) init: Option<bool>,
    pub(crate) tty: bool,
    pub(crate) stdin_open: bool,
    pub(crate) stop_signal: Option<String>,
    #[serde(deserialize_with = "duration")]
    pub(crate) stop_grace_period: Option<Duration>,
    pub(crate) post_start: Vec<Hook>,
    pub(crate) pre_stop: Vec<Hook>,
    pub(crate) cap_add: Vec<String>,
    pub(crate) cap_drop: Vec<String>,
    pub(crate) devices: Vec<Device>,
    pub(crate) device_cgroup_rules: Vec<String>,
    pub(crate) gpus: Vec<DeviceRequest>,
    pub(crate) privileged: bool,
    pub(crate) security_opt: Vec<String>,
    pub(crate) read_only: bool,
    pub(crate) sysctls: BTreeMap<String, String>,
    pub(crate) ulimits: BTreeMap<String, Ulimit>,
    pub(crate) storage_opt: BTreeMap<String, String>,
    pub(crate) pid: Option<String>,
    pub(crate) ipc: Option<String>,
    pub(crate) uts: Option<String>,
    pub(crate) userns_mode: Option<String>,
    pub(crate) cgroup: Option<String>,
    pub(crate) cgroup_parent: Option<String>,
    pub(crate) runtime: Option<String>,
    pub(crate) isolation: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) dns: Vec<String>,
    pub(crate) dns_search: Vec<String>,
    pub(crate) dns_opt: Vec<String>,
    pub(crate) extra_hosts: Vec<String>,
    pub(crate) logging: Logging,
    #[serde(deserialize_with = "integer")]
    pub(crate) mem_limit: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) mem_reservation: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) memswap_limit: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) mem_swappiness: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) shm_size: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) pids_limit: Option<i64>,
    pub(crate) oom_kill_disable: bool,
    pub(crate) oom_score_adj: Option<i64>,
    pub(crate) blkio_config: Option<Blkio>,
    #[serde(deserialize_with = "integer")]
    pub(crate) cpu_shares: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) cpu_count: Option<i64>,
    pub(crate) cpu_percent: Option<f32>,
    #[serde(deserialize_with = "integer")]
    pub(crate) cpu_period: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) cpu_quota: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) cpu_rt_period: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) cpu_rt_runtime: Option<i64>,
    #[serde(deserialize_with = "nano_cpus")]
    pub(crate) cpus: Option<i64>,
    pub(crate) cpuset: Option<String>,
    pub(crate) scale: Option<u32>,
    pub(crate) deploy: Deploy,
    pub(crate) pull_policy: Option<String>,
    /// What stead would have to bring up besides containers.
    pub(crate) provider: Option<Value>,
    pub(crate) models: Option<Value>,
    pub(crate) pre_start: Vec<Value>,
    pub(crate) use_api_socket: bool,
    pub(crate) credential_spec: Option<Value>,
    /// The plugin has left out what no active profile asks for.
    #[serde(rename = "profiles")]
    _profiles: Vec<String>,
    /// Of `docker compose up` in the foreground only.
    #[serde(rename = "attach")]
    _attach: Option<bool>,
    /// Of `docker compose watch` only.
    #[serde(rename = "develop")]
    _develop: Option<IgnoredAny>,
    /// The plugin has read the file.
    #[serde(rename = "label_file")]
    _label_file: Option<IgnoredAny>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dependency {
    pub(crate) condition: Condition,
    #[serde(default = "yes")]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) restart: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Condition {
    #[serde(rename = "service_started")]
    Started,
    #[serde(rename = "service_healthy")]
    Healthy,
    #[serde(rename = "service_completed_successfully")]
    Completed,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HealthCheck {
    pub(crate) disable: bool,
    pub(crate) test: Option<Vec<String>>,
    #[serde(deserialize_with = "duration")]
    pub(crate) interval: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub(crate) timeout: Option<Duration>,
    #[serde(deserialize_with = "integer")]
    pub(crate) retries: Option<i64>,
    #[serde(deserialize_with = "duration")]
    pub(crate) start_period: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub(crate) start_interval: Option<Duration>,
}

/// A command that is run in a container after it started, or before it is stopped.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Hook {
    pub(crate) command: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) privileged: bool,
    pub(crate) working_dir: Option<String>,
    pub(crate) environment: BTreeMap<String, Option<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Logging {
    pub(crate) driver: Option<String>,
    pub(crate) options: BTreeMap<String, String>,
}

impl Service {
    /// The image by its name, which is the service's own where it is built.
    pub(crate) fn image_name(&self, project: &Project, service: &str) -> String {
        self.image.clone().unwrap_or_else(|| format!("{project}-{service}"))
    }

    /// How many containers there are to be.
    pub(crate) fn replicas(&self) -> u32 {
        self.scale.or(self.deploy.replicas).unwrap_or(1)
    }

    /// The services whose containers it lives with: by the key that says so.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let modes = [("network_mode", &self.network_mode), ("ipc", &self.ipc), ("pid", &self.pid)];
        let modes = modes.into_iter().filter_map(|(key, mode)| Some((key, mode.as_deref()?.strip_prefix("service:")?)));
        let volumes = self.volumes_from.iter().filter(|from| !from.starts_with("container:"));
        modes.chain(volumes.map(|from| ("volumes_from", from.split(':').next().unwrap_or(from))))
    }
}
