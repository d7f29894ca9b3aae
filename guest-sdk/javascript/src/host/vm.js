import * as host from 'stead:host/vm@0.1.0';
import { throwing } from '../errors.js';

const failing = (call) => throwing(call, 'vm');

const filled = (command) => {
  const { script, environment = [], timeout } = typeof command === 'string' ? { script: command } : command;
  return { script, environment, timeout };
};

export const launch = failing(host.launch);
export const launchAny = failing(host.launchAny);
export const waitReady = failing(host.waitReady);
/** The command is a script, or a record with its environment and its time. */
export const start = failing((machine, command) => host.start(machine, filled(command)));
/** The same with secrets that the grant names. */
export const startWithSecrets = failing((machine, command, secrets) =>
  host.startWithSecrets(machine, filled(command), secrets),
);
export const wait = failing(host.wait);
export const waitAny = failing(host.waitAny);
export const upload = failing(host.upload);
export const download = failing(host.download);
export const destroy = failing(host.destroy);
