"""Calls everything with values at the edge, and tells what the host answered: the same in every language."""

import os
import random
import socket
import time

from stead import Error, backup, compose, config, facts, file, firewall, log, package, service, sysctl, user, vpn

MAX = 2**32 - 1


def configure():
    mode = config.parse(mode="")["mode"]
    if mode == "calls":
        calls()
    elif mode == "backup":
        backups()
    elif mode == "denied":
        package.install("not-granted")
    elif mode == "invalid":
        sysctl.set("", "1")
    elif mode == "other":
        raise Error("no ☃ today")
    elif mode == "crash":
        crash([])
    elif mode == "wasi":
        wasi()
    elif mode == "negative":
        user.group("probe", -1)
    elif mode == "large":
        firewall.open(firewall.Protocol.TCP, 70_000)
    else:
        raise Error(f"no mode {mode}")


def crash(values):
    values[0]


def wasi():
    try:
        files = ",".join(os.listdir("/"))
    except OSError:
        files = "none"
    try:
        socket.create_connection(("127.0.0.1", 22), timeout=1)
        network = "open"
    except Exception:
        network = "none"
    moment = time.time()
    still = time.time() == moment and time.monotonic() == time.monotonic()
    log.info(f"files: {files}, environment: {len(os.environ)}, network: {network}, "
             f"time: {'still' if still else 'moves'}, random: {random.SystemRandom().getrandbits(64)}")


def told(call, function, *arguments):
    try:
        function(*arguments)
        log.info(f"{call}: ok")
    except Error as error:
        log.log(log.Level.INFO, f"{call}: {error}")


def calls():
    release = facts.os()
    log.info(f"{facts.host_name()} {facts.architecture()} {release.id} {release.version_id}")
    for interface in facts.interfaces():
        log.info(f"{interface.name} {','.join(interface.addresses)} {str(interface.default_route).lower()}")
    for level in (log.Level.DEBUG, log.Level.INFO, log.Level.WARN, log.Level.ERROR):
        log.log(level, "a\x1b[2J ☃")
    packages()
    files()
    users()
    services()
    told("sysctl.set", sysctl.set, "vm.swappiness", "10")
    told("sysctl.set", sysctl.set, "kernel.probe", "9" * 100_000)
    told("sysctl.set", sysctl.set, "net.ipv4.ip_forward", "1")
    packets()
    tunnels()
    told("compose.up", compose.up, "none", compose.Options([("A", "☃")], [("B", "c")], 0, []))


def backups():
    try:
        log.info(f"backup.schedule: {','.join(backup.schedule())}")
    except Error as error:
        log.log(log.Level.INFO, f"backup.schedule: {error}")


def packages():
    options = package.Options("1.0", True, False)
    told("package.install", package.install, "")
    told("package.install", package.install, "nginx", options)
    told("package.install", package.install, "näme☃", options)
    told("package.remove", package.remove, "a" * 300)
    told("package.add-repository", package.add_repository, package.Repository(name="probe", uris=["☃"]))


def files():
    told("file.write", file.write, "/etc/ü", "☃", file.Attributes(MAX, "", "x"))
    told("file.write", file.write, "/etc/probe", [file.Text(""), file.Bytes(b"\0\x80\xff"), file.Text("☃")])
    told("file.write", file.write, "/etc/secret", [file.Secret("none")])
    told("file.directory", file.directory, "relative")
    told("file.symlink", file.symlink, "/etc/link", "")
    told("file.absent", file.absent, "/etc/../x")


def users():
    told("user.present", user.present, user.Account("probe", MAX, authorized_keys=[], sudo=user.Sudo.ALL))
    told("user.group", user.group, "probe", 4000)
    told("user.group", user.group, "")
    told("user.absent", user.absent, "root")


def services():
    state = service.State(True, False, depends_on=["file:/etc/probe"], on_change=service.OnChange.RELOAD)
    told("service.unit", service.unit, "probe.service", state)
    told("service.unit", service.unit, "☃", service.State())
    told("service.unit-file", service.unit_file, "probe.service", "")
    told("service.drop-in", service.drop_in, "probe.service", "probe", "[Service]\nNice=5\n")


def packets():
    f = firewall
    told("firewall.default-verdict", f.default_verdict, f.Chain.OUTPUT, f.Fallback.ACCEPT)
    rule = f.Rule(
        f.Chain.INPUT,
        input_interface="wg*",
        source=["10.0.0.0/8", "fd00::/8"],
        protocol=f.Protocol.TCP,
        ports=[f.PortRange(1, 65535)],
        ct_state=f.CtState.NEW | f.CtState.UNTRACKED,
        mark=MAX,
        time=f.Time(f.Days.MONDAY | f.Days.SUNDAY, ("08:00", "18:00")),
        limit=f.Limit(10, f.Per.MINUTE, 7, True),
        counter=True,
        log="probe ",
        verdict=f.Drop(),
        comment="☃",
    )
    told("firewall.add-rule", f.add_rule, rule)
    told("firewall.add-rule", f.add_rule, f.Rule(f.Chain.PREROUTING, verdict=f.Redirect(0)))
    told("firewall.add-set", f.add_set, f.Set("probe", elements=["192.0.2.1"], dynamic=True, timeout=60))
    ports = f.Map("ports", f.ElementType.INET_SERVICE, f.ValueType.VERDICT, [("22", "accept")])
    told("firewall.add-map", f.add_map, ports)
    told("firewall.raw", f.raw, f.Chain.FORWARD, "tcp dport 22 ct count over 10 reject")
    told("firewall.open", f.open, f.Protocol.UDP, 65535, ["::/0"], "wg0")
    told("firewall.open", f.open, f.Protocol.TCP, 0)


def tunnels():
    told("vpn.add-interface", vpn.add_interface,
         vpn.Interface("wg0", ["10.8.0.1/24", "fd08::1/64"], 65535, 1280, MAX, True, MAX))
    peer = vpn.Peer(
        "DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=",
        "☃",
        endpoint="[2001:db8::1]:51820",
        allowed_ips=["10.8.0.2"],
        persistent_keepalive=65535,
    )
    told("vpn.add-peer", vpn.add_peer, "wg0", peer)
    told("vpn.add-mesh", vpn.add_mesh, "none")
