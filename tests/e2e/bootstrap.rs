//! From a fresh server to a working host in one command; drift, prune and rollback of every capability.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::host::Host;
use stead_tests::run::run;

use crate::server::{IMAGE, Keys, Server};

const COMPOSE: &str = "\
services:
  web:
    image: busybox:1
    command: [httpd, -f, -p, '80', -h, /www]
    ports: ['8080:80']
    volumes: ['./site:/www:ro']
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, 'http://127.0.0.1/']
      interval: 2s
";
const ALICE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIlm0Q4xXpHEFQGkUC4dYjxRvUvVcUVLIqRmTgUIW4Gd alice@laptop";

pub(crate) fn a_fresh_server_becomes_a_host(host: impl Host + 'static) -> Result<()> {
    let server = Server::new(host)?;
    server.host.provide_image(IMAGE, "sleep 1")?;
    server.host.provide_wireguard()?;
    fs::create_dir_all(server.path("apps/hello/site"))?;
    fs::write(server.path("apps/hello/compose.yaml"), COMPOSE)?;
    fs::write(server.path("apps/hello/site/index.html"), "hello from the server\n")?;
    let keys = Keys::make()?;
    server.declare(&config(&keys, "vm.swappiness = 10", "alice"))?;

    let said = server.stead(&["apply", "--yes", "fresh"])?.expect(0)?;
    ensure!(said.contains("later, "), "the plan says what waits for Docker:\n{said}");
    let said = server.stead(&["apply", "--yes", "fresh"])?.expect(0)?;
    ensure!(said.contains("Nothing to do"), "the second apply has steps:\n{said}");

    apps_are_run_from_afar(&server)?;
    is_reached_through_the_vpn_only(&server, &keys)?;
    damaged_rules_fail_closed(&server)?;
    drift_is_found_and_mended(&server)?;
    what_is_removed_is_pruned_and_rolled_back(&server, &keys)
}

fn apps_are_run_from_afar(server: &Server) -> Result<()> {
    let said = server.stead(&["app", "ls"])?.expect(0)?;
    ensure!(said.contains("fresh: hello\n") && said.contains("running, healthy"), "{said}");
    let exec = ["app", "exec", "--host", "fresh", "hello", "web", "sh", "-c", "echo \"it's $0\"; exit 7"];
    ensure!(server.stead(&exec)?.expect(7)?.contains("it's sh"));
    let mut following = server.command(&["app", "logs", "--follow", "--host", "fresh", "hello"]);
    let mut following = following.process_group(0).spawn()?;
    let running = "ls -l /proc/[0-9]*/exe 2>/dev/null | grep -c -- '-> /usr/local/lib/stead/' || true";
    let agents = |many: &str| {
        let counted = || Ok((server.there(running)?.trim() == many).then_some(()));
        stead_tests::wait::until("agents", Duration::from_secs(30), counted)
    };
    agents("1")?;
    // As Ctrl-C does: it goes to ssh(1) as well.
    run(Command::new("kill").args(["-INT", "--", &format!("-{}", following.id())]), Duration::from_secs(5))?.ok()?;
    following.wait()?;
    // Nobody writes anything, and yet it notices.
    agents("0")?;
    let said = server.stead(&["app", "restart", "--host", "fresh", "hello"])?.expect(0)?;
    ensure!(said.contains("restarted hello-web-1"), "{said}");
    let said = server.stead(&["log", "fresh"])?.expect(0)?;
    ensure!(said.contains("app restart  done") && said.contains("app exec  done"), "{said}");
    Ok(())
}

fn config(keys: &Keys, sysctl: &str, admin: &str) -> String {
    format!(
        "apps = [\"hello\"]\nadmins = [{{ name = \"{admin}\", keys = [\"{ALICE}\"] }}]\n\
         sysctl = {{ \"{}\" = \"{}\" }}\n\
         [policy.baseline.config.vpn]\naddresses = [\"10.8.0.1/24\"]\nports = [8080]\n\
         peers = [{{ name = \"laptop\", public-key = \"{}\", allowed-ips = [\"10.8.0.2/32\"] }}]\n",
        sysctl.split(" = ").next().unwrap_or_default(),
        sysctl.split(" = ").last().unwrap_or_default(),
        keys.public
    )
}

/// A second network namespace on the server stands for the world outside: `pub0` is the public side.
fn is_reached_through_the_vpn_only(server: &Server, keys: &Keys) -> Result<()> {
    server.there(
        "ip netns add outside && ip link add pub0 type veth peer name out0 netns outside && \
         ip addr add 198.51.100.1/24 dev pub0 && ip link set pub0 up && \
         ip -n outside addr add 198.51.100.2/24 dev out0 && ip -n outside link set out0 up",
    )?;
    let get = |url: &str| server.host.ssh(&format!("ip netns exec outside curl -s --max-time 8 {url}"));
    ensure!(!get("http://198.51.100.1:8080/")?.status.success(), "the app is open to the world");
    server.there("ip netns exec outside timeout 8 bash -c 'exec 3<>/dev/tcp/198.51.100.1/22; head -c 4 <&3'")?;
    the_firewall_explains_itself(server)?;
    let public = server.there("wg show wg0 public-key")?;
    server.host.ssh_with_input("umask 077; cat > /root/peer.key", keys.private.as_bytes())?.ok()?;
    server.there(&format!(
        "ip -n outside link add wg1 type wireguard || ip netns exec outside wireguard-go wg1; ip netns exec outside wg set wg1 private-key /root/peer.key \
         peer {} endpoint 198.51.100.1:51820 allowed-ips 10.8.0.1/32 && \
         ip -n outside addr add 10.8.0.2/24 dev wg1 && ip -n outside link set wg1 up",
        public.trim()
    ))?;
    ensure!(get("http://10.8.0.1:8080/")?.ok()? == "hello from the server\n");
    // Docker makes its rules anew, and more of them for a container that nobody declared.
    server.there(&format!(
        "systemctl restart docker && docker start $(docker ps --all --quiet) && \
         docker run --detach --name late --publish 9999:80 {IMAGE} httpd -f -p 80 -h /bin && \
         until curl -s http://127.0.0.1:9999/sh -o /dev/null; do sleep 0.2; done"
    ))?;
    ensure!(get("http://10.8.0.1:8080/")?.ok()? == "hello from the server\n");
    for url in ["http://198.51.100.1:8080/", "http://198.51.100.1:9999/sh", "http://10.8.0.1:9999/sh"] {
        ensure!(!get(url)?.status.success(), "after a restart of Docker {url} is open");
    }
    server.there("docker rm --force late && ip netns del outside").map(drop)
}

fn the_firewall_explains_itself(server: &Server) -> Result<()> {
    let line = |text: &str, beginning: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(beginning)).map(str::to_owned);
        line.with_context(|| format!("no line begins with {beginning}:\n{text}"))
    };
    let table = server.stead(&["firewall", "show", "fresh"])?.expect(0)?;
    let ssh = line(&table, "tcp 22")?;
    ensure!(ssh.contains("sshd") && ssh.contains("everywhere"), "{ssh}");
    let app = line(&table, "tcp 8080")?;
    ensure!(app.contains("docker-proxy") && app.contains("by wg0") && !app.contains("; "), "{app}");
    let asked = ["firewall", "test", "--from", "198.51.100.2", "--to", "8080", "fresh"];
    let answer = server.stead(&asked)?.expect(0)?;
    ensure!(line(&answer, "wg0")?.contains("accept"), "{answer}");
    ensure!(line(&answer, "any other")?.contains("drop"), "{answer}");
    Ok(())
}

/// What happens at boot when the files are not as they were written.
fn damaged_rules_fail_closed(server: &Server) -> Result<()> {
    let opened = "nft list chain inet stead declared | grep -q 51820";
    server.there(&format!(
        "nft delete table inet stead && : > /etc/stead/firewall.nft && systemctl restart stead-firewall && {opened}"
    ))?;
    server.there("nft delete table inet stead && echo 'table inet {' > /etc/stead/firewall.nft && rm /var/lib/stead/firewall.nft")?;
    server.there("! systemctl restart stead-firewall && systemctl is-failed stead-firewall")?;
    let closed = server.there("nft list table inet stead")?;
    ensure!(
        closed.contains("policy drop") && closed.contains("tcp dport 22 accept") && !closed.contains("51820"),
        "{closed}"
    );
    ensure!(server.host.lets_in()?, "the operator is locked out");
    server.stead(&["apply", "--yes", "fresh"])?.expect(0)?;
    server.there(&format!("systemctl restart stead-firewall && {opened}")).map(drop)
}

/// What is changed by hand, and how drift calls it.
const BY_HAND: [(&str, &str); 8] = [
    ("apt-get remove -y unattended-upgrades", "package unattended-upgrades"),
    ("echo '# mine' >> /etc/ssh/sshd_config.d/10-stead.conf", "file /etc/ssh/sshd_config.d/10-stead.conf"),
    ("rm /home/alice/.ssh/authorized_keys", "user alice"),
    ("sysctl -w vm.swappiness=60", "sysctl vm.swappiness"),
    ("nft insert rule inet stead input tcp dport 9999 accept", "firewall table inet stead"),
    ("wg set wg0 peer $(wg show wg0 peers) remove", "vpn wg0"),
    ("systemctl disable docker.service", "service docker.service"),
    ("docker rm -f $(docker ps -q)", "compose hello"),
];

fn drift_is_found_and_mended(server: &Server) -> Result<()> {
    server.stead(&["drift", "fresh"])?.expect(0)?;
    for (command, _) in BY_HAND {
        server.host.ssh_within(command, Duration::from_secs(180))?.ok()?;
    }
    let said = server.stead(&["drift", "fresh"])?.expect(2)?;
    for (_, name) in BY_HAND {
        ensure!(said.contains(name), "drift does not name {name}:\n{said}");
    }
    server.stead(&["apply", "--yes", "fresh"])?.expect(0)?;
    server.stead(&["drift", "fresh"])?.expect(0).map(drop)
}

/// What is compared before and after a rollback.
const STATE: &str = "nft -s list table inet stead; wg show wg0 peers; wg show wg0 allowed-ips; ls /etc/sudoers.d; \
    cat /etc/sysctl.d/90-stead.conf; cat /home/alice/.ssh/authorized_keys; docker ps --format '{{.Names}} {{.Image}}'; \
    cat /var/lib/stead/apps/hello/site/index.html; dpkg -l wireguard-tools | tail -1";

fn what_is_removed_is_pruned_and_rolled_back(server: &Server, keys: &Keys) -> Result<()> {
    let state = || server.host.ssh(STATE);
    let first = state()?.ok()?;
    fs::write(server.path("apps/hello/site/index.html"), "changed\n")?;
    let plan = server.stead(&["plan", "fresh"])?.expect(2)?;
    ensure!(plan.contains("published tcp 8080 of hello, service web: everywhere by wg0"), "{plan}");
    server.declare(&config(keys, "net.ipv4.tcp_syncookies = 1", "bob"))?;
    server.stead(&["apply", "--yes", "fresh"])?.expect(0)?;
    server.there("test ! -e /etc/sudoers.d/stead-alice && test -e /etc/sudoers.d/stead-bob")?;
    server.there("! id alice && id bob")?;
    ensure!(!server.there("cat /etc/sysctl.d/90-stead.conf")?.contains("swappiness"));
    server.declare("")?;
    server.stead(&["apply", "--yes", "fresh"])?.expect(0)?;
    server.there(
        "! ip address show wg0 | grep -F 10.8.0.1 && ! test -e /var/lib/stead/apps/hello && ! command -v docker",
    )?;
    server.stead(&["rollback", "--yes", "1", "fresh"])?.expect(0)?;
    let back = state()?.ok()?;
    ensure!(first == back, "before:\n{first}\nafter the rollback:\n{back}");
    Ok(())
}
