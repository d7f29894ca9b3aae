import { log } from 'stead:host/log@0.1.0';
import { Denied, Failure, Invalid, PolicyError, causes } from './errors.js';

export { Denied, Failure, Invalid, PolicyError };

/** Makes a function the policy: `export const configure = policy(() => { … })`. */
export function policy(declare) {
  return {
    configure() {
      try {
        declare();
      } catch (error) {
        if (error instanceof PolicyError) throw error.value;
        throw crashed(error);
      }
    },
  };
}

/** Makes a function the job: `export const run = job((input) => { … return output; })`. */
export function job(work) {
  return {
    run(input) {
      try {
        return JSON.stringify(work(JSON.parse(input)) ?? null);
      } catch (error) {
        if (error instanceof PolicyError || error instanceof Failure) {
          // A lost machine may have been taken back by its provider, which stead knows better.
          if (error.cause && error.cause !== 'vm-lost') causes.because?.(error.cause);
          throw { message: error.message, retry: error.retry === true };
        }
        throw crashed(error);
      }
    },
  };
}

/** Says what went wrong and where; the host then takes the policy for crashed. */
function crashed(error) {
  const lines = error instanceof Error ? [`${error.name}: ${error.message}`, ...places(error)] : [String(error)];
  lines.flatMap((line) => line.split('\n')).forEach((line) => log('error', line));
  return error;
}

/** Where it was, innermost first, without the SDK's own places. */
function places(error) {
  const lines = String(error.stack ?? '').split('\n');
  return lines.filter((line) => line.includes('.js:') && !line.includes('stead-guest') && !line.includes('.stead/')).map((line) => line.replace('(/', '('));
}
