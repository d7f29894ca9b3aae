/** @module Interface stead:host/backup@0.1.0 **/
/**
 * Each `[backup.NAME]` whose `hosts` name this host is made here at its times, and can be made and restored by
 * `stead backup run` and `stead restore`. The answer is their names, sorted; none is no error. What is no longer declared
 * is no longer made; the repository keeps what is in it.
 */
export function schedule(): Array<string>;
export type Error = import('./stead-host-types.js').Error;
