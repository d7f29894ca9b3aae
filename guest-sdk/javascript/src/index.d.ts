import type { Denial, InvalidArgument } from './types/stead-host-types.js';

/** The policy cannot go on. Throw one in words; `Denied` and `Invalid` are those that the host throws. */
export class PolicyError extends Error {}
/** The operator has not granted what was asked for. */
export class Denied extends PolicyError implements Denial {
  readonly capability: string;
  readonly asked: string;
  readonly grant: string;
}
/** An argument is not what the field's manual allows. */
export class Invalid extends PolicyError implements InvalidArgument {
  readonly argument: string;
  readonly reason: string;
}
/** Why a job ended without a result. */
export class Failure extends Error {
  constructor(message: string, retry?: boolean);
  /** Whether another attempt can be expected to do better. */
  readonly retry: boolean;
  /** The name that the contract has for a failure of the host: `lost`, `no-capacity`, `too-large`, `unreachable`, else `other`. */
  readonly tag: string;
}

/** Makes a function the policy: `export const configure = policy(() => { … })`. */
export function policy(declare: () => void): { configure(): void };
/** Makes a function the job: `export const run = job((input) => { … return output; })`. */
export function job<I = any, O = unknown>(work: (input: I) => O): { run(input: string): string };
