/** @module Interface stead:host/sysctl@0.1.0 **/
/**
 * The parameter has this value, now and after a boot. `key` is dotted: `net.ipv4.ip_forward`.
 */
export function set(key: string, value: string): void;
export type Error = import('./stead-host-types.js').Error;
