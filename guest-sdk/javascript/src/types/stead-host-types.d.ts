/** @module Interface stead:host/types@0.1.0 **/
/**
 * What was denied, and how the operator would allow it.
 */
export interface Denial {
  /**
   * The capability, as in the grant table: `file`, `firewall`, …
   */
  capability: string,
  /**
   * What was asked for, in the words of the capability.
   */
  asked: string,
  /**
   * The TOML that would allow it, ready to be pasted into `stead.toml`.
   */
  grant: string,
}
/**
 * Which argument is wrong, and what it should be.
 */
export interface InvalidArgument {
  /**
   * The name of the argument or record field, as in this WIT.
   */
  argument: string,
  /**
   * What is wrong with it.
   */
  reason: string,
}
/**
 * Why a call was not staged. Nothing has changed on the machine in any of these cases, and the
 * policy may catch the error and go on.
 */
export type Error = ErrorDenied | ErrorInvalid | ErrorOther;
/**
 * The operator's `stead.toml` does not grant this.
 */
export interface ErrorDenied {
  tag: 'denied',
  val: Denial,
}
/**
 * An argument is not what the field's manual allows.
 */
export interface ErrorInvalid {
  tag: 'invalid',
  val: InvalidArgument,
}
/**
 * A case that a later version of the host may know. Its text is for people.
 */
export interface ErrorOther {
  tag: 'other',
  val: string,
}
