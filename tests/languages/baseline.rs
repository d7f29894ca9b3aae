//! The policy `baseline`: what the shipped one in Rust asks for, asks each of the examples for.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use stead::policy::{Recorded, Run};

use crate::guest::Guest;

pub(crate) async fn asks_for_the_same(guest: &Guest, measure: &Guest) -> Result<()> {
    for config in [json!({}), full()] {
        let (ours, theirs) = (guest.configure(&config).await?, measure.configure(&config).await?);
        ensure!(theirs.calls.len() > 10, "{:?}", theirs.calls);
        assert_eq!(asked(&ours), asked(&theirs));
    }
    for config in
        [json!({ "vpn": {} }), json!({ "vpn": { "mesh": true, "listen-port": 1 } }), json!({ "public-port": [1] })]
    {
        let (ours, theirs) = (guest.configure(&config).await, measure.configure(&config).await);
        let (ours, theirs) = (ours.unwrap_err().to_string(), theirs.unwrap_err().to_string());
        // Each language has words of its own for a key that it does not know.
        let same = ours == theirs || (ours.contains("public-port") && ours.contains("unknown"));
        ensure!(same, "{ours}\n{theirs}");
    }
    Ok(())
}

/// All that the policy asks for when everything is in its settings.
pub(crate) async fn everything(guest: &Guest) -> Result<Value> {
    Ok(serde_json::to_value(asked(&guest.configure(&full()).await?))?)
}

/// When a policy reads its settings and facts is up to it.
fn asked(run: &Run) -> Vec<&Recorded> {
    run.calls.iter().filter(|call| !matches!(call.capability.as_str(), "config" | "facts" | "log")).collect()
}

fn full() -> Value {
    let peer = json!({
        "name": "laptop",
        "public-key": "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=",
        "allowed-ips": ["10.8.0.2/32"],
        "endpoint": "192.0.2.9:51820",
    });
    json!({
        "admins": [{ "name": "alice", "keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvJJ0sNMAPrTGr8A1tYo0d5sLDZHLnjN0J0ZbnXkG6z é"] }],
        "ssh-port": 2222,
        "ssh-from": ["192.0.2.0/24"],
        "ssh-by": "wg0",
        "public-ports": [80, 443],
        "vpn": { "addresses": ["10.8.0.1/24"], "ports": [8080], "peers": [peer] },
        "apps": ["hello"],
        "sysctl": { "vm.swappiness": "10", "net.ipv4.tcp_syncookies": "0" },
    })
}
