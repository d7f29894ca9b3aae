import type { Options } from '../types/stead-host-container.js';
export * from '../types/stead-host-container.js';

/**
 * Starts a container of a service of the app in `apps/PROJECT`, and answers its number. The options are a command, or what the
 * container is to be.
 */
export function start(project: string, service: string, options?: Array<string> | Partial<Options>): number;
/** Waits until one of these containers has ended, and answers its number; the first of the list when several have. */
export function waitAny(containers: Array<number> | Uint32Array): number;
/** Runs a command in a container of a service to its end; what it printed, when it succeeded. */
export function run(project: string, service: string, command: Array<string>): string;
