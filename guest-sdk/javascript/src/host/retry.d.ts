import type { Failure } from '../index.js';
import type { Cause } from '../types/stead-host-retry.js';
export * from '../types/stead-host-retry.js';

/** The failure of a job that another attempt can be expected to end better, for this cause: throw it. */
export function again(cause: Cause, message: string): Failure;
