/** @module Interface stead:host/artifact@0.1.0 **/
/**
 * Keeps a file; one of this name is replaced.
 */
export function put(name: string, content: Uint8Array): void;
/**
 * The content of an artifact of at most 512 KiB; a larger one goes to a machine by its name.
 */
export function get(name: string): Uint8Array;
/**
 * The names of all artifacts, sorted.
 */
export function names(): Array<string>;
export type Error = import('./stead-host-types.js').Error;
