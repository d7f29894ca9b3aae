//! What is asked of a provider.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::name::VmName;

/// One machine to be made. Of two requests with one name, the first one served stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub name: VmName,
    /// As the provider names its images; for local machines the image's digest.
    pub image: String,
    pub size: Size,
    /// A region or zone as the provider names it; none is the provider's default.
    pub region: Option<String>,
    pub network: Network,
    pub market: Market,
    pub user_data: UserData,
    /// After this time the machine ends in any case.
    pub lifetime: Duration,
}

/// How large a machine is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// As the provider names its instance types.
    Type(String),
    /// For providers that cut machines to measure.
    Measured { cpus: u16, memory_mib: u32, disk_gib: u32 },
}

/// What a machine reaches. From outside, nothing but SSH reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Whatever its provider's network reaches.
    Open,
    /// Nothing.
    Closed,
}

/// How a machine is paid for, where the provider has a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Market {
    OnDemand,
    /// Cheaper; the provider may take it back at any time.
    Spot,
}

/// The text that cloud-init reads at the first boot. It holds the machine's private host key, so it is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserData(String);

impl UserData {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the provider's API and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UserData {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "UserData({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_key_in_the_user_data_is_not_shown() {
        let shown = format!("{:?}", UserData::new("-----BEGIN OPENSSH PRIVATE KEY-----".into()));
        assert_eq!(shown, "UserData(35 bytes)");
    }
}
