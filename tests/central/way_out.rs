//! The way of a server to the archives of packages, from a network that has none.
//!
//! The network outside of the server gets a TCP/IP stack of a program (slirp4netns), which speaks for it on the build
//! machine, and passes on what the server sends. The build machine's own network stays as it is.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use stead_tests::container::{ADDRESS, Container, OUTSIDE};
use stead_tests::wait;

/// The name server of slirp4netns(1), which asks the build machine's.
const NAMES: &str = "10.0.2.3";
const LIMIT: Duration = Duration::from_secs(30);

/// As long as it lives, the server reaches what the build machine reaches.
pub(crate) struct WayOut(Child);

impl WayOut {
    pub(crate) fn of(container: &Container) -> Result<Self> {
        let outside = container.outside();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "slirp4netns", "--configure", "--disable-host-loopback"]);
        command.arg("--netns-type=path").arg(format!("/run/netns/{}", outside.name())).arg("tap0");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let way = Self(command.spawn().context("install slirp4netns")?);
        wait::until("tap0", LIMIT, || {
            Ok(outside.exec("ip -4 address show dev tap0 | grep -q inet")?.status.success().then_some(()))
        })?;
        outside.exec("echo 1 > /proc/sys/net/ipv4/ip_forward")?.ok()?;
        // No wider than it has to be: the build machine may know an archive by an address next to it.
        let narrow = |own: &str| {
            format!("ip address add {own}/30 dev eth0 && ip address del {own}/24 dev eth0 && ip route list default")
        };
        outside.exec(&narrow(OUTSIDE))?.ok()?;
        container.inside(&format!("{}; ip route replace default via {OUTSIDE}", narrow(ADDRESS)))?.ok()?;
        outside.exec(
            "nft 'add table ip out; add chain ip out passed { type nat hook postrouting priority 100; }; \
             add rule ip out passed oifname tap0 masquerade'",
        )?;
        let folder = "/etc/systemd/resolved.conf.d";
        container
            .inside(&format!(
                "mkdir -p {folder} && printf '[Resolve]\\nDNS={NAMES}\\n' > {folder}/names.conf && \
                 systemctl restart systemd-resolved && rm -f /etc/resolv.conf && \
                 ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf && \
                 cp /usr/share/stead-test/network.list /etc/apt/sources.list.d/ && apt-get -q update"
            ))?
            .ok()?;
        Ok(way)
    }
}

impl Drop for WayOut {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
