//! `stead vpn status`: what passes through the tunnels.

use std::collections::BTreeMap;

use clap::Args;

use crate::capability::vpn::{PublicKey, Talk, Tunnel};
use crate::cli::Context;
use crate::cli::asking::{Asked, ask_all, first_failure, unexpected};
use crate::cli::size::bytes;
use crate::cli::status::json;
use crate::cli::table::table;
use crate::cli::targets::{Machine, of_all};
use crate::cli::when::ago;
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::Request;

/// Show what passes through the tunnels.
///
/// Each WireGuard interface with its peers: where a peer was heard last, how long ago it shook hands, and what it
/// received and sent. A peer that has not shaken hands for three minutes has no session and is marked as stale.
#[derive(Debug, Args)]
pub(in crate::cli) struct Status {
    /// The hosts; all hosts of the repo when there is none, or this machine without a repo.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Print for machines: one JSON document, by host.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machines = of_all(context, &self.targets)?;
        let answers = tunnels(context, &machines).await;
        let said: BTreeMap<&str, &Vec<Tunnel>> = machines
            .iter()
            .zip(&answers)
            .filter_map(|(machine, answer)| Some((machine.label.as_str(), answer.as_ref().ok()?)))
            .collect();
        let text =
            if self.json { json(&said) } else { said.iter().map(|(label, tunnels)| host(label, tunnels)).collect() };
        context.terminal.print(&text);
        let machines: Vec<&Machine> = machines.iter().collect();
        Ok(first_failure(context, &machines, &answers).unwrap_or(Exit::Done))
    }
}

/// Asks each machine, in their order.
pub(super) async fn tunnels(context: &Context, machines: &[Machine]) -> Vec<Asked<Vec<Tunnel>>> {
    let requests = machines.iter().map(|machine| (machine.clone(), Request::Vpn)).collect();
    let tunnels = |answer: Asked<Event>| match answer? {
        Event::Vpn { tunnels } => Ok(tunnels),
        _ => Err(unexpected()),
    };
    ask_all(context, requests).await.into_iter().map(tunnels).collect()
}

fn host(label: &str, tunnels: &[Tunnel]) -> String {
    if tunnels.is_empty() {
        return format!("{label}: no WireGuard interface\n");
    }
    tunnels.iter().map(|one| tunnel(label, one)).collect()
}

fn tunnel(label: &str, tunnel: &Tunnel) -> String {
    let key = tunnel.public_key.map_or_else(|| "no key".to_owned(), |key| format!("public key {key}"));
    let port = tunnel.listen_port.map_or_else(|| "no port".to_owned(), |port| format!("UDP port {port}"));
    let text = format!("{label}: {}, {port}, {key}\n", tunnel.name);
    if tunnel.peers.is_empty() {
        return text + "  no peer\n";
    }
    let heading = ["PEER", "ENDPOINT", "HANDSHAKE", "RECEIVED", "SENT", ""].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(heading).chain(tunnel.peers.iter().map(row)).collect();
    text + &table(&rows)
}

fn row((key, talk): (&PublicKey, &Talk)) -> [String; 6] {
    let name = talk.name.as_deref().map(|name| format!("{} ", printable(name))).unwrap_or_default();
    [
        format!("{name}{}", key.short()),
        talk.endpoint.map_or_else(|| "unknown".to_owned(), |endpoint| endpoint.to_string()),
        talk.handshake.map_or_else(|| "never".to_owned(), ago),
        bytes(talk.received),
        bytes(talk.sent),
        if talk.is_stale() { "stale".to_owned() } else { String::new() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(name: Option<&str>, handshake: Option<u64>, received: u64) -> Talk {
        let endpoint = handshake.and_then(|_| "192.0.2.7:51820".parse().ok());
        Talk { name: name.map(str::to_owned), endpoint, handshake, received, sent: received / 7, ..Talk::default() }
    }

    #[test]
    fn a_peer_is_a_line() {
        let peers = [
            (PublicKey::new([1; 32]), talk(Some("anna-laptop"), Some(12), 5_000_000)),
            (PublicKey::new([2; 32]), talk(None, None, 0)),
            (PublicKey::new([3; 32]), talk(Some("web2\n"), Some(7_300), 1023)),
        ];
        let wg0 = Tunnel {
            name: "wg0".to_owned().try_into().unwrap_or_else(|_| unreachable!()),
            driver: crate::capability::vpn::Driver::Kernel,
            public_key: Some(PublicKey::new([9; 32])),
            listen_port: Some(51820),
            peers: peers.into_iter().collect(),
        };
        insta::assert_snapshot!(host("web1", &[wg0]), @r"
        web1: wg0, UDP port 51820, public key CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=
          PEER                   ENDPOINT         HANDSHAKE  RECEIVED  SENT
          anna-laptop AQEBAQEB…  192.0.2.7:51820  12 s ago   4.7 MiB   697.5 KiB
          AgICAgIC…              unknown          never      0 B       0 B        stale
          web2\n AwMDAwMD…       192.0.2.7:51820  2 h ago    1023 B    146 B      stale
        ");
        assert_eq!(host("web2", &[]), "web2: no WireGuard interface\n");
    }
}
