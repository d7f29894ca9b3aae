"""A hardened server with firewall, VPN, Docker and its compose apps: what modules/baseline is in Rust."""

from stead import Error, compose, config, facts, file, firewall, package, service, sysctl, user, vpn

# How often apt does what by itself, in days.
PERIODIC = """\
// How often apt does what by itself, in days; see /usr/lib/apt/apt.systemd.daily.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
"""

# Read first, so that it wins: sshd takes the first value of a keyword.
DROP_IN = "/etc/ssh/sshd_config.d/10-stead.conf"
SSHD = """\
# Written by stead: keys only.
Port {port}
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
X11Forwarding no
MaxAuthTries 4
LoginGraceTime 30
"""

# Kernel parameters of a server that faces the internet; see ip-sysctl in the kernel's documentation.
SYSCTL = {
    "net.ipv4.conf.all.rp_filter": "2",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv6.conf.all.accept_redirects": "0",
    "net.ipv4.tcp_syncookies": "1",
    "kernel.kptr_restrict": "1",
}

INTERFACE = "wg0"
WIREGUARD = 51820
TCP, UDP = firewall.Protocol.TCP, firewall.Protocol.UDP


def configure():
    settings = config.parse(
        admins=[], ssh_port=22, ssh_from=[], ssh_by=None, public_ports=[], vpn=None, apps=[], sysctl={}
    )
    updates()
    access(settings)
    network(settings)
    apps(settings["apps"])


def updates():
    package.install("unattended-upgrades")
    # After the 20auto-upgrades that the package may bring.
    file.write("/etc/apt/apt.conf.d/52stead-periodic", PERIODIC)


def access(settings):
    package.install("sudo")
    for admin in settings["admins"]:
        user.present(
            user.Account(
                name=admin["name"],
                shell="/bin/bash",
                authorized_keys=admin["keys"],
                sudo=user.Sudo.ALL_NOPASSWD,
            )
        )
    sshd = SSHD.format(port=settings["ssh_port"])
    file.write(DROP_IN, sshd, validate=["/usr/sbin/sshd", "-t", "-f", "{}"])
    state = service.State(depends_on=[f"file:{DROP_IN}"], on_change=service.OnChange.RELOAD)
    service.unit("ssh.service", state)


def network(settings):
    more = settings["sysctl"]
    for key, value in SYSCTL.items():
        if key not in more:
            sysctl.set(key, value)
    for key in sorted(more):
        sysctl.set(key, more[key])
    package.install("nftables")
    firewall.default_verdict(firewall.Chain.INPUT, firewall.Fallback.DROP)
    firewall.open(TCP, settings["ssh_port"], settings["ssh_from"], settings["ssh_by"])
    for port in settings["public_ports"]:
        firewall.open(TCP, port)
    if settings["vpn"] is not None:
        wireguard(**{key.replace("-", "_"): value for key, value in settings["vpn"].items()})


def wireguard(mesh=False, addresses=(), listen_port=None, ports=(), peers=()):
    # The host needs no tool of WireGuard; the operator who looks at it does.
    package.install("wireguard-tools")
    if mesh:
        if addresses or listen_port is not None:
            raise Error("vpn.mesh: [vpn.wg0] of stead.toml says addresses and port; remove them here")
        port = vpn.add_mesh(INTERFACE).listen_port
    else:
        if not addresses:
            raise Error("vpn: give `addresses`, or `mesh = true` for [vpn.wg0] of stead.toml")
        port = WIREGUARD if listen_port is None else listen_port
        vpn.add_interface(vpn.Interface(name=INTERFACE, addresses=list(addresses), listen_port=port))
    if port is not None:
        firewall.open(UDP, port)
    for inner in ports:
        firewall.open(TCP, inner, [], INTERFACE)
    for peer in peers:
        fields = {key.replace("-", "_"): value for key, value in peer.items()}
        vpn.add_peer(INTERFACE, vpn.Peer(**fields))


def apps(names):
    if not names:
        return
    for name in docker(facts.os()):
        package.install(name)
    service.unit("docker.service", service.State(enabled=True, running=True))
    for name in names:
        compose.up(name)


def docker(os):
    """Docker Engine, its client and its Compose plugin, as the distribution calls them."""
    if os.id == "ubuntu":
        return ["docker.io", "docker-compose-v2"]
    # Until Debian 12 the client came with docker.io, and docker-compose was the first, Python one.
    return ["docker.io", "docker-cli", "docker-compose"]
