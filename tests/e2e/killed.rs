//! The process is killed wherever its journal reaches the disk, which is before and after every step; then it recovers.
//!
//! strace(1) does the killing, at the n-th fsync(2) of the real program, so nothing in it knows that it is being tested.

use anyhow::{Result, bail, ensure};
use stead_tests::host::Host;
use stead_tests::run::{Output, run};

use crate::local::{LIMIT, LocalServer, same};
use crate::server::IMAGE;

/// More often than an apply can reach the disk.
const MOST: usize = 200;

const OLD: &str = r#"
packages = ["busybox-static", "docker-cli", "docker-compose", "docker.io", "nftables", "wireguard-tools"]
users = ["alice"]
files = { "/etc/motd" = "old\n", "/etc/goes" = "away\n" }
sysctl = { "net.ipv4.tcp_syncookies" = "1" }
ports = [22, 8080]
vpn = ["10.8.0.1/24"]
services = { beat = "/bin/sleep 1000" }
apps = ["hello"]
"#;
const NEW: &str = r#"
packages = ["docker-cli", "docker-compose", "docker.io", "nftables", "wireguard-tools"]
users = ["bob"]
files = { "/etc/motd" = "new\n", "/etc/comes" = "in\n" }
sysctl = { "net.ipv4.tcp_syncookies" = "2", "vm.swappiness" = "5" }
ports = [22, 9090]
blocked = ["198.51.100.0/24", "192.0.2.1"]
vpn = ["10.9.0.1/24"]
services = { beat = "/bin/sleep 2000", tick = "/bin/sleep 3000" }
apps = ["hello"]
"#;
/// Everything that may differ between the two, and what must not.
const STATE: &str = "\
dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\\n'; getent passwd; getent group; ls /etc/sudoers.d
find /etc /var/lib/stead/apps -xdev -type f ! -name '*-' ! -name '.pwd.lock' | sort | xargs sha256sum
find /etc/systemd -type l -printf '%p %l\\n' | sort
sysctl net.ipv4.tcp_syncookies vm.swappiness; nft -s list table inet stead
ip -brief -4 address show wg0; wg show wg0 public-key; wg show wg0 listen-port
systemctl show -p ExecStart --value beat tick | grep -o 'argv[^;]*'; systemctl is-active beat tick
docker ps -a --format '{{.Names}} {{.State}}'; docker inspect -f '{{.Config.Env}}' $(docker ps -q)";

#[test]
fn is_never_between_two_revisions() -> Result<()> {
    let server = LocalServer::start("killed")?;
    server.container().provide_image(IMAGE, "sleep 1")?;
    server.container().provide_wireguard()?;
    server.container().inside("apt-get install -y -q strace")?.ok()?;
    server.declare(OLD, "low")?;
    server.stead("apply --yes --unguarded")?.ended_with(0)?;
    let old = state(&server)?;
    server.declare(NEW, "high")?;
    for nth in 1..MOST {
        let output = killed(&server, "apply --yes --unguarded", nth)?;
        if output.status.success() {
            ensure!(nth > 30, "only {nth} places to be killed at: {}", output.stdout);
            return is_at_the_new_revision(&server, &old);
        }
        // What takes it back dies as well.
        killed(&server, "recover", nth % 7 + 1)?;
        server.stead("recover")?.ended_with(0)?;
        if server.stead("status")?.ended_with(0)?.contains("revision  2") {
            return is_at_the_new_revision(&server, &old);
        }
        same(&old, &state(&server)?, &format!("killed at sync {nth}"))?;
    }
    bail!("it was killed {MOST} times and never came to its end")
}

/// The same, killed when it is about to make its `nth` write last. Its own thread alone is traced: not what it starts.
fn killed(server: &LocalServer, arguments: &str, nth: usize) -> Result<Output> {
    let mut command = server.container().command("strace")?;
    command.args(["-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e"]);
    command.arg(format!("inject=fsync:signal=KILL:when={nth}")).args(["stead", "--repo", "/root/repo"]);
    let output = run(command.args(arguments.split(' ')), LIMIT)?;
    let failed_by_itself = output.stderr.contains("exit code");
    ensure!(!failed_by_itself, "it was not killed at sync {nth}:\n{}{}", output.stdout, output.stderr);
    Ok(output)
}

fn state(server: &LocalServer) -> Result<String> {
    Ok(server.container().inside(STATE)?.stdout)
}

fn is_at_the_new_revision(server: &LocalServer, old: &str) -> Result<()> {
    let new = state(server)?;
    ensure!(new != old && new.contains("LEVEL=high"), "{new}");
    ensure!(server.stead("apply --yes")?.ended_with(0)?.contains("Nothing to do"));
    server.stead("rollback 1 --yes --unguarded")?.ended_with(0)?;
    same(old, &state(server)?, "rolled back")
}
