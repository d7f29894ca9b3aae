/** @module Interface stead:host/log@0.1.0 **/
/**
 * Writes one line. Control characters are shown escaped; a line longer than 8 KiB is cut.
 */
export function log(level: Level, message: string): void;
/**
 * How much a line matters.
 * # Variants
 * 
 * ## `"debug"`
 * 
 * ## `"info"`
 * 
 * ## `"warn"`
 * 
 * ## `"error"`
 */
export type Level = 'debug' | 'info' | 'warn' | 'error';
