//! The WireGuard interfaces of a host, and their peers.

use maud::{Markup, html};

use super::shown::{state, table};
use crate::capability::vpn::{PublicKey, Talk, Tunnel};
use crate::look::Part;
use crate::policy::{printable, printable_lines};
use crate::size::bytes;
use crate::when::ago;

pub(super) fn all(tunnels: &Part<Vec<Tunnel>>) -> Markup {
    let tunnels = match tunnels {
        Err(why) => return html! { p .quiet { (printable_lines(why)) } },
        Ok(tunnels) => tunnels,
    };
    html! {
        @if tunnels.is_empty() { p .quiet { "No WireGuard interface." } }
        @for tunnel in tunnels { (one(tunnel)) }
    }
}

fn one(tunnel: &Tunnel) -> Markup {
    let name = tunnel.name.to_string();
    let rows: Vec<_> = tunnel.peers.iter().map(|(key, talk)| row(key, talk)).collect();
    let heads = ["Peer", "Public key", "Addresses", "Endpoint", "Handshake", "Received", "Sent"];
    html! {
        p {
            b { (name) }
            @if let Some(port) = tunnel.listen_port { ", UDP port " (port) }
            @if let Some(key) = &tunnel.public_key { ", public key " code { (key) } }
        }
        (table(&format!("Peers of {name}"), &heads, &rows, "No peer."))
    }
}

fn row(key: &PublicKey, talk: &Talk) -> Markup {
    let addresses: Vec<_> = talk.allowed_ips.iter().take(20).map(ToString::to_string).collect();
    html! {
        th scope="row" { (printable(talk.name.as_deref().unwrap_or("no name"))) }
        td { code title=(key) { (key.short()) } }
        td { (addresses.join(", ")) }
        td { @match talk.endpoint { Some(endpoint) => (endpoint), None => "unknown" } }
        td {
            @match talk.handshake { Some(seconds) => (ago(seconds)), None => "never" }
            @if talk.is_stale() { " " (state("stale")) }
        }
        td { (bytes(talk.received)) }
        td { (bytes(talk.sent)) }
    }
}
