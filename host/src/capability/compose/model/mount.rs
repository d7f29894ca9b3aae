//! What a service mounts.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::scalar::{integer, mode};

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
    pub(crate) consistency: Option<String>,
    #[serde(default)]
    pub(crate) bind: Option<BindOptions>,
    #[serde(default)]
    pub(crate) volume: Option<VolumeOptions>,
    #[serde(default)]
    pub(crate) tmpfs: Option<TmpfsOptions>,
    #[serde(default)]
    pub(crate) image: Option<ImageOptions>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MountKind {
    Bind,
    Volume,
    Tmpfs,
    Image,
    Cluster,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BindOptions {
    pub(crate) create_host_path: Option<bool>,
    pub(crate) propagation: Option<String>,
    pub(crate) selinux: Option<String>,
    pub(crate) recursive: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct VolumeOptions {
    pub(crate) nocopy: bool,
    pub(crate) subpath: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TmpfsOptions {
    #[serde(deserialize_with = "integer")]
    pub(crate) size: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(crate) mode: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ImageOptions {
    pub(crate) subpath: Option<String>,
}

/// A config or secret in a service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileMount {
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) target: Option<String>,
    /// Who owns it, and its mode; those of the file where it is one of the host.
    #[serde(default)]
    pub(crate) uid: Option<String>,
    #[serde(default)]
    pub(crate) gid: Option<String>,
    #[serde(default, deserialize_with = "mode")]
    pub(crate) mode: Option<u32>,
}
