export * from '../types/stead-host-config.js';
/**
 * The settings, over these defaults. A key that has no default is an error: a typo of the operator. Keys are written with
 * `-` in `stead.toml`, and in camelCase here.
 */
export function parse<T extends object>(defaults: T): T;
