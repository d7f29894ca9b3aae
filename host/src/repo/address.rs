//! Where a host is, in the words of ssh(1): an alias of `ssh_config`, `user@server`, `ssh://user@server:port`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A destination for ssh(1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// The text is not a destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address: write what ssh(1) takes, `root@203.0.113.7`, `ssh://root@server:2222` or an alias")]
pub struct NotAnAddress(String);

impl Address {
    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the user: `server` of `root@server`.
    pub fn server(&self) -> &str {
        let rest = self.0.strip_prefix("ssh://").unwrap_or(&self.0);
        rest.rsplit_once('@').map_or(rest, |(_, server)| server)
    }
}

impl TryFrom<String> for Address {
    type Error = NotAnAddress;

    fn try_from(address: String) -> Result<Self, NotAnAddress> {
        // A leading dash would be an option of ssh(1).
        let bad = |c: char| c.is_whitespace() || c.is_control();
        let server = Self(address);
        if server.0.starts_with('-') || server.server().is_empty() || server.0.contains(bad) {
            return Err(NotAnAddress(server.0));
        }
        Ok(server)
    }
}

impl std::str::FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(address: &str) -> Result<Self, NotAnAddress> {
        address.to_owned().try_into()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
