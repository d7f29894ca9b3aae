import type { State } from '../types/stead-host-service.js';
export * from '../types/stead-host-service.js';

/** The unit is in this state. */
export function unit(name: string, state: Partial<State>): void;
