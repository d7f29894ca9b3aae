import * as host from 'stead:host/container@0.1.0';
import { Failure, throwing } from '../errors.js';

const failing = (call) => throwing(call, 'container');

const filled = ({ environment = [], secrets = [], files = [], ...rest }) => ({ ...rest, environment, secrets, files });

/** The options are a command, or a record. */
export const start = failing((project, service, options = {}) =>
  host.start(project, service, filled(Array.isArray(options) ? { command: options } : options)),
);
export const wait = failing(host.wait);
export const waitAny = failing(host.waitAny);
export const download = failing(host.download);
export const remove = failing(host.remove);

const ending = ({ tag, val }) =>
  ({ exited: `exit code ${val}`, 'out-of-memory': 'no memory left', 'timed-out': 'no time left' })[tag] ?? val;

/** Runs a command in a container of a service to its end; what it printed, when it succeeded. */
export function run(project, service, command) {
  const number = start(project, service, command);
  const { outcome, output } = wait(number);
  remove(number);
  if (outcome.tag !== 'exited' || outcome.val !== 0) {
    throw new Failure(`${project} ${service} ended with ${ending(outcome)}:\n${output}`);
  }
  return output;
}
