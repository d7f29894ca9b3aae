// Calls everything with values at the edge, and tells what the host answered: the same in every language.

import { PolicyError, policy } from 'stead-guest';
import * as backup from 'stead-guest/backup';
import * as compose from 'stead-guest/compose';
import * as config from 'stead-guest/config';
import * as facts from 'stead-guest/facts';
import * as file from 'stead-guest/file';
import * as firewall from 'stead-guest/firewall';
import { info, log } from 'stead-guest/log';
import * as packages from 'stead-guest/package';
import * as service from 'stead-guest/service';
import * as sysctl from 'stead-guest/sysctl';
import * as user from 'stead-guest/user';
import * as vpn from 'stead-guest/vpn';

const MAX = 2 ** 32 - 1;

export const configure = policy(() => {
  const { mode } = config.parse({ mode: '' });
  const modes = {
    calls,
    backup: backups,
    denied: () => packages.install('not-granted'),
    invalid: () => sysctl.set('', '1'),
    other: () => {
      throw new PolicyError('no ☃ today');
    },
    crash: () => crash([]),
    wasi,
    negative: () => user.group('probe', -1),
    large: () => firewall.open('tcp', 70_000),
  };
  if (!modes[mode]) throw new PolicyError(`no mode ${mode}`);
  modes[mode]();
});

function crash(values) {
  values[0].name;
}

function wasi() {
  const still = Date.now() === Date.now();
  const known = ['process', 'require', 'fetch', 'Deno', 'std', 'os'].filter((name) => name in globalThis);
  info(`files: ${known.join(',') || 'none'}, environment: 0, network: none, time: ${still ? 'still' : 'moves'}, random: ${Math.random()}`);
}

function told(call, ask) {
  try {
    ask();
    info(`${call}: ok`);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    log('info', `${call}: ${error.message}`);
  }
}

function calls() {
  const { id, versionId } = facts.os();
  info(`${facts.hostName()} ${facts.architecture()} ${id} ${versionId}`);
  for (const { name, addresses, defaultRoute } of facts.interfaces()) info(`${name} ${addresses.join(',')} ${defaultRoute}`);
  for (const level of ['debug', 'info', 'warn', 'error']) log(level, 'a\x1b[2J ☃');
  debian();
  files();
  users();
  services();
  told('sysctl.set', () => sysctl.set('vm.swappiness', '10'));
  told('sysctl.set', () => sysctl.set('kernel.probe', '9'.repeat(100_000)));
  told('sysctl.set', () => sysctl.set('net.ipv4.ip_forward', '1'));
  packets();
  tunnels();
  told('compose.up', () => compose.up('none', { environment: [['A', '☃']], secrets: [['B', 'c']], healthTimeout: 0 }));
}

function backups() {
  try {
    info(`backup.schedule: ${backup.schedule().join(',')}`);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    log('info', `backup.schedule: ${error.message}`);
  }
}

function debian() {
  const options = { version: '1.0', hold: true, recommends: false };
  told('package.install', () => packages.install(''));
  told('package.install', () => packages.install('nginx', options));
  told('package.install', () => packages.install('näme☃', options));
  told('package.remove', () => packages.remove('a'.repeat(300)));
  told('package.add-repository', () => packages.addRepository({ name: 'probe', uris: ['☃'], suites: [] }));
}

function files() {
  const text = (val) => ({ tag: 'text', val });
  const bytes = { tag: 'bytes', val: new Uint8Array([0, 128, 255]) };
  told('file.write', () => file.write('/etc/ü', '☃', { mode: MAX, owner: '', group: 'x' }));
  told('file.write', () => file.write('/etc/probe', [text(''), bytes, text('☃')]));
  told('file.write', () => file.write('/etc/secret', [{ tag: 'secret', val: 'none' }]));
  told('file.directory', () => file.directory('relative'));
  told('file.symlink', () => file.symlink('/etc/link', ''));
  told('file.absent', () => file.absent('/etc/../x'));
}

function users() {
  told('user.present', () => user.present({ name: 'probe', uid: MAX, authorizedKeys: [], sudo: 'all' }));
  told('user.group', () => user.group('probe', 4000));
  told('user.group', () => user.group(''));
  told('user.absent', () => user.absent('root'));
}

function services() {
  const state = { enabled: true, running: false, dependsOn: ['file:/etc/probe'], onChange: 'reload' };
  told('service.unit', () => service.unit('probe.service', state));
  told('service.unit', () => service.unit('☃', {}));
  told('service.unit-file', () => service.unitFile('probe.service', ''));
  told('service.drop-in', () => service.dropIn('probe.service', 'probe', '[Service]\nNice=5\n'));
}

function packets() {
  told('firewall.default-verdict', () => firewall.defaultVerdict('output', 'accept'));
  const rule = {
    chain: 'input',
    inputInterface: 'wg*',
    source: ['10.0.0.0/8', 'fd00::/8'],
    protocol: 'tcp',
    ports: [{ first: 1, last: 65535 }],
    ctState: { new: true, untracked: true },
    mark: MAX,
    time: { days: { monday: true, sunday: true }, hours: ['08:00', '18:00'] },
    limit: { rate: 10, per: 'minute', burst: 7, over: true },
    counter: true,
    log: 'probe ',
    verdict: { tag: 'drop' },
    comment: '☃',
  };
  told('firewall.add-rule', () => firewall.addRule(rule));
  told('firewall.add-rule', () => firewall.addRule({ chain: 'prerouting', verdict: { tag: 'redirect', val: 0 } }));
  const set = { name: 'probe', elementType: 'ipv4-addr', elements: ['192.0.2.1'], dynamic: true, timeout: 60 };
  told('firewall.add-set', () => firewall.addSet(set));
  const map = { name: 'ports', keyType: 'inet-service', valueType: 'verdict', elements: [['22', 'accept']] };
  told('firewall.add-map', () => firewall.addMap(map));
  told('firewall.raw', () => firewall.raw('forward', 'tcp dport 22 ct count over 10 reject'));
  told('firewall.open', () => firewall.open('udp', 65535, ['::/0'], 'wg0'));
  told('firewall.open', () => firewall.open('tcp', 0));
}

function tunnels() {
  const addresses = ['10.8.0.1/24', 'fd08::1/64'];
  told('vpn.add-interface', () =>
    vpn.addInterface({ name: 'wg0', addresses, listenPort: 65535, mtu: 1280, fwmark: MAX, routes: true, table: MAX }),
  );
  const peer = {
    publicKey: 'DD5yKRfzExcV5+kDnTroDgCU15latdMjiQ59j1hEuk8=',
    name: '☃',
    endpoint: '[2001:db8::1]:51820',
    allowedIps: ['10.8.0.2'],
    persistentKeepalive: 65535,
  };
  told('vpn.add-peer', () => vpn.addPeer('wg0', peer));
  told('vpn.add-mesh', () => vpn.addMesh('none'));
}
