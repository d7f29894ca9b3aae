//! Names of users and groups, as useradd(8) of Debian and Ubuntu takes them without `--badname`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::policy::Invalid;

/// `[a-z_][a-z0-9_-]{0,31}`. No dot: sudo(8) ignores files with a dot in their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the superuser, or the superuser's group.
    pub fn is_root(&self) -> bool {
        self.0 == "root"
    }
}

impl FromStr for Name {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let first = text.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
        let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        if first && text.len() <= 32 && text.chars().all(part) {
            return Ok(Self(text.to_owned()));
        }
        let reason = "is not 1 to 32 lower-case letters, digits, `_` and `-`, beginning with a letter or `_`";
        Err(Invalid::new("name", format!("{text:?} {reason}")))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl TryFrom<String> for Name {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}
