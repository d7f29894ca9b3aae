// A hardened server with firewall, VPN, Docker and its compose apps: what modules/baseline is in Rust.

import { PolicyError, policy } from 'stead-guest';
import * as compose from 'stead-guest/compose';
import * as config from 'stead-guest/config';
import * as facts from 'stead-guest/facts';
import * as file from 'stead-guest/file';
import * as firewall from 'stead-guest/firewall';
import * as packages from 'stead-guest/package';
import * as service from 'stead-guest/service';
import * as sysctl from 'stead-guest/sysctl';
import * as user from 'stead-guest/user';
import * as vpn from 'stead-guest/vpn';

const PERIODIC = `\
// How often apt does what by itself, in days; see /usr/lib/apt/apt.systemd.daily.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
`;

// Read first, so that it wins: sshd takes the first value of a keyword.
const DROP_IN = '/etc/ssh/sshd_config.d/10-stead.conf';

/** @param {number} port */
const sshd = (port) => `\
# Written by stead: keys only.
Port ${port}
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
X11Forwarding no
MaxAuthTries 4
LoginGraceTime 30
`;

// Kernel parameters of a server that faces the internet; see ip-sysctl in the kernel's documentation.
const SYSCTL = {
  'net.ipv4.conf.all.rp_filter': '2',
  'net.ipv4.conf.all.accept_redirects': '0',
  'net.ipv6.conf.all.accept_redirects': '0',
  'net.ipv4.tcp_syncookies': '1',
  'kernel.kptr_restrict': '1',
};

const INTERFACE = 'wg0';
const WIREGUARD = 51820;

export const configure = policy(() => {
  const settings = config.parse({
    admins: [],
    sshPort: 22,
    sshFrom: [],
    sshBy: undefined,
    publicPorts: [],
    vpn: undefined,
    apps: [],
    sysctl: {},
  });
  updates();
  access(settings);
  network(settings);
  apps(settings.apps);
});

function updates() {
  packages.install('unattended-upgrades');
  // After the 20auto-upgrades that the package may bring.
  file.write('/etc/apt/apt.conf.d/52stead-periodic', PERIODIC);
}

function access({ admins, sshPort }) {
  packages.install('sudo');
  for (const { name, keys } of admins) {
    user.present({ name, shell: '/bin/bash', authorizedKeys: keys, sudo: 'all-nopasswd' });
  }
  file.write(DROP_IN, sshd(sshPort), {}, ['/usr/sbin/sshd', '-t', '-f', '{}']);
  service.unit('ssh.service', { dependsOn: [`file:${DROP_IN}`], onChange: 'reload' });
}

function network(settings) {
  const more = settings.sysctl;
  for (const [key, value] of Object.entries(SYSCTL)) {
    if (!Object.hasOwn(more, key)) sysctl.set(key, value);
  }
  for (const key of Object.keys(more).sort()) sysctl.set(key, more[key]);
  packages.install('nftables');
  firewall.defaultVerdict('input', 'drop');
  firewall.open('tcp', settings.sshPort, settings.sshFrom, settings.sshBy);
  for (const port of settings.publicPorts) firewall.open('tcp', port);
  if (settings.vpn) wireguard(settings.vpn);
}

function wireguard({ mesh = false, addresses = [], 'listen-port': listenPort, ports = [], peers = [] }) {
  // The host needs no tool of WireGuard; the operator who looks at it does.
  packages.install('wireguard-tools');
  const port = mesh ? meshed(addresses, listenPort) : alone(addresses, listenPort);
  if (port !== undefined && port !== null) firewall.open('udp', port);
  for (const inner of ports) firewall.open('tcp', inner, [], INTERFACE);
  for (const peer of peers) {
    vpn.addPeer(INTERFACE, {
      publicKey: peer['public-key'],
      name: peer.name,
      presharedKey: peer['preshared-key'],
      endpoint: peer.endpoint,
      allowedIps: peer['allowed-ips'],
    });
  }
}

function meshed(addresses, listenPort) {
  if (addresses.length > 0 || listenPort !== undefined) {
    throw new PolicyError('vpn.mesh: [vpn.wg0] of stead.toml says addresses and port; remove them here');
  }
  return vpn.addMesh(INTERFACE).listenPort;
}

function alone(addresses, listenPort = WIREGUARD) {
  if (addresses.length === 0) {
    throw new PolicyError('vpn: give `addresses`, or `mesh = true` for [vpn.wg0] of stead.toml');
  }
  vpn.addInterface({ name: INTERFACE, addresses, listenPort });
  return listenPort;
}

function apps(names) {
  if (names.length === 0) return;
  for (const name of docker(facts.os())) packages.install(name);
  service.unit('docker.service', { enabled: true, running: true });
  for (const name of names) compose.up(name);
}

/** Docker Engine, its client and its Compose plugin, as the distribution calls them. */
function docker(os) {
  if (os.id === 'ubuntu') return ['docker.io', 'docker-compose-v2'];
  // Until Debian 12 the client came with docker.io, and docker-compose was the first, Python one.
  return ['docker.io', 'docker-cli', 'docker-compose'];
}
