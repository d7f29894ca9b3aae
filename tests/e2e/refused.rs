//! What is wrong with a server or the way to it is said, and nothing changes.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::container::Container;
use stead_tests::host::Host;
use stead_tests::program;
use stead_tests::run::run;

use crate::local::LocalServer;

#[test]
fn a_server_that_is_not_there_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // Nothing listens on port 1 of loopback.
    let config = folder.path().join("ssh_config");
    fs::write(&config, "Host *\n  Port 1\n  ConnectTimeout 5\n  BatchMode yes\n")?;
    let mut command = Command::new(program::stead()?);
    command.args(["status", "root@127.0.0.1"]).current_dir(folder.path()).env("STEAD_SSH_CONFIG", &config);
    let said = run(&mut command, Duration::from_secs(60))?.ended_with(68)?;
    ensure!(said.contains("root@127.0.0.1"), "{said}");
    Ok(())
}

#[test]
fn what_is_wrong_with_a_server_is_said_and_nothing_changes() -> Result<()> {
    let server = LocalServer::start("refused")?;
    wrong_key(server.container())?;
    full_disk(&server)?;
    file_that_does_not_fit(&server)?;
    journal_that_cannot_be_written(&server)?;
    docker_that_is_down(&server)
}

fn wrong_key(container: &Container) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (key, config) = (folder.path().join("other_key"), folder.path().join("ssh_config"));
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key), Duration::from_secs(30))?
        .ok()?;
    let text = fs::read_to_string(container.ssh_config())?;
    let lines = text.lines().map(|line| match line.trim().starts_with("IdentityFile ") {
        true => format!("    IdentityFile {}\n", key.display()),
        false => format!("{line}\n"),
    });
    fs::write(&config, lines.collect::<String>())?;
    let mut command = Command::new(program::stead()?);
    command.args(["status", &format!("root@{}", container.name())]).env("STEAD_SSH_CONFIG", &config);
    let said = run(command.current_dir(folder.path()), Duration::from_secs(60))?.ended_with(68)?;
    ensure!(said.contains("Permission denied"), "{said}");
    Ok(())
}

/// stead has no place for its record.
fn full_disk(server: &LocalServer) -> Result<()> {
    let there = |line: &str| server.container().inside(line)?.ok();
    there("mkdir -p /var/lib/stead && mount -t tmpfs -o size=64k tmpfs /var/lib/stead")?;
    there("dd if=/dev/zero of=/var/lib/stead/full bs=4k 2>/dev/null; ! test -e /etc/motd || rm /etc/motd")?;
    server.declare("files = { \"/etc/motd\" = \"new\\n\" }", "low")?;
    let said = server.stead("apply --yes")?.ended_with(71)?;
    ensure!(said.contains("/var/lib/stead") || said.contains("disk is full"), "{said}");
    there("! test -e /etc/motd && umount /var/lib/stead").map(drop)
}

fn file_that_does_not_fit(server: &LocalServer) -> Result<()> {
    server.container().inside("mkdir /etc/small && mount -t tmpfs -o size=64k tmpfs /etc/small")?.ok()?;
    let large = "x".repeat(100_000);
    server.declare(&format!("files = {{ \"/etc/motd\" = \"new\\n\", \"/etc/small/large\" = \"{large}\" }}"), "low")?;
    let said = server.stead("apply --yes")?.ended_with(72)?;
    ensure!(said.contains("/etc/small/large") && said.contains("No space left"), "{said}");
    server.container().inside("! test -e /etc/motd && ! ls -A /etc/small | grep . && umount /etc/small")?.ok().map(drop)
}

fn journal_that_cannot_be_written(server: &LocalServer) -> Result<()> {
    server
        .container()
        .inside("mount --bind /var/lib/stead /var/lib/stead && mount -o remount,bind,ro /var/lib/stead")?
        .ok()?;
    server.declare("files = { \"/etc/motd\" = \"new\\n\" }", "low")?;
    let said = server.stead("apply --yes")?.ended_with(71)?;
    ensure!(said.contains("/var/lib/stead") || said.contains("read-only") || said.contains("readonly"), "{said}");
    server.container().inside("! test -e /etc/motd && umount /var/lib/stead")?.ok().map(drop)
}

fn docker_that_is_down(server: &LocalServer) -> Result<()> {
    let install = "DEBIAN_FRONTEND=noninteractive apt-get install -y -q docker.io docker-cli docker-compose";
    server.container().inside(&format!("{install} && systemctl stop docker.socket docker.service"))?.ok()?;
    server.declare("files = { \"/etc/motd\" = \"new\\n\" }\napps = [\"hello\"]", "low")?;
    let said = server.stead("apply --yes")?.ended_with(69)?;
    ensure!(said.contains("Docker does not answer") && said.contains("systemctl status docker"), "{said}");
    server.container().inside("! test -e /etc/motd")?.ok().map(drop)
}
