//! What cuts the operator off is refused, or taken back.

use std::fs::{self, File};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use stead_tests::host::Host;

use crate::server::Server;

/// Only a network for documentation may come in: nobody.
const NOBODY: &str = "ssh-from = [\"192.0.2.0/24\"]";
const STATE: &str = "nft -s list ruleset; cat /etc/ssh/sshd_config.d/*; sysctl net.ipv4.tcp_syncookies kernel.kptr_restrict; ls /etc/sysctl.d";

pub(crate) fn an_operator_gets_in_again(host: impl Host + 'static) -> Result<()> {
    let mut server = Server::new(host)?;
    server.there("DEBIAN_FRONTEND=noninteractive apt-get install -y nftables")?;
    let before = server.there(STATE)?;

    server.declare(NOBODY)?;
    let said = server.stead(&["apply", "--yes", "locked"])?.expect(77)?;
    ensure!(said.contains("port 22"), "the refusal does not name the port:\n{said}");
    ensure!(before == server.there(STATE)?, "a refused plan changed something");

    server.stead(&["apply", "--yes", "--force", "--window", "20", "locked"])?.expect(75)?;
    ensure!(server.host.lets_in()?, "the operator is locked out");
    ensure!(before == server.there(STATE)?, "not all was taken back:\n{}", server.there(STATE)?);

    a_port_that_nobody_follows_is_taken_back(&server)?;
    ensure!(before == server.there(STATE)?, "sshd is not as it was:\n{}", server.there(STATE)?);

    the_timer_takes_back_what_a_dead_process_left(&server)?;
    ensure!(before == server.there(STATE)?, "the timer did not take all back:\n{}", server.there(STATE)?);
    power_loss_is_taken_back_at_boot(&mut server, &before)
}

/// sshd moves to another port and the firewall with it, but the operator still knocks at the old one.
fn a_port_that_nobody_follows_is_taken_back(server: &Server) -> Result<()> {
    server.declare("ssh-port = 443")?;
    let said = server.stead(&["apply", "--yes", "locked"])?.expect(77)?;
    ensure!(said.contains("port 22"), "the refusal does not name the port:\n{said}");
    server.stead(&["apply", "--yes", "--force", "--window", "20", "locked"])?.expect(75)?;
    ensure!(server.host.lets_in()?, "the operator is locked out");
    server.declare(NOBODY)
}

fn the_timer_takes_back_what_a_dead_process_left(server: &Server) -> Result<()> {
    let mut apply = locking_apply(server)?;
    // Over the connection that was open before the firewall closed.
    server.there("pkill -KILL -f '[l]ib/stead/.* agent'")?;
    let _ = apply.wait();
    wait(Duration::from_secs(180), || server.host.lets_in()).context("the timer did not let the operator in")?;
    let is_over = || {
        let status = server.there("/usr/local/bin/stead status")?;
        Ok(!["at work", "open "].iter().any(|word| status.lines().any(|line| line.starts_with(word))))
    };
    wait(Duration::from_secs(60), is_over).context("the run stays open")
}

fn power_loss_is_taken_back_at_boot(server: &mut Server, before: &str) -> Result<()> {
    let mut apply = locking_apply(server)?;
    server.host.kill_power()?;
    let _ = apply.kill();
    let _ = apply.wait();
    wait(Duration::from_secs(180), || Ok(server.there(STATE).is_ok_and(|now| now == before)))
        .context("after the power loss the server is not as it was")
}

/// Begins an apply that locks everybody out, and returns when it has.
fn locking_apply(server: &Server) -> Result<std::process::Child> {
    let mut command = server.command(&["apply", "--yes", "--force", "--window", "30", "locked"]);
    let log = server.path("locking.log");
    let said = File::create(&log)?;
    let child = command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).spawn()?;
    let locked = "until nft list table inet stead 2>/dev/null | grep -q 192.0.2.0; do sleep 0.2; done";
    server.there(locked).with_context(|| fs::read_to_string(log).unwrap_or_default())?;
    Ok(child)
}

fn wait(limit: Duration, mut until: impl FnMut() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < limit {
        if until().unwrap_or(false) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    anyhow::bail!("not within {limit:?}")
}
