//! Which `[host.NAME]` a word of the command line stands for, and where that host is.
//!
//! - Nothing: this machine. Its table is the one named as its hostname, else the only one without an address.
//!   A table with an address is never taken for this machine because it happens to be the only one.
//! - A name in `stead.toml`: that host, at its address; at this machine when it has none.
//! - `user@server` or `ssh://…`: that server. Its table is the one with this address, else with this server in its
//!   address, else of this name, else the only one without an address, else the only one.

use super::{Address, Host, Repo, nearest};

/// A host and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name of its table in `stead.toml`.
    pub host: String,
    pub location: Location,
}

/// Where a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// This machine.
    Local,
    /// Behind ssh(1).
    Ssh(Address),
}

/// No host table fits what the command line says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("stead.toml has no host")]
    NoHosts,
    #[error("no host is called `{word}`")]
    Unknown { word: String, hosts: Vec<String> },
    #[error("no host in stead.toml is this machine, `{hostname}`")]
    NotThisMachine { hostname: String, hosts: Vec<String> },
    #[error("no host in stead.toml is at {address}")]
    NotAt { address: String, hosts: Vec<String> },
}

impl Repo {
    /// The target that `word` stands for; `hostname` is this machine's.
    ///
    /// # Errors
    /// When no host table fits, or more than one.
    pub fn target(&self, word: Option<&str>, hostname: &str) -> Result<Target, TargetError> {
        if self.hosts().next().is_none() {
            return Err(TargetError::NoHosts);
        }
        let Some(word) = word else { return self.this_machine(hostname) };
        if let Some(host) = self.host(word) {
            let location = host.address.clone().map_or(Location::Local, Location::Ssh);
            return Ok(Target { host: host.name.to_string(), location });
        }
        let unknown = || TargetError::Unknown { word: word.to_owned(), hosts: self.host_names() };
        let address: Address = word.parse().map_err(|_| unknown())?;
        let known = self.hosts().any(|host| host.address.as_ref() == Some(&address));
        if !known && !word.contains('@') && !word.starts_with("ssh://") {
            return Err(unknown());
        }
        let not_at = || TargetError::NotAt { address: word.to_owned(), hosts: self.host_names() };
        let host = self.host_at(&address).ok_or_else(not_at)?;
        Ok(Target { host: host.name.to_string(), location: Location::Ssh(address) })
    }

    fn this_machine(&self, hostname: &str) -> Result<Target, TargetError> {
        let short = hostname.split('.').next().unwrap_or(hostname);
        let host = self.host(hostname).or_else(|| self.host(short)).or_else(|| self.only_without_address());
        let none = || TargetError::NotThisMachine { hostname: hostname.to_owned(), hosts: self.host_names() };
        host.map(|host| Target { host: host.name.to_string(), location: Location::Local }).ok_or_else(none)
    }

    fn host_at(&self, address: &Address) -> Option<&Host> {
        let has =
            |test: &dyn Fn(&Address) -> bool| only(self.hosts().filter(|host| host.address.as_ref().is_some_and(test)));
        has(&|other| other == address)
            .or_else(|| has(&|other| other.server() == address.server()))
            .or_else(|| self.host(address.server()))
            .or_else(|| self.only_without_address())
            .or_else(|| only(self.hosts()))
    }

    fn only_without_address(&self) -> Option<&Host> {
        only(self.hosts().filter(|host| host.address.is_none()))
    }

    fn host_names(&self) -> Vec<String> {
        self.hosts().map(|host| host.name.to_string()).collect()
    }
}

impl TargetError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::NoHosts => "add a [host.NAME] table with policies = [\"…\"] to stead.toml".to_owned(),
            Self::Unknown { word, hosts } => match nearest(word, hosts.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the hosts are {}; for a server in no table write user@server", quoted(hosts)),
            },
            Self::NotThisMachine { hostname, hosts } => format!(
                "say which host you mean ({}), or name a table [host.{hostname}] for this machine",
                quoted(hosts)
            ),
            Self::NotAt { address, hosts } => format!(
                "add address = \"{address}\" to one of {}, or have exactly one [host.NAME] without an address",
                quoted(hosts)
            ),
        }
    }
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    items.next().filter(|_| items.next().is_none())
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
