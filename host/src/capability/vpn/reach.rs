//! Whether the operator, whose session comes in through a tunnel, would still come in.
//!
//! Only what is sure is said: a key pair that changes may well be one that the operator knows, so that is left to
//! confirm or revert.

use super::Set;
use crate::machine::SshSession;

/// Why the interface as it is to be would cut the session off.
pub(super) fn cuts_off(set: &Set, session: &SshSession) -> Option<String> {
    let name = set.name.as_str();
    if session.interface.as_deref() != Some(name) {
        return None;
    }
    let SshSession { client, server, .. } = session;
    let Some(live) = set.to.live.as_ref().filter(|live| live.up) else {
        return Some(format!("your session comes from {client} through {name}, which goes down"));
    };
    if !live.addresses.iter().any(|address| address.addr() == *server) {
        return Some(format!("your session goes to {server}, which is no address of {name} any more"));
    }
    let mut prefixes = live.peers.values().flat_map(|peer| &peer.allowed_ips);
    let lost = !prefixes.any(|prefix| prefix.contains(client));
    lost.then(|| format!("your session comes from {client} through {name}, and that is no peer's address any more"))
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use serde_json::json;

    use super::*;

    fn session(interface: Option<&str>, client: &str) -> Result<SshSession> {
        let interface = interface.map(str::to_owned);
        Ok(SshSession { client: client.parse()?, server: "10.8.0.1".parse()?, server_port: 22, interface })
    }

    fn wg0(address: &str, prefix: &str) -> Result<Set> {
        let peers = json!({"DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=": {"allowed-ips": [prefix]}});
        let live = json!({"mtu": 1420, "up": true, "addresses": [address], "peers": peers});
        Ok(serde_json::from_value(json!({"name": "wg0", "to": {"live": live}}))?)
    }

    #[test]
    fn who_is_still_a_peer_comes_in() -> Result<()> {
        let right = wg0("10.8.0.1/24", "10.8.0.2/32")?;
        assert_eq!(cuts_off(&right, &session(Some("wg0"), "10.8.0.2")?), None);
        assert_eq!(cuts_off(&wg0("10.8.0.1/24", "0.0.0.0/0")?, &session(Some("wg0"), "10.8.0.2")?), None);
        assert_eq!(cuts_off(&right, &session(Some("eth0"), "192.0.2.2")?), None, "it comes in by another way");
        assert_eq!(cuts_off(&right, &session(None, "192.0.2.2")?), None, "nobody knows by which way");
        Ok(())
    }

    #[test]
    fn who_is_no_peer_any_more_is_cut_off() -> Result<()> {
        let through = session(Some("wg0"), "10.8.0.2")?;
        let gone: Set = serde_json::from_value(json!({"name": "wg0", "to": {}}))?;
        insta::assert_snapshot!(
            [
                cuts_off(&wg0("10.8.0.1/24", "10.8.0.3/32")?, &through),
                cuts_off(&wg0("10.8.0.9/24", "10.8.0.2/32")?, &through),
                cuts_off(&gone, &through),
            ]
            .map(Option::unwrap_or_default)
            .join("\n"),
            @r"
        your session comes from 10.8.0.2 through wg0, and that is no peer's address any more
        your session goes to 10.8.0.1, which is no address of wg0 any more
        your session comes from 10.8.0.2 through wg0, which goes down
        "
        );
        Ok(())
    }
}
