//! Who listens on this host.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use listeners::{Protocol, SocketState};
use serde::{Deserialize, Serialize};

use super::spec::Transport;
use crate::capability::ObserveError;

/// A program that waits for what comes in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listening {
    pub protocol: Transport,
    pub port: u16,
    /// `0.0.0.0` and `::`: all of this host's.
    pub address: IpAddr,
    /// The name of the program.
    pub program: String,
}

impl Listening {
    /// Somebody who listens at all addresses of this host.
    pub fn everywhere(protocol: Transport, port: u16, program: &str) -> Self {
        Self { protocol, port, address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), program: program.to_owned() }
    }
}

/// All programs that listen, but not those that only the host itself can reach.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn listening() -> Result<BTreeSet<Listening>, ObserveError> {
    let all = listeners::get_all()
        .map_err(|error| ObserveError::Unreadable { resource: "/proc/net".to_owned(), reason: error.to_string() })?;
    let one = |listener: listeners::Listener| {
        let protocol = match (listener.protocol, listener.state) {
            (Protocol::TCP, SocketState::Listen) => Transport::Tcp,
            // A UDP socket that talks to one peer only is not open to others.
            (Protocol::UDP, state) if state != SocketState::Established => Transport::Udp,
            _ => return None,
        };
        let (address, port) = (listener.socket.ip().to_canonical(), listener.socket.port());
        let program = listener.process.name;
        (!address.is_loopback()).then_some(Listening { protocol, port, address, program })
    };
    Ok(all.into_iter().filter_map(one).collect())
}
