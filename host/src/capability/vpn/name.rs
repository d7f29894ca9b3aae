//! The names of WireGuard: an interface, a key, an endpoint. Parsed once; what holds one is right.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::policy::Invalid;

/// The name of an interface, as wg-quick(8) allows it: it is part of file names, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// The public half of a key pair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

/// Where a peer is called: `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint(String);

impl Name {
    /// The name as the kernel has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_=+.-".contains(c);
        if (1..=15).contains(&name.len())
            && name.chars().all(allowed)
            && !matches!(name, "." | ".." | "all" | "default")
        {
            return Ok(Self(name.to_owned()));
        }
        Err(Invalid::new("name", format!("{name:?} is not 1 to 15 letters, digits or `_=+.-`")))
    }
}

impl PublicKey {
    /// A key from its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Enough of it for people to tell one from another.
    pub fn short(&self) -> String {
        let text = self.to_string();
        format!("{}…", text.get(..8).unwrap_or(&text))
    }
}

impl FromStr for PublicKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| Invalid::new("public-key", format!("{text:?} is not 32 bytes in base64")))
    }
}

impl FromStr for Endpoint {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("endpoint", format!("{text:?} is neither HOST:PORT nor [ADDRESS]:PORT"));
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let port: u16 = port.parse().map_err(|_| invalid())?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let right = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => is_host(host),
        };
        if right && port != 0 { Ok(Self(format!("{host}:{port}"))) } else { Err(invalid()) }
    }
}

/// Whether it is a host name or an IPv4 address, by RFC 1123.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self(address.to_string())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0
    }
}

impl TryFrom<String> for Name {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl TryFrom<String> for PublicKey {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_wg_quick() {
        for name in ["wg0", "w", "site-a.b_c=+12"] {
            assert!(name.parse::<Name>().is_ok(), "{name}");
        }
        for name in ["", "sixteen-letters0", "a/b", "..", "a b", "wg\n", "ü", "all"] {
            assert!(name.parse::<Name>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_key_has_one_spelling() {
        let key = "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=";
        assert_eq!(key.parse::<PublicKey>().map(|key| key.to_string()), Ok(key.to_owned()));
        let bits = key.replace("uk8=", "uk9=");
        for wrong in ["", "DD5y", &key[..43], &format!("{key}="), &format!("{key}\n"), bits.as_str()] {
            assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_endpoint_has_host_and_port() {
        for right in ["vpn.example.org:51820", "192.0.2.1:1", "[2001:db8::1]:51820"] {
            assert_eq!(right.parse::<Endpoint>().map(String::from), Ok(right.to_owned()));
        }
        for wrong in ["", "host", "host:0", "host:65536", "2001:db8::1:51820", "[host]:1", "a..b:1", "a\n:1", ":1"] {
            assert!(wrong.parse::<Endpoint>().is_err(), "{wrong}");
        }
    }
}
