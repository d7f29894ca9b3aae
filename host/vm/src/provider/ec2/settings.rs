//! The table `[provider.ec2]`.

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Where machines may be, and are looked for. The first one is where they are made unless a request says otherwise.
    pub regions: Vec<String>,
    pub credentials: Credentials,
    /// Instead of Amazon's own, for others that speak the API.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// For every machine, by region, where the account's default is not meant.
    #[serde(default)]
    pub subnet: Option<String>,
    /// It must let SSH in.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// Reach machines by their private addresses.
    #[serde(default)]
    pub private: bool,
}

/// A key of the account; it may make, list and destroy machines, and needs no other rights.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    #[serde(default)]
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Credentials({})", self.access_key_id)
    }
}
