/** @module Interface stead:host/run@0.1.0 **/
/**
 * Runs the job once. `input` and the result are JSON documents (RFC 8259).
 */
export function run(input: string): string;
/**
 * Why a job ended without a result.
 */
export interface Failure {
  /**
   * What went wrong, for people.
   */
  message: string,
  /**
   * Whether another attempt can be expected to do better.
   */
  retry: boolean,
}
