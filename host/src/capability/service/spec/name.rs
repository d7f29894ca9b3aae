//! Names of units and drop-ins, as systemd.unit(5) has them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::policy::Invalid;

/// The full name of a unit: `ssh.service`, `getty@tty1.service`, `backup.timer`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitName(String);

/// The name of a drop-in, without `.conf`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DropInName(String);

const TYPES: [&str; 11] =
    ["service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope"];
/// The longest name of a unit.
const LONGEST: usize = 255;

impl UnitName {
    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `NAME@.TYPE`, of which there are only instances.
    pub fn is_template(&self) -> bool {
        self.0.contains("@.")
    }

    /// `NAME@.TYPE`, when it is an instance `NAME@INSTANCE.TYPE`.
    pub fn template(&self) -> Option<Self> {
        let (name, rest) = self.0.split_once('@')?;
        let (instance, kind) = rest.rsplit_once('.')?;
        (!instance.is_empty()).then(|| Self(format!("{name}@.{kind}")))
    }
}

impl FromStr for UnitName {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.' | '\\' | '@');
        let (prefix, kind) = name.rsplit_once('.').unwrap_or_default();
        let starts = !prefix.is_empty() && !prefix.starts_with(['@', '.']);
        if starts && TYPES.contains(&kind) && name.len() <= LONGEST && prefix.chars().all(allowed) {
            return Ok(Self(name.to_owned()));
        }
        Err(Invalid::new("name", format!("{name:?} is not the full name of a unit, such as `ssh.service`")))
    }
}

impl FromStr for DropInName {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.');
        if !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.chars().all(allowed) {
            return Ok(Self(name.to_owned()));
        }
        Err(Invalid::new("name", format!("{name:?} is not a file name such as `10-limits`")))
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DropInName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<UnitName> for String {
    fn from(name: UnitName) -> Self {
        name.0
    }
}

impl TryFrom<String> for UnitName {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        name.parse()
    }
}

impl From<DropInName> for String {
    fn from(name: DropInName) -> Self {
        name.0
    }
}

impl TryFrom<String> for DropInName {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        name.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_the_manual_has_them() -> anyhow::Result<()> {
        for good in ["ssh.service", "getty@tty1.service", "dev-disk\\x2dby.device", "a.b.timer", "wg@.service"] {
            assert!(good.parse::<UnitName>().is_ok(), "{good}");
        }
        let long = format!("{}.service", "a".repeat(250));
        for bad in ["ssh", "ssh.conf", ".service", "@.service", "../x.service", "a/b.service", "a b.service", "", &long]
        {
            assert!(bad.parse::<UnitName>().is_err(), "{bad}");
        }
        assert_eq!("a@b.c.service".parse::<UnitName>()?.template(), Some("a@.service".parse()?));
        assert_eq!("a@.service".parse::<UnitName>()?.template(), None);
        assert!("a@.service".parse::<UnitName>()?.is_template());
        for bad in ["", ".a", "a/b", "..", "a b"] {
            assert!(bad.parse::<DropInName>().is_err(), "{bad}");
        }
        Ok(())
    }
}
