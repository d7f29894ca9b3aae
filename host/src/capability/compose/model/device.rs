//! Devices, and limits on what a service takes of the machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::scalar::{count, integer};

/// A device: where it is, where the container sees it, and what may be done to it.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) permissions: String,
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
        let target = target.filter(|target| !target.is_empty()).unwrap_or_else(|| source.clone());
        let permissions = permissions.filter(|permissions| !permissions.is_empty());
        Ok(Self { source, target, permissions: permissions.unwrap_or_else(|| "rwm".to_owned()) })
    }
}

impl Device {
    /// Whether it is a device by its name in the Container Device Interface, `vendor.com/class=name`.
    pub(crate) fn is_cdi(&self) -> bool {
        let kind = self.source.split_once('=').and_then(|(kind, name)| Some((kind.split_once('/')?, name)));
        self.source == self.target
            && kind.is_some_and(|((vendor, class), name)| {
                [vendor, class, name].iter().all(|part| part.starts_with(|c: char| c.is_ascii_alphanumeric()))
            })
    }
}

/// A device that a driver gives: a graphics card.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeviceRequest {
    pub(crate) capabilities: Vec<String>,
    pub(crate) driver: Option<String>,
    /// -1 is all.
    #[serde(deserialize_with = "count")]
    pub(crate) count: Option<i64>,
    pub(crate) device_ids: Vec<String>,
    pub(crate) options: BTreeMap<String, String>,
}

/// Limits on block devices.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Blkio {
    pub(crate) weight: Option<u16>,
    pub(crate) weight_device: Vec<Weight>,
    pub(crate) device_read_bps: Vec<Rate>,
    pub(crate) device_read_iops: Vec<Rate>,
    pub(crate) device_write_bps: Vec<Rate>,
    pub(crate) device_write_iops: Vec<Rate>,
}

/// The plugin prints these fields with capital letters.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weight {
    #[serde(alias = "Path")]
    pub(crate) path: String,
    #[serde(alias = "Weight")]
    pub(crate) weight: u16,
    #[serde(default, alias = "Extensions", rename = "extensions")]
    _extensions: serde::de::IgnoredAny,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rate {
    #[serde(alias = "Path")]
    pub(crate) path: String,
    #[serde(alias = "Rate", deserialize_with = "integer")]
    pub(crate) rate: Option<i64>,
    #[serde(default, alias = "Extensions", rename = "extensions")]
    _extensions: serde::de::IgnoredAny,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Ulimit {
    Both(i64),
    Each {
        #[serde(default)]
        soft: i64,
        #[serde(default)]
        hard: i64,
    },
}
