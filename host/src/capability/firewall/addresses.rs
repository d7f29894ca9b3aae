//! What a rule says of an address: prefixes, or a named set.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::set::SetName;
use super::spec::Family;
use super::words::Prefixes;
use crate::policy::Invalid;

/// Addresses, as a rule names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub enum Addresses {
    /// None means all.
    Prefixes(Prefixes),
    /// Those of a set, whose type decides on the family.
    Set(SetName),
}

impl Default for Addresses {
    fn default() -> Self {
        Self::Prefixes(Prefixes::default())
    }
}

impl Addresses {
    /// Parses the argument of this name.
    ///
    /// # Errors
    /// When a text is neither an address nor a prefix, or a set is not alone.
    pub fn parse(argument: &'static str, texts: &[String]) -> Result<Self, Invalid> {
        match texts {
            [set] if set.starts_with('@') => {
                let name = set.trim_start_matches('@').parse::<SetName>();
                Ok(Self::Set(name.map_err(|wrong| Invalid::new(argument, wrong.reason))?))
            }
            texts if texts.iter().any(|text| text.starts_with('@')) => {
                Err(Invalid::new(argument, "a set stands alone: put the other addresses into it, or into another rule"))
            }
            texts => Ok(Self::Prefixes(Prefixes::parse(argument, texts)?)),
        }
    }

    /// Whether all addresses are meant.
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Prefixes(prefixes) if prefixes.is_any())
    }

    /// Whether addresses of this family may be meant.
    pub fn may_be(&self, family: Family) -> bool {
        match self {
            Self::Prefixes(prefixes) => prefixes.of(family).is_some(),
            Self::Set(_) => true,
        }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |net: &IpNet| match net.prefix_len() == net.max_prefix_len() {
            true => net.addr().to_string(),
            false => net.to_string(),
        };
        match self {
            Self::Set(name) => write!(f, "@{name}"),
            Self::Prefixes(all) if all.is_any() => f.write_str("everywhere"),
            Self::Prefixes(some) => f.write_str(&some.as_slice().iter().map(text).collect::<Vec<_>>().join(", ")),
        }
    }
}

impl TryFrom<Vec<String>> for Addresses {
    type Error = Invalid;

    fn try_from(texts: Vec<String>) -> Result<Self, Invalid> {
        Self::parse("addresses", &texts)
    }
}

impl From<Addresses> for Vec<String> {
    fn from(addresses: Addresses) -> Self {
        match addresses {
            Addresses::Prefixes(prefixes) => prefixes.into(),
            Addresses::Set(name) => vec![format!("@{name}")],
        }
    }
}
