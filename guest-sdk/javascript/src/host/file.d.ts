import type { Attributes, Part } from '../types/stead-host-file.js';
export * from '../types/stead-host-file.js';

/** The file has this content: a text, bytes, or a list of parts. */
export function write(path: string, content: string | Uint8Array | Part[], attributes?: Attributes, validate?: string[]): void;
/** The directory is there. */
export function directory(path: string, attributes?: Attributes): void;
