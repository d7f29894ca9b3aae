//! How the operator came in: what a plan must not cut off.

use std::net::IpAddr;

/// The SSH connection that this process was started over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SshSession {
    pub client: IpAddr,
    pub server: IpAddr,
    pub server_port: u16,
}

impl SshSession {
    /// From `SSH_CONNECTION`, which sshd(8) sets; `None` on a console.
    pub fn current() -> Option<Self> {
        Self::parse(&std::env::var("SSH_CONNECTION").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let client = words.next()?.parse().ok()?;
        let _client_port: u16 = words.next()?.parse().ok()?;
        Some(Self { client, server: words.next()?.parse().ok()?, server_port: words.next()?.parse().ok()? })
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
