/** Runs a script on a machine to its end; what it printed, when it succeeded. */
export function on(machine: string, script: string): string;
