/** @module Interface stead:host/configure@0.1.0 **/
/**
 * Declares what the host should be. It is called once per plan, in a fresh instance, and can
 * only stage: when it returns an error, or traps, nothing of what it staged is used.
 */
export function configure(): void;
export type Error = import('./stead-host-types.js').Error;
