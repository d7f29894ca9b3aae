import * as host from 'stead:host/vm@0.1.0';
import { throwing } from '../errors.js';

const filled = (command) => {
  const { script, environment = [], timeout } = typeof command === 'string' ? { script: command } : command;
  return { script, environment, timeout };
};

export const launch = throwing(host.launch);
export const launchAny = throwing(host.launchAny);
export const waitReady = throwing(host.waitReady);
/** The command is a script, or a record with its environment and its time. */
export const start = throwing((machine, command) => host.start(machine, filled(command)));
/** The same with secrets that the grant names. */
export const startWithSecrets = throwing((machine, command, secrets) =>
  host.startWithSecrets(machine, filled(command), secrets),
);
export const wait = throwing(host.wait);
export const waitAny = throwing(host.waitAny);
export const upload = throwing(host.upload);
export const download = throwing(host.download);
export const destroy = throwing(host.destroy);
