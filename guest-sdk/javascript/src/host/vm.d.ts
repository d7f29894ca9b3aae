import type { Command } from '../types/stead-host-vm.js';
export * from '../types/stead-host-vm.js';

/** Starts a command on a machine that is ready, and answers its number. A text is its script. */
export function start(machine: string, command: string | (Pick<Command, 'script'> & Partial<Command>)): number;
