export * from '../types/stead-host-log.js';
/** Tells the operator something by the way. */
export function info(message: string): void;
/** Tells the operator something that may be wrong. */
export function warn(message: string): void;
