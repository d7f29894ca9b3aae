//! What a policy may know of the machine before it declares anything.

use serde::{Deserialize, Serialize};

/// The answers to the WIT interface `facts`; recorded with the plan that they shaped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub host_name: String,
    pub os: OsRelease,
    /// As dpkg(1) names it.
    pub architecture: String,
    /// Sorted by name.
    pub interfaces: Vec<NetworkInterface>,
}

/// From os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsRelease {
    pub id: String,
    pub version_id: String,
    pub version_codename: String,
}

/// From rtnetlink(7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    pub name: String,
    pub addresses: Vec<String>,
    pub default_route: bool,
}
