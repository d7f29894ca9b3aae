import type { Options } from '../types/stead-host-container.js';
export * from '../types/stead-host-container.js';

/**
 * Starts a container of a service of the app in `apps/PROJECT`, and answers its number. The options are a command, or what the
 * container is to be.
 */
export function start(project: string, service: string, options?: Array<string> | Partial<Options>): number;
