//! What a policy may ask of a unit.

use serde::{Deserialize, Serialize};

use crate::policy::Invalid;

mod name;
pub use name::{DropInName, UnitName};

/// Where an administrator's units lie; see systemd.unit(5).
pub(super) const FOLDER: &str = "/etc/systemd/system";

/// The unit that the unit file or drop-in at `path` belongs to.
pub(super) fn unit_of(path: &str) -> Option<UnitName> {
    let relative = path.strip_prefix(FOLDER)?.strip_prefix('/')?;
    relative.split(".d/").next()?.parse().ok()
}

/// What a policy asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spec {
    /// The state of a unit.
    Unit(Unit),
    /// The content of a unit file or drop-in.
    Fragment(Fragment),
}

/// What a policy says of a unit; `None`: nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Unit {
    pub name: UnitName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<bool>,
    /// `CAPABILITY:RESOURCE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    pub on_change: OnChange,
}

/// What to do with a running unit when something that it depends on has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnChange {
    /// Reloads, or restarts a unit that cannot reload.
    Reload,
    Restart,
}

/// A unit file, or a drop-in of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fragment {
    pub unit: UnitName,
    /// `None`: the unit file itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop_in: Option<DropInName>,
    pub content: String,
}

impl Unit {
    /// What is said of the unit `name`.
    ///
    /// # Errors
    /// When nothing is said, when it is contradictory, or when a dependency has no known capability.
    pub fn checked(self) -> Result<Self, Invalid> {
        if self.name.is_template() {
            return Err(Invalid::new("name", format!("{} is a template: name an instance of it", self.name)));
        }
        if self.masked == Some(true) && (self.enabled == Some(true) || self.running == Some(true)) {
            return Err(Invalid::new("masked", "a masked unit neither starts at boot nor runs"));
        }
        let known = |dependency: &&String| {
            let resource = dependency.split_once(':');
            resource.is_some_and(|(name, rest)| !rest.is_empty() && crate::capability::by_name(name).is_some())
        };
        if let Some(unknown) = self.depends_on.iter().find(|dependency| !known(dependency)) {
            let reason = format!("{unknown:?} is not CAPABILITY:RESOURCE, such as file:/etc/motd");
            return Err(Invalid::new("depends-on", reason));
        }
        Ok(self)
    }
}

impl Fragment {
    /// A unit file (`drop_in` is `None`) or a drop-in.
    ///
    /// # Errors
    /// When the content is not what systemd.syntax(7) calls a unit.
    pub fn new(unit: UnitName, drop_in: Option<DropInName>, content: String) -> Result<Self, Invalid> {
        let section = |line: &str| line.starts_with('[') && line.trim_end().ends_with(']');
        if content.contains('\0') {
            return Err(Invalid::new("content", "holds a NUL"));
        }
        // systemd takes an empty unit file for a mask.
        if !content.lines().any(section) {
            return Err(Invalid::new("content", "has no section such as `[Service]`"));
        }
        Ok(Self { unit, drop_in, content })
    }

    /// Where it lies.
    pub fn path(&self) -> String {
        match &self.drop_in {
            None => format!("{FOLDER}/{}", self.unit),
            Some(name) => format!("{FOLDER}/{}.d/{name}.conf", self.unit),
        }
    }
}
