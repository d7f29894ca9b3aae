import { log } from 'stead:host/log@0.1.0';

export { log };

const lines = (level, message) => String(message).replace(/\n$/, '').split('\n').forEach((line) => log(level, line));

/** Tells the operator something by the way. */
export const info = (message) => lines('info', message);
/** Tells the operator something that may be wrong. */
export const warn = (message) => lines('warn', message);
