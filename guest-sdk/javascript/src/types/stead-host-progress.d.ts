/** @module Interface stead:host/progress@0.1.0 **/
/**
 * `permille` is 0 to 1000; more counts as 1000.
 */
export function report(permille: number, message: string): void;
