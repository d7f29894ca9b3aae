//! Names that apt cannot take for something else: no option, no pattern, no `NAME-` that means removal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::policy::Invalid;

/// A package as apt names it, with an architecture only when it is not the host's: `curl`, `libc6:i386`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Package(String);

/// An exact version, by deb-version(7): `1:2.3-4ubuntu5`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// The name of a file under `/etc/apt/sources.list.d`, without `.sources`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName(String);

impl Package {
    /// The name without an architecture.
    pub fn base(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(base, _)| base)
    }

    /// The architecture, when one is named.
    pub fn architecture(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, architecture)| architecture)
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Version {
    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RepositoryName {
    /// Where sources.list(5) has it.
    pub fn path(&self) -> String {
        format!("/etc/apt/sources.list.d/{}.sources", self.0)
    }
}

impl FromStr for Package {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (base, architecture) = text.split_once(':').unwrap_or((text, "all"));
        // `NAME-` tells apt-get(8) to remove NAME.
        let named = base.len() >= 2 && begins_with(base, is_lower) && base.chars().all(is_name) && !base.ends_with('-');
        let built = begins_with(architecture, is_lower) && architecture.chars().all(|c| is_lower(c) || c == '-');
        if named && built && text.len() <= 256 && architecture != "any" {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new("name", format!("{text:?} is not the name of a package, such as `curl` or `libc6:i386`")))
    }
}

impl FromStr for Version {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | ':' | '~');
        if begins_with(text, |c| c.is_ascii_alphanumeric()) && text.chars().all(part) && text.len() <= 256 {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new("version", format!("{text:?} is not an exact version, such as `1:2.3-4`")))
    }
}

impl FromStr for RepositoryName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // sources.list(5): apt ignores files whose names hold anything else.
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if begins_with(text, |c| c.is_ascii_alphanumeric()) && text.chars().all(part) && text.len() <= 128 {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new("name", format!("{text:?} is not letters, digits, `-`, `_` and `.`")))
    }
}

fn begins_with(text: &str, holds: impl Fn(char) -> bool) -> bool {
    text.chars().next().is_some_and(holds)
}

fn is_lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn is_name(c: char) -> bool {
    is_lower(c) || matches!(c, '+' | '-' | '.')
}

macro_rules! text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }
    };
}

text!(Package);
text!(Version);
text!(RepositoryName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_only() {
        for good in ["curl", "g++", "libstdc++6", "python3.13", "libc6:i386", "0ad"] {
            assert!(good.parse::<Package>().is_ok(), "{good}");
        }
        for bad in
            ["", "a", "curl-", "-y", "Curl", "curl nginx", "curl=1", "curl/sid", "^curl$", "c*", "libc6:any", "a:"]
        {
            assert!(bad.parse::<Package>().is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_and_repository_names() {
        assert!("1:2.36.1-8+deb12u2~bpo".parse::<Version>().is_ok());
        for bad in ["", " 1", "1 2", "-1", "1=2", "1/2"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
        assert!("docker-ce".parse::<RepositoryName>().is_ok());
        for bad in ["", "../x", ".x", "a/b", "a b"] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
        }
    }
}
