//! The name of a host, a policy or a secret: what may stand in a path, a unit name and a key without quotes.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A name: letters, digits, `-`, `_` and `.`, beginning with a letter or digit, at most 63 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// The text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name: use letters, digits, `-`, `_` and `.`, begin with a letter or digit, at most 63 bytes")]
pub struct NotAName(String);

impl Name {
    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(name: String) -> Result<Self, NotAName> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && name.len() <= 63 && name.chars().all(good) { Ok(Self(name)) } else { Err(NotAName(name)) }
    }
}

impl std::str::FromStr for Name {
    type Err = NotAName;

    fn from_str(name: &str) -> Result<Self, NotAName> {
        name.to_owned().try_into()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
