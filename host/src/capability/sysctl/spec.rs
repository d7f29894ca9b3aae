//! The words of sysctl: a key, its value now and after a boot, and what a policy may set.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::capability::Denied;
use crate::grant::Patterns;
use crate::policy::Invalid;

/// A dotted key: `net.ipv4.ip_forward`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

/// What a policy asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    pub key: Key,
    pub value: String,
}

/// `[policy.NAME.grant.sysctl]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Patterns of keys: `net.ipv4.*`.
    pub keys: Patterns,
}

/// A parameter as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The running kernel's value, with inner white space made single; `None` when it has no such parameter.
    pub running: Option<String>,
    /// The value in stead's own file under `/etc/sysctl.d`.
    pub persistent: Option<String>,
}

/// Sets a parameter: both values are as they are to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    pub key: Key,
    pub to: Parameter,
}

impl Key {
    /// Where proc(5) has it, relative to `/proc/sys`.
    pub fn path(&self) -> String {
        // sysctl(8): dots and slashes swap, so that `net.ipv4.conf.eth0/1.forwarding` reaches `eth0.1`.
        self.0
            .chars()
            .map(|c| {
                if c == '.' {
                    '/'
                } else if c == '/' {
                    '.'
                } else {
                    c
                }
            })
            .collect()
    }
}

impl FromStr for Key {
    type Err = Invalid;

    fn from_str(key: &str) -> Result<Self, Invalid> {
        let part = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | ':' | '@'))
        };
        if key.len() <= 256 && key.contains('.') && key.split('.').all(part) && !key.contains("//") {
            return Ok(Self(key.to_owned()));
        }
        Err(Invalid::new("key", format!("{key:?} is not a dotted key such as `net.ipv4.ip_forward`")))
    }
}

impl Spec {
    /// Parses the arguments of `sysctl.set`.
    ///
    /// # Errors
    /// When the key is not dotted, or the value is empty or has more than one line.
    pub fn parse(key: &str, value: &str) -> Result<Self, Invalid> {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if value.is_empty() || value.len() > 4096 || value.chars().any(char::is_control) {
            return Err(Invalid::new("value", "must be one line of 1 to 4096 bytes"));
        }
        Ok(Self { key: key.parse()?, value })
    }
}

impl Scope {
    /// Whether one of the patterns matches the key.
    ///
    /// # Errors
    /// [`Denied`] when none does.
    pub fn check(&self, spec: &Spec) -> Result<(), Denied> {
        if self.keys.matches(&spec.key.0) {
            return Ok(());
        }
        Err(Denied {
            capability: "sysctl",
            asked: format!("set {}", spec.key),
            key: "keys",
            value: format!("[\"{}\"]", spec.key),
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl TryFrom<String> for Key {
    type Error = Invalid;

    fn try_from(key: String) -> Result<Self, Invalid> {
        key.parse()
    }
}
