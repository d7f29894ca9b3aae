//! A fresh server in a system container, ready for any of the programs that are compared.

use std::fs;
use std::process::Command;

use anyhow::Result;
use stead_tests::container::{ADDRESS, Container};
use stead_tests::host::Host;

const IMAGE: &str = "busybox:1";
/// Where a program has to serve `wg0`, it does so already: the peers know of none.
const SERVED: &str = r"
    command -v wireguard-go || exit 0
    printf '%s\n' '[Service]' 'ExecStart=/usr/bin/wireguard-go -f %i' '[Install]' 'WantedBy=multi-user.target' \
        > /etc/systemd/system/wireguard-go@.service
    systemctl enable --now wireguard-go@wg0
    until [ -S /run/wireguard/wg0.sock ]; do sleep 0.1; done
";

/// A booted container, which nothing has been applied to.
pub(crate) struct Server(Container);

impl Server {
    /// What a fresh cloud server holds; the image of the app as if it had been pulled; what serves WireGuard; and
    /// `python3-apt`, which Debian's own images for clouds hold and a peer needs.
    pub(crate) fn start() -> Result<Self> {
        let container = Container::start("server")?;
        container.provide_image(IMAGE, "sleep 1")?;
        container.provide_wireguard()?;
        container.ssh(SERVED)?.ok()?;
        container.ssh("DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3-apt")?.ok()?;
        fs::write(container.ssh_config().with_file_name("known_hosts_by_address"), known_hosts(&container)?)?;
        let server = Self(container);
        fs::write(server.file("ssh_config_direct"), server.ssh_entry())?;
        Ok(server)
    }

    /// A command on the server, without ssh.
    pub(crate) fn here(&self, program: &str) -> Result<Command> {
        self.0.command(program)
    }

    /// A command next to the server, in the network from which operators come.
    pub(crate) fn beside(&self, program: &str) -> Command {
        self.0.outside().command(program)
    }

    /// What a shell command on the server prints; it must succeed.
    pub(crate) fn shell(&self, line: &str) -> Result<String> {
        self.0.inside(line)?.ok()
    }

    pub(crate) fn host(&self) -> &impl Host {
        &self.0
    }

    /// A file of the folder that belongs to the server: `client_key`, `known_hosts_by_address`, `ssh_config_direct`.
    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.ssh_config().with_file_name(name)
    }

    /// Whether everything that the repo declares is there, whoever put it there.
    pub(crate) fn is_set_up(&self) -> Result<()> {
        self.shell(SET_UP).map(drop)
    }

    /// Without the detour of the harness's own configuration: the commands run in the network of the outside.
    fn ssh_entry(&self) -> String {
        format!(
            "Host server {ADDRESS}\n  HostName {ADDRESS}\n  User root\n  IdentityFile {}\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  BatchMode yes\n",
            self.file("client_key").display(),
            self.file("known_hosts_by_address").display(),
        )
    }
}

fn known_hosts(container: &Container) -> Result<String> {
    let known = fs::read_to_string(container.ssh_config().with_file_name("known_hosts"))?;
    Ok(known.lines().filter_map(|line| Some(format!("{ADDRESS} {}\n", line.split_once(' ')?.1))).collect())
}

const SET_UP: &str = "set -ex
    dpkg -s unattended-upgrades sudo nftables wireguard-tools docker.io docker-cli docker-compose >/dev/null
    grep -q Unattended /etc/apt/apt.conf.d/52stead-periodic
    sshd -T | grep -q 'passwordauthentication no'
    grep -q alice@laptop /home/alice/.ssh/authorized_keys
    su - alice -c 'sudo -n true'
    [ $(cat /proc/sys/vm/swappiness) = 10 ]
    [ $(cat /proc/sys/net/ipv4/tcp_syncookies) = 1 ]
    nft list ruleset | grep -q 'hook input priority filter; policy drop'
    wg show wg0 allowed-ips | grep -q 10.8.0.2/32
    ip address show wg0 | grep -qF 10.8.0.1/24
    systemctl is-enabled --quiet docker
    docker ps | grep -q healthy
    curl -sf http://127.0.0.1:8080/ | grep -q 'hello from the server'";
