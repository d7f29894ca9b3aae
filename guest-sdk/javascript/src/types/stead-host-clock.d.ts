/** @module Interface stead:host/clock@0.1.0 **/
/**
 * Now, in RFC 3339 and UTC: `2026-11-26T12:00:00Z`.
 */
export function now(): string;
/**
 * Waits. What has passed before a restart of stead counts.
 */
export function sleep(seconds: number): void;
