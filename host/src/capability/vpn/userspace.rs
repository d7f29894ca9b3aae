//! The unit that serves an interface where the kernel has no WireGuard: wireguard-go(1), told by wg(8) and ip(8).
//!
//! systemd-networkd(8) makes interfaces of the kernel only. The unit needs nothing of stead, names the files of keys and
//! never holds one. While it runs, changes go to the program itself; what the unit says is for the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use super::networkd::{HEADER, key_path, preshared_path};
use super::wanted::Wanted;
use super::{Endpoint, Name, Peer, PublicKey};
use crate::machine::{Machine, Program, ProgramError};

const THEN: &str = "ExecStartPost=";
const UNITS: &str = "/etc/systemd/system";
/// What the unit runs, by the packages wireguard-go and wireguard-tools.
const PROGRAMS: [&str; 2] = ["/usr/bin/wireguard-go", "/usr/bin/wg"];
/// As long as systemd(1) gives a unit to start, and some.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether such a unit would run here.
pub(super) fn is_possible(machine: &Machine) -> bool {
    machine.is_booted() && PROGRAMS.iter().all(|program| machine.path(program).exists())
}

/// The unit's name: what systemd.unit(5) does not allow in one is written as it says.
fn unit_name(name: &Name) -> String {
    let escaped = name.as_str().chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            '=' | '+' => _ = write!(escaped, "\\x{:02x}", u32::from(letter)),
            allowed => escaped.push(allowed),
        }
        escaped
    });
    format!("stead-vpn-{escaped}.service")
}

/// The unit file.
pub(super) fn unit_path(name: &Name) -> String {
    format!("{UNITS}/{}", unit_name(name))
}

/// The link by which it starts at boot.
pub(super) fn enabled_link(name: &Name) -> String {
    format!("{UNITS}/multi-user.target.wants/{}", unit_name(name))
}

/// The content of the unit file.
pub(super) fn unit(wanted: &Wanted<'_>) -> String {
    let interface = wanted.interface;
    let name = &interface.name;
    let mut text = format!(
        "{HEADER}[Unit]\nDescription=WireGuard interface {name} in userspace\n\
         After=local-fs.target network.target nss-lookup.target\n\n\
         [Service]\nType=forking\nRestart=on-failure\nExecStart=wireguard-go {name}\n"
    );
    let mut own = format!("wg set {name} private-key {}", key_path(name));
    if let Some(port) = interface.listen_port {
        let _ = write!(own, " listen-port {port}");
    }
    if let Some(mark) = interface.fwmark {
        let _ = write!(own, " fwmark {mark:#x}");
    }
    then(&mut text, &own);
    for (peer, _) in wanted.peers.values() {
        if let Some(called) = &peer.name {
            let _ = writeln!(text, "# {called}");
        }
        then(&mut text, &set_peer(name, peer));
    }
    then(&mut text, &format!("ip link set dev {name} mtu {} up", interface.mtu));
    for address in &interface.addresses {
        then(&mut text, &format!("ip address replace {address} dev {name}"));
    }
    for route in wanted.routes().unwrap_or_default() {
        then(&mut text, &format!("ip route replace {route} dev {name}"));
    }
    for (table, routes) in wanted.table().unwrap_or_default() {
        for route in routes {
            then(&mut text, &format!("ip route replace {route} dev {name} table {table}"));
        }
    }
    text.push_str("\n[Install]\nWantedBy=multi-user.target\n");
    text
}

fn then(text: &mut String, command: &str) {
    // A percent sign would begin a specifier; systemd.unit(5).
    let _ = writeln!(text, "{THEN}{}", command.replace('%', "%%"));
}

fn set_peer(name: &Name, peer: &Peer) -> String {
    // The name of an endpoint may not be known at that moment: the others are set all the same.
    let mut command = String::new();
    if peer.endpoint.as_ref().is_some_and(|endpoint| endpoint.to_string().parse::<std::net::SocketAddr>().is_err()) {
        command.push('-');
    }
    let _ = write!(command, "wg set {name} peer {}", peer.public_key);
    if peer.preshared_key.is_some() {
        let _ = write!(command, " preshared-key {}", preshared_path(name, &peer.public_key));
    }
    if let Some(endpoint) = &peer.endpoint {
        let _ = write!(command, " endpoint {endpoint}");
    }
    if let Some(seconds) = peer.persistent_keepalive {
        let _ = write!(command, " persistent-keepalive {seconds}");
    }
    if !peer.allowed_ips.is_empty() {
        let prefixes: Vec<_> = peer.allowed_ips.iter().map(ToString::to_string).collect();
        let _ = write!(command, " allowed-ips {}", prefixes.join(","));
    }
    command
}

/// What the peers in a unit are called.
pub(super) fn names(unit: &str) -> BTreeMap<PublicKey, &str> {
    let lines: Vec<_> = unit.lines().collect();
    let named = lines.windows(2).filter_map(|lines| Some((peer_of(lines[1])?.0, lines[0].strip_prefix("# ")?)));
    named.collect()
}

/// The peers in a unit, with the endpoint of each.
pub(super) fn endpoints(unit: &str) -> BTreeMap<PublicKey, Option<Endpoint>> {
    let endpoint = |(key, rest): (PublicKey, &str)| (key, after(rest, "endpoint").and_then(|said| said.parse().ok()));
    unit.lines().filter_map(peer_of).map(endpoint).collect()
}

/// The routing tables that a unit fills.
pub(super) fn tables(unit: &str) -> BTreeSet<u32> {
    let routes = unit.lines().filter_map(|line| line.strip_prefix(THEN)?.strip_prefix("ip route "));
    routes.filter_map(|route| after(route, "table")?.parse().ok()).collect()
}

/// The peer that a line sets, and what it says of it.
fn peer_of(line: &str) -> Option<(PublicKey, &str)> {
    let command = line.strip_prefix(THEN)?.trim_start_matches('-').strip_prefix("wg set ")?;
    let (_, said) = command.split_once(" peer ")?;
    let (key, rest) = said.split_once(' ').unwrap_or((said, ""));
    Some((key.parse().ok()?, rest))
}

/// The word after a word.
fn after(text: &str, word: &str) -> Option<String> {
    let mut words = text.split(' ').skip_while(|is| *is != word);
    words.nth(1).map(|found| found.replace("%%", "%"))
}

/// Starts it.
///
/// # Errors
/// When it does not come up.
pub(super) async fn start(name: &Name) -> Result<(), ProgramError> {
    systemctl(&["daemon-reload"]).await?;
    systemctl(&["start", &unit_name(name)]).await
}

/// Stops it, and the program that it has started; one that is not there is none that runs.
///
/// # Errors
/// When it does not end.
pub(super) async fn stop(machine: &Machine, name: &Name) -> Result<(), ProgramError> {
    if machine.is_booted() { systemctl(&["stop", &unit_name(name)]).await } else { Ok(()) }
}

/// The manager knows the unit file as it is now.
///
/// # Errors
/// When it does not answer.
pub(super) async fn reload(machine: &Machine) -> Result<(), ProgramError> {
    if machine.is_booted() { systemctl(&["daemon-reload"]).await } else { Ok(()) }
}

async fn systemctl(arguments: &[&str]) -> Result<(), ProgramError> {
    Program::new("systemctl").args(arguments.iter().copied()).timeout(PATIENCE).run().await.map(drop)
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, Result};
    use serde_json::json;

    use super::*;
    use crate::capability::Declared;
    use crate::capability::vpn::{Spec, wanted};

    #[test]
    fn the_unit_says_it_all_and_is_read_again() -> Result<()> {
        let (anna, ben) =
            ("DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=", "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=");
        let spec = |spec| -> Result<_> {
            Ok(Declared { policy: "base".to_owned(), spec: serde_json::from_value::<Spec>(spec)? })
        };
        let interface =
            json!({"name": "wg=0", "addresses": ["10.8.0.1/24"], "listen-port": 51820, "fwmark": 7, "table": 300});
        let specs = [
            spec(json!({ "interface": interface }))?,
            spec(
                json!({"peer": {"interface": "wg=0", "public-key": anna, "name": "anna 100%", "preshared-key": "vpn/anna",
                                  "endpoint": "vpn.example.org:51820", "persistent-keepalive": 25,
                                  "allowed-ips": ["10.8.0.2/32", "10.9.0.0/16"]}}),
            )?,
            spec(json!({"peer": {"interface": "wg=0", "public-key": ben, "endpoint": "[2001:db8::1]:7"}}))?,
        ];
        let merged = wanted::merge(&specs)?;
        let unit = unit(merged.values().next().context("no interface")?);
        insta::assert_snapshot!(unit, @r"
        # Written by stead, which replaces it as a whole.
        [Unit]
        Description=WireGuard interface wg=0 in userspace
        After=local-fs.target network.target nss-lookup.target

        [Service]
        Type=forking
        Restart=on-failure
        ExecStart=wireguard-go wg=0
        ExecStartPost=wg set wg=0 private-key /etc/systemd/network/50-stead-wg=0.key listen-port 51820 fwmark 0x7
        # anna 100%
        ExecStartPost=-wg set wg=0 peer DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8= preshared-key /etc/systemd/network/50-stead-wg=0.0c3e722917f3131715e7e9039d3ae80e0094d7995ab5d323890e7d8f5844ba4f.psk endpoint vpn.example.org:51820 persistent-keepalive 25 allowed-ips 10.8.0.2/32,10.9.0.0/16
        ExecStartPost=wg set wg=0 peer xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg= endpoint [2001:db8::1]:7
        ExecStartPost=ip link set dev wg=0 mtu 1420 up
        ExecStartPost=ip address replace 10.8.0.1/24 dev wg=0
        ExecStartPost=ip route replace 10.8.0.2/32 dev wg=0 table 300
        ExecStartPost=ip route replace 10.9.0.0/16 dev wg=0 table 300

        [Install]
        WantedBy=multi-user.target
        ");
        let (anna, ben) = (anna.parse::<PublicKey>()?, ben.parse::<PublicKey>()?);
        assert_eq!(names(&unit), BTreeMap::from([(anna, "anna 100%")]));
        let endpoint = |text: &str| Ok::<_, anyhow::Error>(Some(text.parse()?));
        assert_eq!(
            endpoints(&unit),
            BTreeMap::from([(anna, endpoint("vpn.example.org:51820")?), (ben, endpoint("[2001:db8::1]:7")?)])
        );
        assert_eq!(tables(&unit), BTreeSet::from([300]));
        assert_eq!(unit_path(&"wg=0".parse()?), "/etc/systemd/system/stead-vpn-wg\\x3d0.service");
        Ok(())
    }
}
