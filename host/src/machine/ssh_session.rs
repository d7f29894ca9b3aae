//! How the operator came in: what a plan must not cut off.

use std::net::IpAddr;

use super::interfaces;

/// The SSH connection that this process was started over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshSession {
    pub client: IpAddr,
    pub server: IpAddr,
    pub server_port: u16,
    /// The interface that has the server's address, by which the connection came in as a rule.
    pub interface: Option<String>,
}

impl SshSession {
    /// From `SSH_CONNECTION`, which sshd(8) sets; `None` on a console.
    pub async fn current() -> Option<Self> {
        let session = Self::parse(&std::env::var("SSH_CONNECTION").ok()?)?;
        // Without a name, fewer rules are sure to let the session in: an error here makes stead more careful.
        let interface = interfaces::with(session.server).await.ok().flatten();
        Some(Self { interface, ..session })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let client = words.next()?.parse().ok()?;
        let _client_port: u16 = words.next()?.parse().ok()?;
        let (server, server_port) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { client, server, server_port, interface: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_sshd_sets() {
        let session = SshSession::parse("192.0.2.7 50022 2001:db8::1 22");
        assert_eq!(session.map(|session| session.server_port), Some(22));
        assert_eq!(SshSession::parse("not a connection"), None);
    }
}
