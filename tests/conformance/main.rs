//! One kit over every capability, on its real back-end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod kit;

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;

use kit::{Subject, hold, machine};

#[test]
fn sysctl() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let machine = machine(folder.path())?;
    std::fs::write(machine.path("/proc/sys/net/ipv4/ip_forward"), "0\n")?;
    std::fs::write(machine.path("/proc/sys/vm/swappiness"), "60\n")?;
    hold(&Subject {
        capability: "sysctl",
        machine,
        first: vec![json!({"key": "net.ipv4.ip_forward", "value": "1"}), json!({"key": "vm.swappiness", "value": "5"})],
        second: vec![json!({"key": "vm.swappiness", "value": "10"})],
    })
}

#[test]
fn firewall() -> Result<()> {
    // The kernel's side of this capability is a network namespace: the test runs itself again in one of its own.
    const INSIDE: &str = "STEAD_TEST_IN_NAMESPACE";
    if std::env::var_os(INSIDE).is_none() {
        let mut again = std::process::Command::new("unshare");
        again.arg("--net").arg(std::env::current_exe()?).args(["--exact", "firewall", "--nocapture"]).env(INSIDE, "1");
        anyhow::ensure!(again.status()?.success(), "it failed in its namespace");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    hold(&Subject {
        capability: "firewall",
        machine: machine(folder.path())?,
        first: vec![
            json!({"default": {"chain": "input", "verdict": "drop"}}),
            json!({"open": {"protocol": "tcp", "port": 22}}),
        ],
        second: vec![
            json!({"rule": {"chain": "forward", "traffic": {"udp": ["53", "8000-8100"]}, "verdict": "reject"}}),
        ],
    })
}

#[test]
fn vpn() -> Result<()> {
    // The same, with `/run` and processes of its own, too: WireGuard programs listen there, and outlive their starter.
    const INSIDE: &str = "STEAD_TEST_IN_VPN_NAMESPACES";
    const ENTER: &str = "mount -t tmpfs tmpfs /run && mkdir /run/wireguard && exec \"$0\" --exact vpn --nocapture";
    if std::env::var_os(INSIDE).is_none() {
        let mut again = std::process::Command::new("unshare");
        again.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", ENTER]);
        anyhow::ensure!(again.arg(std::env::current_exe()?).env(INSIDE, "1").status()?.success(), "it failed inside");
        return Ok(());
    }
    let by_kernel = std::process::Command::new("ip").args(["link", "add", "wg0", "type", "wireguard"]).status()?;
    if by_kernel.success() {
        std::process::Command::new("ip").args(["link", "delete", "wg0"]).status()?;
    } else {
        std::process::Command::new("wireguard-go").args(["-f", "wg0"]).env("LOG_LEVEL", "error").spawn()?;
        while !std::path::Path::new("/run/wireguard/wg0.sock").exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
    let (anna, ben) = ("DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=", "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=");
    let folder = tempfile::tempdir()?;
    hold(&Subject {
        capability: "vpn",
        machine: machine(folder.path())?,
        first: vec![
            json!({"interface": {"name": "wg0", "addresses": ["10.8.0.1/24", "fd08::1/64"], "listen-port": 51820}}),
            json!({"peer": {"interface": "wg0", "public-key": anna, "allowed-ips": ["10.8.0.2/32", "10.9.0.0/16"]}}),
        ],
        second: vec![
            json!({"interface": {"name": "wg0", "addresses": ["10.8.0.1/24"], "listen-port": 51821, "mtu": 1400}}),
            json!({"peer": {"interface": "wg0", "public-key": ben, "endpoint": "192.0.2.7:51820", "allowed-ips": ["10.8.0.2/32"]}}),
        ],
    })
}

#[test]
fn user() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let machine = machine(folder.path())?;
    let write = |path: &str, text: &str| std::fs::write(machine.path(path), text);
    write(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1002:33:Bob:/srv/bob:/bin/sh\n",
    )?;
    write("/etc/group", "root:x:0:\nweb:x:33:alice\ndocker:x:999:bob\nalice:x:1000:\n")?;
    write(
        "/etc/shadow",
        "root:*:19000:0:99999:7:::\nalice:!:19000:0:99999:7:::\nbob:$6$salt$hash:19000:0:99999:7:::\n",
    )?;
    for (home, id) in [("/home/alice", 1000), ("/home/deploy", 1001)] {
        std::fs::create_dir(machine.path(home))?;
        std::os::unix::fs::chown(machine.path(home), Some(id), Some(id))?;
    }
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvJJ0sNMAPrTGr8A1tYo0d5sLDZHLnjN0J0ZbnXkG6z";
    hold(&Subject {
        capability: "user",
        machine,
        first: vec![
            json!({"group": {"name": "ops", "gid": 4000}}),
            json!({"present": {"name": "deploy", "groups": ["ops", "docker"], "authorized_keys": [key], "sudo": "all-nopasswd"}}),
            json!({"present": {"name": "alice", "shell": "/bin/bash", "groups": ["docker"], "authorized_keys": [key]}}),
            json!({"present": {"name": "agent", "system": true}}),
        ],
        second: vec![
            json!({"group": {"name": "ops", "gid": 4001}}),
            json!({"present": {"name": "deploy", "shell": "/bin/sh", "groups": ["web"], "authorized_keys": []}}),
            json!({"absent": "bob"}),
        ],
    })
}

#[test]
fn compose() -> Result<()> {
    let engine = stead_tests::docker::Engine::start()?;
    engine.import_busybox("stead-kit:1")?;
    let folder = tempfile::tempdir()?;
    let repo = folder.path().join("repo/apps");
    let machine = machine(folder.path())?;
    engine.put_in(&machine.path("/"))?;
    for name in ["stead-kit-a", "stead-kit-b"] {
        std::fs::create_dir_all(repo.join(name))?;
        std::fs::write(repo.join(name).join("compose.yaml"), COMPOSE)?;
    }
    let machine = Arc::into_inner(machine).context("somebody else has the machine")?.with_apps(repo);
    hold(&Subject {
        capability: "compose",
        machine: Arc::new(machine),
        first: vec![json!({"project": "stead-kit-a"})],
        second: vec![json!({"project": "stead-kit-b", "environment": {"LEVEL": "high"}})],
    })
}

#[test]
fn backup() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let machine = machine(folder.path())?;
    let secret = |value: &str| stead::secret::Secret::new(value.to_owned());
    let secrets = [("pw".to_owned(), secret("one")), ("key".to_owned(), secret("a \"b\" $c"))].into();
    let machine = Arc::into_inner(machine).context("somebody else has the machine")?.with_secrets(secrets);
    let spec = |name: &str, repository: &str, at: &str| json!({"name": name, "host": "kit", "repository": repository, "password": "pw", "at": at, "paths": ["/srv"]});
    let mut first = spec("nightly", "/mnt/backup", "03:30");
    first["environment"] = json!({"AWS_SECRET_ACCESS_KEY": "key"});
    hold(&Subject {
        capability: "backup",
        machine: Arc::new(machine),
        first: vec![first],
        second: vec![
            spec("nightly", "sftp:backup@10.8.0.9:/srv/restic", "hourly"),
            spec("weekly", "/mnt/backup", "Sun 04:00"),
        ],
    })
}

const COMPOSE: &str = "
services:
  web:
    image: stead-kit:1
    command: [sleep, '1000']
    environment: { LEVEL: '${LEVEL:-low}' }
    stop_grace_period: 0s
";
