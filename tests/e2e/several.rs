//! Several hosts at once; one of them lets an administrator in, who has sudo(8).

use std::fs;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use stead_tests::container::Container;
use stead_tests::host::Host;
use stead_tests::run::{Output, run};
use stead_tests::{program, wait};
use tempfile::TempDir;

use crate::local::{LIMIT, all, component};

/// A validation that ends when it is told to.
const MEET: &str = "printf '#!/bin/sh\n: > /run/arrived\nuntil [ -e /run/go ]; do sleep 0.05; done\n' \
    > /usr/local/bin/meet && chmod 755 /usr/local/bin/meet";
const FIREWALL: &str = "packages = [\"nftables\"]\nports = [22]";

/// Two servers, and a repo for them and for one that nobody reaches.
struct Team {
    one: Container,
    two: Container,
    folder: TempDir,
}

#[test]
fn several_hosts_are_one_command() -> Result<()> {
    let team = Team::start()?;
    both_change_at_the_same_time(&team)?;
    where_one_cannot_be_planned_none_changes(&team)?;
    what_fails_on_one_is_done_on_the_other(&team)?;
    a_mesh_is_one_declaration(&team)
}

/// The file passes its validation only when the other host has come that far as well.
fn both_change_at_the_same_time(team: &Team) -> Result<()> {
    let both = [&team.one, &team.two];
    for server in both {
        server.inside(MEET)?.ok()?;
    }
    let meet = "validate = [\"/usr/local/bin/meet\", \"{}\"]";
    team.declare(&format!("{FIREWALL}\nfiles = {{ \"/etc/motd\" = \"both\\n\" }}\n{meet}"))?;
    let said = thread::scope(|scope| {
        let applying = scope.spawn(|| team.stead("apply --yes one two"));
        for server in both {
            let arrived = || {
                let has = server.inside("test -e /run/arrived")?.status.success();
                Ok((has || applying.is_finished()).then_some(()))
            };
            wait::until("both hosts at the same step", LIMIT, arrived)?;
        }
        for server in both {
            server.inside("touch /run/go")?.ok()?;
        }
        applying.join().map_err(|_| anyhow!("the apply did not come to its end"))?
    })?;
    let said = said.ended_with(0)?;
    for words in ["one │ ", "two │ ", "one │ got in", "two │ got in"] {
        ensure!(said.contains(words), "no line is about `{words}`:\n{said}");
    }
    for server in both {
        server.inside("grep -qx both /etc/motd && nft list table inet stead")?.ok()?;
    }
    let said = team.stead("apply --yes one two")?.ended_with(0)?;
    ensure!(said.matches("Nothing to do").count() == 2, "{said}");
    team.two.inside("echo by hand > /etc/motd")?.ok()?;
    // Nobody reaches `gone`; what the others are at is said all the same.
    let said = team.stead("status --drift")?.ended_with(68)?;
    let of = |host: &str| said.lines().find(|line| line.trim_start().starts_with(host)).unwrap_or_default().to_owned();
    ensure!(of("one ").contains("none") && of("two ").contains("file:/etc/motd"), "{said}");
    team.two.inside("echo both > /etc/motd")?.ok().map(drop)
}

fn where_one_cannot_be_planned_none_changes(team: &Team) -> Result<()> {
    team.declare(&format!("{FIREWALL}\nfiles = {{ \"/etc/motd\" = \"three\\n\" }}"))?;
    let said = team.stead("apply --yes one gone two")?.ended_with(68)?;
    ensure!(said.contains("gone"), "{said}");
    for server in [&team.one, &team.two] {
        server.inside("grep -qx both /etc/motd")?.ok()?;
    }
    Ok(())
}

/// Keys come back from the hosts with the first apply, and go to the others with the second.
fn a_mesh_is_one_declaration(team: &Team) -> Result<()> {
    for server in [&team.one, &team.two] {
        server.provide_wireguard()?;
    }
    team.declare("packages = [\"nftables\", \"wireguard-tools\"]\nports = [22]\nmesh = \"wg0\"")?;
    let path = team.folder.path().join("stead.toml");
    let mesh = "[vpn.wg0]\nnetworks = [\"10.77.0.0/24\"]\nhosts = [\"one\", \"two\"]\n\
        endpoints = { one = \"192.0.2.1:51820\" }\n";
    fs::write(&path, fs::read_to_string(&path)? + mesh)?;
    team.stead("apply --yes one two")?.ended_with(0)?;
    team.stead("apply --yes one two")?.ended_with(0)?;
    let keys = |server: &Container, what: &str| -> Result<String> {
        Ok(server.inside(&format!("wg show wg0 {what}"))?.ok()?.trim().to_owned())
    };
    let known = fs::read_to_string(team.folder.path().join("vpn.toml"))?;
    for (server, other) in [(&team.one, &team.two), (&team.two, &team.one)] {
        let public = keys(server, "public-key")?;
        ensure!(
            keys(other, "peers")? == public && known.contains(&public),
            "{public} is not what its peer knows: {known}"
        );
        server.inside("ip address show wg0 | grep -qF 10.77.0.")?.ok()?;
    }
    let said = team.stead("apply --yes one two")?.ended_with(0)?;
    ensure!(said.matches("Nothing to do").count() == 2, "{said}");
    let said = team.stead("vpn status one two")?.ended_with(0)?;
    ensure!(said.contains("one: wg0") && said.contains("two: wg0"), "{said}");
    Ok(())
}

fn what_fails_on_one_is_done_on_the_other(team: &Team) -> Result<()> {
    for (server, size) in [(&team.one, "1m"), (&team.two, "64k")] {
        server.inside(&format!("mkdir /etc/small && mount -t tmpfs -o size={size} tmpfs /etc/small"))?.ok()?;
    }
    let large = "x".repeat(100_000);
    team.declare(&format!(
        "{FIREWALL}\nfiles = {{ \"/etc/motd\" = \"fits\\n\", \"/etc/small/large\" = \"{large}\" }}"
    ))?;
    let said = team.stead("apply --yes one two")?.ended_with(72)?;
    ensure!(said.contains("No space left") && said.contains("one: 2 steps done and verified"), "{said}");
    team.one.inside("grep -qx fits /etc/motd")?.ok()?;
    team.two.inside("grep -qx both /etc/motd && ! ls -A /etc/small | grep .")?.ok().map(drop)
}

impl Team {
    fn start() -> Result<Self> {
        let (one, two) = (Container::start("one")?, Container::start("two")?);
        let folder = tempfile::tempdir()?;
        fs::copy(component()?, folder.path().join("all.wasm"))?;
        // Nothing listens on port 1 of loopback.
        let gone = "Host gone\n  HostName 127.0.0.1\n  Port 1\n  BatchMode yes\n".to_owned();
        let ways = [fs::read_to_string(one.ssh_config())?, fs::read_to_string(two.ssh_config())?, gone];
        fs::write(folder.path().join("ssh_config"), ways.concat())?;
        Ok(Self { one, two, folder })
    }

    fn declare(&self, config: &str) -> Result<()> {
        let host = |name, address| format!("[host.{name}]\naddress = \"{address}\"\npolicies = [\"all\"]\n");
        let hosts = [host("one", "root@one"), host("two", "two-admin"), host("gone", "gone")];
        let path = self.folder.path().join("stead.toml");
        fs::write(&path, hosts.concat() + &all(config)).with_context(|| path.display().to_string())
    }

    fn stead(&self, arguments: &str) -> Result<Output> {
        let mut command = Command::new(program::stead()?);
        command.args(arguments.split(' ')).current_dir(self.folder.path());
        run(command.env("STEAD_SSH_CONFIG", self.folder.path().join("ssh_config")), LIMIT)
    }
}
