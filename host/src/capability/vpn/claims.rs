//! What one policy has declared so far: a call that contradicts it is refused at once, at its argument.
//!
//! Policies that contradict each other meet in the plan.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::{Interface, Name, Peer, PublicKey, Spec};
use crate::policy::Invalid;

/// The interfaces, peers and prefixes of one policy.
#[derive(Debug, Default)]
pub struct Claims {
    interfaces: BTreeMap<Name, Interface>,
    ports: BTreeMap<u16, Name>,
    peers: BTreeMap<(Name, PublicKey), Peer>,
    prefixes: BTreeMap<(Name, IpNet), PublicKey>,
}

impl Claims {
    /// Whether the spec fits to what was declared before.
    ///
    /// # Errors
    /// The argument that does not.
    pub fn check(&self, spec: &Spec) -> Result<(), Invalid> {
        spec.declares().map_or(Ok(()), |interface| self.check_interface(interface))?;
        spec.peers().iter().try_for_each(|peer| self.check_peer(peer))
    }

    /// Remembers a spec that fits.
    pub fn add(&mut self, spec: &Spec) {
        if let Some(interface) = spec.declares() {
            self.ports.extend(interface.listen_port.map(|port| (port, interface.name.clone())));
            self.interfaces.insert(interface.name.clone(), interface.clone());
        }
        for peer in spec.peers() {
            let prefixes = peer.allowed_ips.iter().map(|prefix| ((peer.interface.clone(), *prefix), peer.public_key));
            self.prefixes.extend(prefixes);
            self.peers.insert((peer.interface.clone(), peer.public_key), peer.clone());
        }
    }

    fn check_interface(&self, interface: &Interface) -> Result<(), Invalid> {
        let name = &interface.name;
        if self.interfaces.get(name).is_some_and(|earlier| earlier != interface) {
            return Err(Invalid::new("name", format!("{name} is declared already, and differently")));
        }
        match interface.listen_port.and_then(|port| Some((port, self.ports.get(&port)?))) {
            Some((port, other)) if other != name => {
                Err(Invalid::new("listen-port", format!("{other} listens on UDP port {port} already")))
            }
            _ => Ok(()),
        }
    }

    fn check_peer(&self, peer: &Peer) -> Result<(), Invalid> {
        let (interface, key) = (&peer.interface, peer.public_key);
        if self.peers.get(&(interface.clone(), key)).is_some_and(|earlier| earlier != peer) {
            let reason = format!("{key} is a peer of {interface} already, and declared differently");
            return Err(Invalid::new("public-key", reason));
        }
        for prefix in &peer.allowed_ips {
            // wg(8) would take it from the other peer without a word.
            if let Some(other) = self.prefixes.get(&(interface.clone(), *prefix)).filter(|other| **other != key) {
                let reason = format!("{prefix} goes to the peer {other} of {interface} already");
                return Err(Invalid::new("allowed-ips", reason));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use serde_json::{Value, json};

    use super::*;

    const ANNA: &str = "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=";
    const BEN: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

    fn peer(interface: &str, key: &str, prefixes: &[&str]) -> Value {
        json!({"peer": {"interface": interface, "public-key": key, "allowed-ips": prefixes}})
    }

    /// What is said of the last spec after all the others.
    fn said(specs: &[Value]) -> Result<Option<String>> {
        let mut claims = Claims::default();
        let mut last = None;
        for spec in specs {
            let spec = serde_json::from_value(spec.clone())?;
            let checked = claims.check(&spec);
            claims.add(&spec);
            last = checked.err().map(|error| error.to_string());
        }
        Ok(last)
    }

    #[test]
    fn what_contradicts_an_earlier_call_is_refused_at_its_argument() -> Result<()> {
        let wg0 = json!({"interface": {"name": "wg0", "listen-port": 51820}});
        let other = json!({"interface": {"name": "wg1", "listen-port": 51820}});
        let anna = peer("wg0", ANNA, &["10.8.0.2/32"]);
        let mesh = json!({"mesh": {"interface": {"name": "wg0", "listen-port": 51820}, "peers": [anna["peer"]]}});
        assert_eq!(said(&[wg0.clone(), wg0.clone()])?, None, "twice the same is once");
        assert_eq!(said(&[anna.clone(), anna.clone(), peer("wg1", BEN, &["10.8.0.2/32"])])?, None);
        assert_eq!(said(&[anna.clone(), peer("wg0", BEN, &["10.8.0.0/24"])])?, None, "the longest wins");
        insta::assert_snapshot!(
            [
                said(&[wg0.clone(), json!({"interface": {"name": "wg0"}})])?,
                said(&[wg0.clone(), other])?,
                said(&[anna.clone(), peer("wg0", ANNA, &["10.8.0.3/32"])])?,
                said(&[anna.clone(), peer("wg0", BEN, &["10.8.0.2/32"])])?,
                said(&[mesh, peer("wg0", BEN, &["10.8.0.2/32"])])?,
            ]
            .map(Option::unwrap_or_default)
            .join("\n"),
            @r"
        name: wg0 is declared already, and differently
        listen-port: wg0 listens on UDP port 51820 already
        public-key: DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8= is a peer of wg0 already, and declared differently
        allowed-ips: 10.8.0.2/32 goes to the peer DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8= of wg0 already
        allowed-ips: 10.8.0.2/32 goes to the peer DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8= of wg0 already
        "
        );
        Ok(())
    }
}
