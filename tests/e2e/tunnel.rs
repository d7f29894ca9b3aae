//! The operator comes in through the tunnel, and by no other way: what would cut it is refused, or taken back.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::container::{ADDRESS, Container};
use stead_tests::host::Host;
use stead_tests::run::{run, run_with_input, words};
use stead_tests::wait::until;

use crate::server::{Said, Server};

const LIMIT: Duration = Duration::from_secs(120);
const SERVER: &str = "10.8.0.1";
const MESH: &str = "\
[vpn.wg0]
networks = [\"10.8.0.0/24\"]
hosts = [\"tunnel\"]
endpoints = { tunnel = \"203.0.113.1:51820\" }
";
const STATE: &str =
    "nft -s list ruleset; wg show wg0 public-key; wg show wg0 allowed-ips; ip -brief -4 address show wg0";

/// Its own `/run`, where a WireGuard program listens, in the network outside of the server.
const LAPTOP: &str = "mount -t tmpfs tmpfs /run && mkdir -p /run/wireguard && \
                      if ip link add wg1 type wireguard 2>/dev/null; then exec sleep 3600; else exec wireguard-go -f wg1; fi";

struct Laptop {
    inside: Child,
}

struct Operator {
    server: Server,
    laptop: Laptop,
    ssh_config: PathBuf,
}

#[test]
fn an_operator_in_the_tunnel_stays_in() -> Result<()> {
    let operator = Operator::come_in()?;
    operator.nobody_else_comes_in()?;
    operator.what_is_sure_to_cut_is_refused()?;
    operator.what_is_forced_is_taken_back()?;
    operator.a_key_that_the_laptop_does_not_know_is_taken_back()?;
    operator.a_key_that_the_laptop_learns_in_time_stays()?;
    operator.the_timer_takes_back_what_a_dead_process_left()?;
    operator.the_tunnel_is_back_after_a_boot()
}

impl Operator {
    /// First by the public side, then with the configuration that `stead vpn add` prints.
    fn come_in() -> Result<Self> {
        let container = Container::start("tunnel")?;
        container.provide_wireguard()?;
        let laptop = Laptop::start(&container)?;
        let ways = fs::read_to_string(container.ssh_config())?.replace(ADDRESS, SERVER);
        let server = Server::new(container)?;
        let ssh_config = server.path("ssh_config");
        fs::write(&ssh_config, ways)?;
        let operator = Self { server, laptop, ssh_config };
        operator.declare("")?;
        operator.server.stead(&["apply", "--yes", "tunnel"])?.expect(0)?;
        // The connection by the public side is older than the firewall, which knows it from its first packet on only:
        // one that stays idle until ssh-by is set is cut like a new one.
        operator.server.there("true")?;
        let said = operator.server.stead(&["vpn", "add", "laptop", "--qr", "never"])?;
        operator.laptop.set_up(said.stdout())?;
        operator.server.stead(&["apply", "--yes", "tunnel"])?.expect(0)?;
        ensure!(operator.comes_in()?, "the tunnel does not work: {}", operator.server.there("wg show")?);
        operator.declare("ssh-by = \"wg0\"")?;
        operator.stead(&["apply", "--yes", "tunnel"])?.expect(0)?;
        Ok(operator)
    }

    fn nobody_else_comes_in(&self) -> Result<()> {
        ensure!(self.comes_in()? && !self.server.host.lets_in()?, "it is not by the tunnel alone");
        let said = self.stead(&["apply", "--yes", "tunnel"])?.expect(0)?;
        ensure!(said.contains("Nothing to do"), "{said}");
        Ok(())
    }

    fn what_is_sure_to_cut_is_refused(&self) -> Result<()> {
        let before = self.state()?;
        for (config, words) in
            [("ssh-by = \"wg1\"", "port 22"), ("ssh-by = \"wg0\"\nssh-from = [\"10.9.0.0/24\"]", "port 22")]
        {
            self.declare(config)?;
            let said = self.stead(&["apply", "--yes", "tunnel"])?.expect(77)?;
            ensure!(said.contains(words), "{config}: {said}");
        }
        self.declare("ssh-by = \"wg0\"")?;
        let members = fs::read_to_string(self.server.path("vpn.toml"))?;
        for (from, to, words) in [
            ("10.8.0.1", "10.8.0.77", "no address of wg0 any more"),
            ("10.8.0.2", "10.8.0.78", "no peer's address any more"),
        ] {
            ensure!(members.contains(from), "{members}");
            fs::write(self.server.path("vpn.toml"), members.replace(from, to))?;
            let said = self.stead(&["apply", "--yes", "tunnel"])?.expect(77)?;
            ensure!(said.contains(words), "{to}: {said}");
        }
        fs::write(self.server.path("vpn.toml"), members)?;
        self.is_inside_at(&before)
    }

    fn what_is_forced_is_taken_back(&self) -> Result<()> {
        let before = self.state()?;
        self.declare("ssh-by = \"wg1\"")?;
        self.stead(&["apply", "--yes", "--force", "--window", "15", "tunnel"])?.expect(75)?;
        self.is_inside_at(&before)?;
        self.declare("ssh-by = \"wg0\"")?;
        let members = self.without_the_laptop()?;
        self.stead(&["apply", "--yes", "--force", "--window", "15", "tunnel"])?.expect(75)?;
        fs::write(self.server.path("vpn.toml"), members)?;
        self.is_inside_at(&before)
    }

    fn a_key_that_the_laptop_does_not_know_is_taken_back(&self) -> Result<()> {
        let before = self.state()?;
        self.stead(&["vpn", "rotate", "tunnel"])?.expect(0)?;
        self.stead(&["apply", "--yes", "--window", "15", "tunnel"])?.expect(75)?;
        self.is_inside_at(&before)
    }

    /// The next key pair is there since the rotation; the laptop gets its public half while the server waits.
    fn a_key_that_the_laptop_learns_in_time_stays(&self) -> Result<()> {
        let old = self.server.there("wg show wg0 public-key")?;
        let mut apply = self.begin(&["apply", "--yes", "--window", "60", "tunnel"])?;
        let key = || Ok(Some(self.server.there("wg show wg0 public-key")?).filter(|key| *key != old));
        let next = until("the next key", LIMIT, key)?;
        self.laptop.run(&format!("wg set wg1 peer {} remove", old.trim()))?;
        self.laptop.run(&format!(
            "wg set wg1 peer {} endpoint {ADDRESS}:51820 allowed-ips {SERVER}/32 persistent-keepalive 1",
            next.trim()
        ))?;
        ensure!(apply.wait()?.success(), "{}", self.said_meanwhile());
        ensure!(self.comes_in()? && self.server.there("wg show wg0 public-key")? == next, "it is taken back");
        ensure!(fs::read_to_string(self.server.path("vpn.toml"))?.contains(next.trim()));
        Ok(())
    }

    fn the_timer_takes_back_what_a_dead_process_left(&self) -> Result<()> {
        let before = self.state()?;
        let members = self.without_the_laptop()?;
        let mut apply = self.begin(&["apply", "--yes", "--force", "--window", "20", "tunnel"])?;
        self.server.there("until [ -z \"$(wg show wg0 peers)\" ]; do sleep 0.2; done")?;
        self.server.there("pkill -KILL -f '[l]ib/stead/.* agent'")?;
        // It waits for an answer from a server that it does not reach.
        let _ = apply.kill();
        let _ = apply.wait();
        fs::write(self.server.path("vpn.toml"), members)?;
        until("the timer", LIMIT, || Ok(self.comes_in()?.then_some(())))?;
        let is_over = || Ok(self.stead(&["status", "tunnel"])?.expect(0).is_ok().then_some(()));
        until("the end of the run", LIMIT, is_over)?;
        self.is_inside_at(&before)
    }

    fn the_tunnel_is_back_after_a_boot(mut self) -> Result<()> {
        // The network around the server is another one after the boot, and the laptop stays in the former one.
        self.declare("")?;
        self.stead(&["apply", "--yes", "tunnel"])?.expect(0)?;
        let before = self.state()?;
        self.server.host.kill_power()?;
        crate::local::same(&before, &self.state()?, "after the boot")
    }

    fn declare(&self, config: &str) -> Result<()> {
        self.server.declare(&format!("vpn = {{ mesh = true }}\n{config}\n{MESH}"))
    }

    /// `vpn.toml` as it was before the laptop was put out.
    fn without_the_laptop(&self) -> Result<String> {
        let members = fs::read_to_string(self.server.path("vpn.toml"))?;
        self.stead(&["vpn", "remove", "laptop"])?.expect(0)?;
        Ok(members)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.server.command(arguments);
        command.env("STEAD_SSH_CONFIG", &self.ssh_config);
        command
    }

    /// Runs stead, which reaches the server through the tunnel.
    fn stead(&self, arguments: &[&str]) -> Result<Said> {
        Server::run(&mut self.command(arguments), arguments)
    }

    fn begin(&self, arguments: &[&str]) -> Result<Child> {
        let log = File::create(self.server.path("meanwhile.log"))?;
        let mut command = self.command(arguments);
        Ok(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?)
    }

    fn said_meanwhile(&self) -> String {
        fs::read_to_string(self.server.path("meanwhile.log")).unwrap_or_default()
    }

    /// Whether a new connection through the tunnel is let in.
    fn comes_in(&self) -> Result<bool> {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(&self.ssh_config).args(["tunnel", "true"]);
        Ok(run(&mut ssh, Duration::from_secs(20)).is_ok_and(|output| output.status.success()))
    }

    fn state(&self) -> Result<String> {
        self.server.there(STATE)
    }

    fn is_inside_at(&self, before: &str) -> Result<()> {
        ensure!(self.comes_in()?, "the operator is locked out: {}", self.server.there("wg show")?);
        crate::local::same(before, &self.state()?, "it is not as it was")
    }
}

impl Laptop {
    fn start(container: &Container) -> Result<Self> {
        let mut inside = container.outside().command("unshare");
        inside.args(["--mount", "sh", "-c", LAPTOP]).env("LOG_LEVEL", "silent");
        let laptop = Self { inside: inside.stdout(Stdio::null()).stderr(Stdio::null()).spawn()? };
        until("the laptop's wg1", LIMIT, || Ok(laptop.run("ip link show wg1 && wg show wg1").is_ok().then_some(())))?;
        Ok(laptop)
    }

    /// As wg-quick(8) would do it.
    fn set_up(&self, configuration: &str) -> Result<()> {
        let mut strip = self
            .command("cat > /run/wg1.conf && wg-quick strip /run/wg1.conf > /run/strip && wg setconf wg1 /run/strip");
        run_with_input(&mut strip, configuration.as_bytes(), LIMIT)?.ok()?;
        let address = configuration.lines().find_map(|line| line.strip_prefix("Address = ")).context("no address")?;
        self.run(&format!("ip address add {address} dev wg1 && ip link set wg1 up && ip route add {SERVER}/32 dev wg1"))
    }

    fn run(&self, line: &str) -> Result<()> {
        run(&mut self.command(line), LIMIT)?.ok().map(drop)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = words("nsenter --mount --net --target");
        command.arg(self.inside.id().to_string()).args(["--", "sh", "-c", line]);
        command
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        // It may have ended with its network.
        let _ = self.inside.kill();
        let _ = self.inside.wait();
    }
}
