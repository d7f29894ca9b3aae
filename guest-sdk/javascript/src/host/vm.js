import * as host from 'stead:host/vm@0.1.0';
import { throwing } from '../errors.js';

export const launch = throwing(host.launch);
export const waitReady = throwing(host.waitReady);
/** The command is a script, or a record with its environment and its time. */
export const start = throwing((machine, command) => {
  const { script, environment = [], timeout } = typeof command === 'string' ? { script: command } : command;
  return host.start(machine, { script, environment, timeout });
});
export const wait = throwing(host.wait);
export const waitAny = throwing(host.waitAny);
export const upload = throwing(host.upload);
export const download = throwing(host.download);
export const destroy = throwing(host.destroy);
