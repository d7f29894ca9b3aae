// Calls everything that a job can with values at the edge, and tells what it was answered: the same in every language.

import { Denied, Failure, Invalid, PolicyError, job } from 'stead-guest';
import * as artifact from 'stead-guest/artifact';
import * as clock from 'stead-guest/clock';
import * as config from 'stead-guest/config';
import * as container from 'stead-guest/container';
import * as http from 'stead-guest/http';
import { on } from 'stead-guest/job';
import { info, log } from 'stead-guest/log';
import * as progress from 'stead-guest/progress';
import * as retry from 'stead-guest/retry';
import * as vm from 'stead-guest/vm';

const MAX = 2 ** 32 - 1;
const EDGE = 'ü☃🦀';
const BYTES = new Uint8Array([0, 128, 255, 10]);
const NAMES = Array.from({ length: 1000 }, (_, n) => `m${n}`);
const NUMBERS = [...NAMES.keys(), MAX];

const bytes = (val) => ({ tag: 'bytes', val });
const text = (val) => ({ tag: 'text', val });
const kept = (val) => ({ tag: 'artifact', val });

export const run = job(({ mode, about }) => {
  const modes = {
    fails: () => fails(about),
    again: () => {
      throw retry.again(about, EDGE);
    },
    because: () => {
      retry.because(about);
      throw new Failure('no ☃ today');
    },
    crash: () => crash([]),
    wasi,
    negative: () => clock.sleep(-1),
    large: () => vm.waitAny([1, MAX + 1]),
    short: () => vm.launch('m', { image: 'any', cpus: 70_000 }),
    permille: () => progress.report(65_536, ''),
  };
  if (mode === 'calls') return calls();
  if (!modes[mode]) throw new Failure(`no mode ${mode}`);
  modes[mode]();
  throw new Failure('it did not fail');
});

function crash(values) {
  values[0].name;
}

function fails(what) {
  const calls = {
    vm: () => vm.launch('m', { image: '' }),
    container: () => container.remove(0),
    http: () => http.send(''),
    artifact: () => artifact.put('', ''),
    script: () => on(EDGE, 'false'),
    command: () => container.run('a', EDGE, ['false']),
  };
  calls[what]();
}

function wasi() {
  const still = Date.now() === Date.now();
  const known = ['process', 'require', 'fetch', 'Deno', 'std', 'os'].filter((name) => name in globalThis);
  info(`files: ${known.join(',') || 'none'}, environment: 0, network: none, time: ${still ? 'still' : 'moves'}, random: ${Math.random()}`);
}

/** Tells what a call was answered. */
function told(call, ask) {
  let said;
  try {
    said = words(ask());
  } catch (error) {
    said = why(error);
  }
  log('info', `${call}: ${said}`);
  return said;
}

function why(error) {
  if (error instanceof Denied) return `denied: ${error.capability}|${error.asked}|${error.grant}`;
  if (error instanceof Invalid) return `invalid: ${error.argument}|${error.reason}`;
  if (error instanceof Failure) return `${error.tag}: ${error.message}`;
  if (error instanceof PolicyError) return `other: ${error.message}`;
  throw error;
}

/** The same call until it fails in a way that has no name. */
function every(call, ask) {
  while (!told(call, ask).startsWith('other: '));
}

const hex = (content) => Array.from(content, (byte) => byte.toString(16).padStart(2, '0')).join('');

function words(answer) {
  if (answer === undefined) return 'ok';
  if (typeof answer === 'number') return String(answer);
  if (answer instanceof Uint8Array) return hex(answer);
  if ('status' in answer) {
    return `${answer.status} ${answer.headers.map(([name, value]) => `${name}=${value}`).join(',')}: ${hex(answer.body)}`;
  }
  const { tag, val } = answer.outcome;
  const name = tag === 'other' ? 'ended' : tag;
  return `${val === undefined ? name : `${name} ${val}`}: ${answer.output}`;
}

function calls() {
  const settings = config.parse({ word: '', most: 0 });
  log('info', `config: ${settings.word} ${settings.most}`);
  for (const level of ['debug', 'info', 'warn', 'error']) log(level, 'a\x1b[2J ☃\0');
  for (const text of ['', '\n', 'a\n☃\u2028\n\nb\n']) info(text);
  progress.report(0, '');
  progress.report(1000, EDGE);
  progress.report(2 ** 16 - 1, 'a\x1b[2J');
  log('info', `clock.now: ${clock.now()} ${clock.now()}`);
  clock.sleep(0);
  clock.sleep(MAX);
  artifacts();
  machines();
  commands();
  containers();
  requests();
  return { ...settings, none: null };
}

function artifacts() {
  told('artifact.put', () => artifact.put('', ''));
  told('artifact.put', () => artifact.put(EDGE, new Uint8Array(100_000).fill(255)));
  every('artifact.put', () => artifact.put('a'.repeat(300), BYTES));
  every('artifact.get', () => artifact.get(EDGE));
  for (let n = 0; n < 2; n++) log('info', `artifact.names: ${artifact.names().join(',')}`);
}

function machines() {
  const empty = { image: '' };
  const full = {
    provider: '',
    image: EDGE,
    instanceType: EDGE,
    cpus: 2 ** 16 - 1,
    memory: MAX,
    disk: 0,
    region: 'r',
    spot: true,
    network: false,
    lifetime: MAX,
  };
  told('vm.launch', () => vm.launch('', empty));
  every('vm.launch', () => vm.launch(EDGE, full));
  told('vm.launch-any', () => vm.launchAny('', []));
  every('vm.launch-any', () => vm.launchAny(EDGE, [empty, full]));
  told('vm.wait-ready', () => vm.waitReady([]));
  every('vm.wait-ready', () => vm.waitReady(NAMES));
  told('vm.upload', () => vm.upload('', bytes(new Uint8Array()), ''));
  told('vm.upload', () => vm.upload('m', text(`${EDGE}\0`), '/ü'));
  told('vm.upload', () => vm.upload('m', kept(''), EDGE));
  every('vm.upload', () => vm.upload(EDGE, bytes(BYTES), EDGE));
  every('vm.download', () => vm.download(EDGE, '', EDGE));
  every('vm.destroy', () => vm.destroy(EDGE));
}

function commands() {
  const full = { script: `${EDGE}\n`, environment: [['', ''], ['A', EDGE]], timeout: MAX };
  told('vm.start', () => vm.start('', ''));
  every('vm.start', () => vm.start(EDGE, full));
  told('vm.start-with-secrets', () => vm.startWithSecrets('', '', []));
  every('vm.start-with-secrets', () => vm.startWithSecrets(EDGE, full, ['', EDGE]));
  every('vm.wait', () => vm.wait(MAX));
  told('vm.wait-any', () => vm.waitAny([]));
  every('vm.wait-any', () => vm.waitAny(new Uint32Array(NUMBERS)));
}

function containers() {
  const full = {
    command: [],
    entrypoint: ['', EDGE],
    environment: [['A', EDGE]],
    secrets: ['', EDGE],
    files: [
      { path: '', content: bytes(BYTES) },
      { path: EDGE, content: text(EDGE) },
      { path: '/x', content: kept('') },
    ],
    user: '',
    workingDir: EDGE,
    memory: MAX,
    millicpus: 0,
    timeout: MAX,
  };
  told('container.start', () => container.start('', ''));
  every('container.start', () => container.start(EDGE, EDGE, full));
  every('container.wait', () => container.wait(MAX));
  told('container.wait-any', () => container.waitAny([]));
  every('container.wait-any', () => container.waitAny(NUMBERS));
  every('container.download', () => container.download(MAX, '', EDGE));
  every('container.remove', () => container.remove(MAX));
}

function requests() {
  for (const method of ['get', 'head', 'post', 'put', 'patch', 'delete']) {
    told('http.send', () => http.send({ method, url: '' }));
  }
  for (const body of [bytes(BYTES), text(`${EDGE}\0`), kept('')]) {
    told('http.send', () => http.send({ method: 'post', url: '', body }));
  }
  const secret = (prefix, name) => ({ tag: 'secret', val: { prefix, name } });
  const full = {
    method: 'patch',
    url: EDGE,
    headers: [['', text('')], ['Authorization', secret('Bearer ', EDGE)], [EDGE, secret('', '')]],
    body: text(''),
    timeout: MAX,
  };
  every('http.send', () => http.send(full));
  every('http.download', () => http.download(full, EDGE));
}
