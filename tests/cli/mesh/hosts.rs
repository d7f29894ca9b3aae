//! The hosts, the cable between them, and the repo that they share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::netns::Netns;
use stead_tests::run::{run, words};
use stead_tests::wait::until;
use stead_tests::{policy, program};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// Its own `/run`, where WireGuard programs listen, and its own name; then it serves `wg0` as long as it lives.
const INSIDE: &str = "mount -t tmpfs tmpfs /run && mkdir -p /run/wireguard && busybox hostname \"$0\" && \
                      if ip link add probe type wireguard 2>/dev/null; then ip link del probe; touch /run/kernel; exec sleep 600; \
                      else exec wireguard-go -f wg0; fi";

const STEAD: &str = r#"
[host.web1]
policies = ["tunnels"]
[host.web2]
policies = ["tunnels"]
[host.web3]
policies = ["tunnels"]

[vpn.wg0]
networks = ["10.77.0.0/24", "fd77::/64"]
hosts = ["web1", "web2", "web3"]
persistent-keepalive = 25
endpoints = { web1 = "192.0.2.1:51820", web2 = "192.0.2.2:51820" }

[policy.tunnels]
component = "tunnels.wasm"
[policy.tunnels.config]
meshes = ["wg0"]
[policy.tunnels.grant.vpn]
interfaces = ["wg*"]
networks = ["10.77.0.0/24", "fd77::/64"]
listen-ports = [51820]
"#;

pub(super) struct Repo {
    folder: TempDir,
    stead: PathBuf,
}

impl Repo {
    pub(super) fn new() -> Result<Self> {
        let repo = Self { folder: tempfile::tempdir()?, stead: program::stead()? };
        fs::copy(policy::component("tunnels", "tests/cli/tunnels_policy")?, repo.path("tunnels.wasm"))?;
        fs::write(repo.path("stead.toml"), STEAD)?;
        Ok(repo)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces what `stead.toml` says.
    pub(super) fn edit(&self, from: &str, to: &str) -> Result<()> {
        let text = fs::read_to_string(self.path("stead.toml"))?;
        ensure!(text.contains(from), "{from} is not in {text}");
        Ok(fs::write(self.path("stead.toml"), text.replacen(from, to, 1))?)
    }

    /// The text of `vpn.toml`.
    pub(super) fn directory(&self) -> Result<String> {
        fs::read_to_string(self.path("vpn.toml")).context("no vpn.toml")
    }
}

/// A switch with a cable to each host.
pub(super) struct Net {
    switch: Netns,
}

impl Net {
    pub(super) fn new() -> Result<Self> {
        let switch = Netns::new()?;
        switch.exec("ip link add bridge type bridge && ip link set bridge up")?.ok()?;
        Ok(Self { switch })
    }

    /// A host at `192.0.2.NUMBER`.
    pub(super) fn host(&self, name: &str, number: u8) -> Result<Host> {
        let netns = Netns::new()?;
        let port = format!("port{number}");
        netns.connect(("eth0", &format!("192.0.2.{number}/24")), &self.switch, (&port, "0.0.0.0/32"))?;
        self.switch.exec(&format!("ip link set {port} master bridge"))?.ok()?;
        let mut inside = netns.command("unshare");
        inside.args(["--mount", "--uts", "sh", "-c", INSIDE, name]).stdout(Stdio::null()).stderr(Stdio::null());
        let host =
            Host { inside: inside.env("LOG_LEVEL", "silent").spawn()?, _netns: netns, folder: tempfile::tempdir()? };
        fs::create_dir_all(host.folder.path().join("root/etc"))?;
        until(&format!("{name} to come up"), LIMIT, || host.is_up())?;
        Ok(host)
    }
}

/// A host; dropping it ends it.
pub(super) struct Host {
    inside: Child,
    /// Ends with it.
    _netns: Netns,
    folder: TempDir,
}

impl Host {
    /// Runs stead on it, and answers all that it said, when it ended with `code`.
    pub(super) fn stead(&self, repo: &Repo, line: &str, code: i32) -> Result<String> {
        self.stead_from(repo, line, code, None)
    }

    /// The same as if the operator had come in by ssh: `CLIENT PORT SERVER PORT`.
    pub(super) fn stead_from(&self, repo: &Repo, line: &str, code: i32, session: Option<&str>) -> Result<String> {
        let mut command = self.command(&repo.stead);
        command.args(["--root", &self.path("root"), "--state", &self.path("state"), "--repo"]).arg(repo.folder.path());
        command.args(line.split_whitespace()).env_remove("SSH_CONNECTION").env("HOME", self.folder.path());
        if let Some(session) = session {
            command.env("SSH_CONNECTION", session);
        }
        run(&mut command, LIMIT)?.ended_with(code)
    }

    /// Runs a program on it, and answers what it printed.
    pub(super) fn run(&self, line: &str) -> Result<String> {
        let mut words = line.split_whitespace();
        let mut command = self.command(Path::new(words.next().context("no program")?));
        Ok(run(command.args(words), LIMIT)?.ok()?.trim().to_owned())
    }

    /// Runs a line of shell on it, and answers what it printed.
    pub(super) fn sh(&self, script: &str) -> Result<String> {
        let mut command = self.command(Path::new("sh"));
        Ok(run(command.args(["-c", script]), LIMIT)?.ok()?.trim().to_owned())
    }

    fn is_up(&self) -> Result<Option<()>> {
        let test = ["-c", "test -e /run/kernel || test -S /run/wireguard/wg0.sock"];
        Ok(run(self.command(Path::new("sh")).args(test), LIMIT)?.status.success().then_some(()))
    }

    /// Whether an address answers.
    pub(super) fn pings(&self, address: &str) -> Result<bool> {
        let mut command = self.command(Path::new("busybox"));
        Ok(run(command.args(["ping", "-c", "1", "-W", "3", address]), LIMIT)?.status.success())
    }

    /// A file of the host itself, not of its `/`.
    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = words("nsenter --mount --uts --net --target");
        command.arg(self.inside.id().to_string()).arg("--").arg(program);
        command
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.inside.kill();
        let _ = self.inside.wait();
    }
}
