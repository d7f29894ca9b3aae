import { Failure } from '../errors.js';
import { start, wait } from './vm.js';

const ending = ({ tag, val }) =>
  ({ exited: `exit status ${val}`, killed: `signal ${val}`, 'out-of-memory': 'no memory left' })[tag] ?? 'no time left';

/** Runs a script on a machine to its end; what it printed, when it succeeded. */
export function on(machine, script) {
  const { outcome, output } = wait(start(machine, script));
  if (outcome.tag !== 'exited' || outcome.val !== 0) {
    throw new Failure(`a command on ${machine} ended with ${ending(outcome)}:\n${output}`);
  }
  return output;
}
