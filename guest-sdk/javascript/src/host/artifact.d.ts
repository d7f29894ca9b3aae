export * from '../types/stead-host-artifact.js';

/** Keeps a file of bytes or a text; one of this name is replaced. */
export function put(name: string, content: Uint8Array | string): void;
