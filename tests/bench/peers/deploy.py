"""What tests/bench/repo declares, by pyinfra's own operations."""

from os import environ
from pathlib import Path

import yaml
from pyinfra import host
from pyinfra.facts.files import File
from pyinfra.operations import apt, files, server, systemd

here = Path(environ["BENCH_PEERS"])
app = Path(environ["BENCH_APP"])
variables = yaml.safe_load((here / "vars.yaml").read_text().replace("{{ swappiness }}", environ["BENCH_SWAPPINESS"]))


def put(name, dest, mode="644"):
    return files.put(name=dest, src=str(here / "files" / name), dest=dest, mode=mode)


apt.packages(
    name="Packages",
    packages=[
        "unattended-upgrades", "sudo", "nftables", "wireguard-tools", "docker.io", "docker-cli", "docker-compose",
    ],
    no_recommends=True,
)
put("52stead-periodic", "/etc/apt/apt.conf.d/52stead-periodic")

server.user(
    name="Administrator", user="alice", shell="/bin/bash", home="/home/alice", create_home=True,
    public_keys=[variables["alice_key"]], delete_keys=True,
)
put("sudoers-alice", "/etc/sudoers.d/alice", "440")
sshd = put("10-sshd.conf", "/etc/ssh/sshd_config.d/10-sshd.conf")
systemd.service(name="Reload sshd", service="ssh.service", reloaded=True, _if=sshd.did_change)

for key, value in variables["kernel_parameters"].items():
    server.sysctl(name=key, key=key, value=value, persist=True, persist_file="/etc/sysctl.d/90-server.conf")
ruleset = put("nftables.conf", "/etc/nftables.conf")
systemd.service(name="Ruleset at boot", service="nftables.service", running=True, enabled=True)
systemd.service(name="Load the ruleset", service="nftables.service", reloaded=True, _if=ruleset.did_change)

if not host.get_fact(File, path="/etc/wireguard/wg0.key"):
    server.shell(
        name="Private key of WireGuard", commands="umask 077 && wg genkey > /etc/wireguard/wg0.key",
    )
wireguard = put("wg0.conf", "/etc/wireguard/wg0.conf", "600")
server.shell(
    name="Set WireGuard",
    commands=[
        "wg syncconf wg0 /etc/wireguard/wg0.conf && wg set wg0 private-key /etc/wireguard/wg0.key",
        "ip address replace 10.8.0.1/24 dev wg0 && ip link set wg0 up",
    ],
    _if=wireguard.did_change,
)

systemd.service(name="Docker", service="docker.service", running=True, enabled=True)
files.sync(name="Files of the app", src=str(app), dest="/srv/hello")
# Compose itself finds out whether there is something to do.
server.shell(name="App", commands="docker compose --project-directory /srv/hello up --detach --wait")
