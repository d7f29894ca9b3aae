import type { Command } from '../types/stead-host-vm.js';
export * from '../types/stead-host-vm.js';

type Given = string | (Pick<Command, 'script'> & Partial<Command>);

/** Starts a command on a machine that is ready, and answers its number. A text is its script. */
export function start(machine: string, command: Given): number;
/** The same with secrets that the grant `vm` names: each is a file of its name in `$CREDENTIALS_DIRECTORY`. */
export function startWithSecrets(machine: string, command: Given, secrets: Array<string>): number;
/** Waits until one of these commands has ended, and answers its number; the first of the list when several have. */
export function waitAny(commands: Array<number> | Uint32Array): number;
