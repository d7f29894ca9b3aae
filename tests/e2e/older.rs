//! Debian 12: the oldest system that stead serves, with nft 1.0.6, systemd 252 and Docker 20.10 without a Compose plugin.

use anyhow::{Result, ensure};
use stead_tests::host::Host;
use stead_tests::root::Release;

use crate::local::{LocalServer, same};

const ALL: &str = r#"
packages = ["busybox-static", "nftables", "wireguard-tools"]
users = ["alice"]
files = { "/etc/motd" = "hello\n" }
sysctl = { "net.ipv4.tcp_syncookies" = "2", "vm.swappiness" = "5" }
ports = [22, 8080]
blocked = ["198.51.100.0/24", "192.0.2.1"]
vpn = ["10.8.0.1/24"]
services = { beat = "/bin/sleep 1000" }
"#;
const WITH_APP: &str = "packages = [\"docker.io\"]\napps = [\"hello\"]";
/// What is changed by hand, and how drift calls it.
const BY_HAND: [(&str, &str); 7] = [
    ("apt-get remove -y busybox-static", "package busybox-static"),
    ("echo mine >> /etc/motd", "file /etc/motd"),
    ("userdel alice", "user alice"),
    ("sysctl -w net.ipv4.tcp_syncookies=1", "sysctl net.ipv4.tcp_syncookies"),
    ("nft insert rule inet stead input tcp dport 9999 accept", "firewall table inet stead"),
    ("ip address del 10.8.0.1/24 dev wg0", "vpn wg0"),
    ("systemctl stop beat", "service beat.service"),
];
/// A package that is removed leaves its configuration.
const STATE: &str = "\
dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\\n' | grep -v ' rc '; getent passwd; getent group
find /etc -xdev -type f ! -name '*-' ! -name '.pwd.lock' ! -name nftables.conf | sort | xargs sha256sum
sysctl net.ipv4.tcp_syncookies vm.swappiness; nft -s list table inet stead; ip -brief -4 address show wg0; systemctl is-active beat";

#[test]
fn debian_12_becomes_a_host() -> Result<()> {
    let server = LocalServer::start_with("older", Release::Bookworm)?;
    server.container().provide_wireguard()?;
    let state = || -> Result<String> { Ok(server.container().inside(STATE)?.stdout) };
    let before = state()?;
    server.declare(ALL, "low")?;
    server.stead("apply --yes --unguarded")?.ended_with(0)?;
    let after = state()?;
    let again = server.stead("apply --yes")?.ended_with(0)?;
    ensure!(again.contains("Nothing to do"), "{again}");
    for (command, _) in BY_HAND {
        server.container().inside(command)?.ok()?;
    }
    let drift = server.stead("drift")?.ended_with(2)?;
    for (_, name) in BY_HAND {
        ensure!(drift.contains(name), "drift does not name {name}:\n{drift}");
    }
    server.stead("apply --yes --unguarded")?.ended_with(0)?;
    same(&after, &state()?, "after the drift")?;

    server.declare("packages = []", "low")?;
    server.stead("apply --yes --unguarded")?.ended_with(0)?;
    same(&before, &state()?, "pruned")?;
    server.stead("rollback 1 --yes --unguarded")?.ended_with(0)?;
    same(&after, &state()?, "rolled back")?;

    server.declare(WITH_APP, "low")?;
    let said = server.stead("apply --yes --unguarded")?.ended_with(72)?;
    ensure!(said.contains("Compose plugin"), "{said}");
    // What Docker brought along and something else recommends stays, and so does its configuration.
    let back = "grep -qx hello /etc/motd && nft list table inet stead && id alice && ! command -v dockerd";
    server.container().inside(back)?.ok().map(drop)
}
