/** @module Interface stead:host/retry@0.1.0 **/
/**
 * Gives the cause of the failure that `run` answers next with `retry`. Without it, the cause is what last went wrong with
 * a machine, or `temporary`.
 */
export function because(cause: Cause): void;
/**
 * The cause: a service that the job needs does not work now; a machine of the job is gone; no provider has room now; a
 * provider took a machine back.
 */
export type Cause = 'temporary' | 'vm-lost' | 'no-capacity' | 'preempted';
