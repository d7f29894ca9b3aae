import type { Options } from '../types/stead-host-compose.js';
export * from '../types/stead-host-compose.js';

/** The project is up. */
export function up(name: string, options?: Partial<Options>): void;
