//! A service of a project, and all that its keys may hold.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::scalar::{duration, integer, nano_cpus};

/// A service. What is absent is left to the image or to Docker.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Service {
    pub(crate) image: Option<String>,
    pub(crate) command: Option<Vec<String>>,
    pub(crate) entrypoint: Option<Vec<String>>,
    /// A variable without a value is taken out of those of the image.
    pub(crate) environment: BTreeMap<String, Option<String>>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) ports: Vec<Port>,
    pub(crate) expose: Vec<String>,
    pub(crate) volumes: Vec<Mount>,
    pub(crate) tmpfs: Vec<String>,
    pub(crate) configs: Vec<FileMount>,
    pub(crate) secrets: Vec<FileMount>,
    pub(crate) networks: BTreeMap<String, Option<Attachment>>,
    pub(crate) network_mode: Option<String>,
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
    pub(crate) cap_add: Vec<String>,
    pub(crate) cap_drop: Vec<String>,
    pub(crate) devices: Vec<Device>,
    pub(crate) privileged: bool,
    pub(crate) security_opt: Vec<String>,
    pub(crate) read_only: bool,
    pub(crate) sysctls: BTreeMap<String, String>,
    pub(crate) ulimits: BTreeMap<String, Ulimit>,
    pub(crate) pid: Option<String>,
    pub(crate) ipc: Option<String>,
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
    pub(crate) shm_size: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) pids_limit: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) cpu_shares: Option<i64>,
    #[serde(deserialize_with = "nano_cpus")]
    pub(crate) cpus: Option<i64>,
    pub(crate) cpuset: Option<String>,
    pub(crate) scale: Option<u32>,
    pub(crate) deploy: Deploy,
    pub(crate) pull_policy: Option<String>,
    /// The plugin has left out what no active profile asks for.
    #[serde(rename = "profiles")]
    _profiles: Vec<String>,
    /// Of `docker compose up` in the foreground only.
    #[serde(rename = "attach")]
    _attach: Option<bool>,
}

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
    /// Means something in a swarm only.
    #[serde(default, rename = "mode")]
    _mode: Option<String>,
    /// A name for people.
    #[serde(default, rename = "name")]
    _name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mount {
    #[serde(rename = "type")]
    pub(crate) kind: MountKind,
    #[serde(default)]
    pub(crate) source: Option<String>,
    pub(crate) target: String,
    #[serde(default)]
    pub(crate) read_only: bool,
    #[serde(default)]
    pub(crate) bind: Option<BindOptions>,
    #[serde(default)]
    pub(crate) volume: Option<VolumeOptions>,
    #[serde(default)]
    pub(crate) tmpfs: Option<TmpfsOptions>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MountKind {
    Bind,
    Volume,
    Tmpfs,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BindOptions {
    pub(crate) create_host_path: bool,
    pub(crate) propagation: Option<String>,
    pub(crate) selinux: Option<String>,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self { create_host_path: true, propagation: None, selinux: None }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct VolumeOptions {
    pub(crate) nocopy: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TmpfsOptions {
    #[serde(deserialize_with = "integer")]
    pub(crate) size: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) mode: Option<i64>,
}

/// A config or secret in a service. Who owns it, and its mode, are those of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileMount {
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) target: Option<String>,
}

/// How a service is in a network.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Attachment {
    pub(crate) aliases: Vec<String>,
    pub(crate) ipv4_address: Option<String>,
    pub(crate) ipv6_address: Option<String>,
    pub(crate) priority: i64,
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

/// A device: where it is, where the container sees it, and what may be done to it.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) permissions: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Ulimit {
    Both(i64),
    Each { soft: i64, hard: i64 },
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Logging {
    pub(crate) driver: Option<String>,
    pub(crate) options: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Deploy {
    pub(crate) replicas: Option<u32>,
    pub(crate) resources: Resources,
    placement: BTreeMap<String, Value>,
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
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Newer plugins print fields, older ones `SOURCE[:TARGET[:PERMISSIONS]]`.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Short(String),
            Fields { source: String, target: Option<String>, permissions: Option<String> },
        }
        let (source, target, permissions) = match Form::deserialize(deserializer)? {
            Form::Short(short) => {
                let mut parts = short.splitn(3, ':').map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next(), parts.next())
            }
            Form::Fields { source, target, permissions } => (source, target, permissions),
        };
        let target = target.unwrap_or_else(|| source.clone());
        Ok(Self { source, target, permissions: permissions.unwrap_or_else(|| "rwm".to_owned()) })
    }
}

impl Service {
    /// How many containers there are to be.
    pub(crate) fn replicas(&self) -> u32 {
        self.scale.or(self.deploy.replicas).unwrap_or(1)
    }

    /// Tells of values that are known and not carried.
    pub(super) fn refuse(&self, say: &mut impl FnMut(&str, String)) {
        if self.image.is_none() {
            say("image", "is needed: images are not built yet".to_owned());
        }
        if !matches!(self.network_mode.as_deref(), None | Some("host" | "none" | "bridge")) {
            say("network_mode", "only `host`, `none` and `bridge` are supported yet".to_owned());
        }
        if !matches!(self.pid.as_deref(), None | Some("host")) {
            say("pid", "only `host` is supported yet".to_owned());
        }
        if !matches!(self.ipc.as_deref(), None | Some("host" | "none" | "private" | "shareable")) {
            say("ipc", "only `host`, `none`, `private` and `shareable` are supported yet".to_owned());
        }
        if !matches!(self.pull_policy.as_deref(), None | Some("missing" | "if_not_present" | "never")) {
            say("pull_policy", "only `missing` and `never` are supported yet".to_owned());
        }
        if self.depends_on.values().any(|dependency| dependency.restart) {
            say("depends_on", "`restart: true` is not supported yet".to_owned());
        }
        if !self.deploy.placement.is_empty() {
            say("deploy", "`placement` is of swarms only".to_owned());
        }
        if self.deploy.resources.reservations.cpus.is_some() || self.deploy.resources.reservations.pids.is_some() {
            say("deploy", "only memory can be reserved".to_owned());
        }
        if self.container_name.is_some() && self.replicas() > 1 {
            say("container_name", "cannot be shared by several containers".to_owned());
        }
    }
}
