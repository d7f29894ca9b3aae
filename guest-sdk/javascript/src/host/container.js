import * as host from 'stead:host/container@0.1.0';
import { throwing } from '../errors.js';

const filled = ({ environment = [], secrets = [], files = [], ...rest }) => ({ ...rest, environment, secrets, files });

/** The options are a command, or a record. */
export const start = throwing((project, service, options = {}) =>
  host.start(project, service, filled(Array.isArray(options) ? { command: options } : options)),
);
export const wait = throwing(host.wait);
export const waitAny = throwing(host.waitAny);
export const download = throwing(host.download);
export const remove = throwing(host.remove);
