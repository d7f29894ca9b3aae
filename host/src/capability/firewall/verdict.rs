//! What happens to a packet, in the words of nft(8).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::spec::{Chain, Family};
use crate::policy::Invalid;

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Accept,
    Drop,
    Reject,
    Masquerade,
    Snat(IpAddr),
    Dnat(Destination),
    Redirect(NonZeroU16),
}

/// Where a packet is sent instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Destination {
    pub address: IpAddr,
    pub port: Option<NonZeroU16>,
}

impl Verdict {
    /// The only chain in which it is possible, if there is one.
    pub fn chain(self) -> Option<Chain> {
        match self {
            Self::Accept | Self::Drop | Self::Reject => None,
            Self::Masquerade | Self::Snat(_) => Some(Chain::Postrouting),
            Self::Dnat(_) | Self::Redirect(_) => Some(Chain::Prerouting),
        }
    }

    /// The only family whose packets it can be about, if there is one.
    pub fn family(self) -> Option<Family> {
        match self {
            Self::Snat(address) | Self::Dnat(Destination { address, .. }) => Some(Family::of(address)),
            _ => None,
        }
    }

    /// Whether it names a port, so that its rule has to name a protocol with ports.
    pub fn has_port(self) -> bool {
        matches!(self, Self::Redirect(_) | Self::Dnat(Destination { port: Some(_), .. }))
    }
}

impl FromStr for Destination {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || {
            let reason = format!("{text:?} is not `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`");
            Invalid::new("verdict", reason)
        };
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { address, port: None });
        }
        let both = text.parse::<SocketAddr>().map_err(|_| wrong())?;
        Ok(Self { address: both.ip(), port: Some(NonZeroU16::new(both.port()).ok_or_else(wrong)?) })
    }
}

impl TryFrom<String> for Destination {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> Self {
        destination.to_string()
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}", SocketAddr::new(self.address, port.get())),
            None => write!(f, "{}", self.address),
        }
    }
}

/// As nft(8) writes it in a table of both families.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = |address: &IpAddr| if address.is_ipv4() { "ip" } else { "ip6" };
        match self {
            Self::Accept => f.write_str("accept"),
            Self::Drop => f.write_str("drop"),
            Self::Reject => f.write_str("reject"),
            Self::Masquerade => f.write_str("masquerade"),
            Self::Snat(address) => write!(f, "snat {} to {address}", family(address)),
            Self::Dnat(to) => write!(f, "dnat {} to {to}", family(&to.address)),
            Self::Redirect(port) => write!(f, "redirect to :{port}"),
        }
    }
}
