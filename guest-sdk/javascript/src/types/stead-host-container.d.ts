/** @module Interface stead:host/container@0.1.0 **/
/**
 * Starts a container of a service of the app in `apps/PROJECT`, and answers its number. Its image is pulled or built where it
 * is missing; the networks and volumes of the service are made where they are. What the service depends on has to run.
 * Each line that it writes goes to the log.
 */
export function start(project: string, service: string, options: Options): number;
/**
 * Waits until the container has ended.
 */
export function wait(container: number): Ended;
/**
 * Waits until one of these containers has ended, and answers its number; the first of the list when several have.
 */
export function waitAny(containers: Array<number>): number;
/**
 * Copies a file out of a container that runs or has ended, and keeps it as an artifact of this name.
 */
export function download(container: number, path: string, artifact: string): void;
/**
 * The container is gone, and was stopped before if it still ran. Those that are left when the job ends go as well.
 */
export function remove(container: number): void;
export type Error = import('./stead-host-types.js').Error;
/**
 * Why a call did not do what it was asked for.
 */
export type Failure = FailureRefused | FailureLost | FailureTooLarge | FailureOther;
/**
 * It was denied, or an argument is wrong: nothing was done.
 */
export interface FailureRefused {
  tag: 'refused',
  val: Error,
}
/**
 * The container is gone: somebody else has removed it, or the server it was on has the job no longer.
 */
export interface FailureLost {
  tag: 'lost',
  val: string,
}
/**
 * What was to be copied, or what it writes, has more bytes than it may.
 */
export interface FailureTooLarge {
  tag: 'too-large',
  val: string,
}
/**
 * A case that a later version of the host may know. Its text is for people.
 */
export interface FailureOther {
  tag: 'other',
  val: string,
}
/**
 * What is put into a file.
 */
export type Content = ContentBytes | ContentText | ContentArtifact;
/**
 * Bytes.
 */
export interface ContentBytes {
  tag: 'bytes',
  val: Uint8Array,
}
/**
 * UTF-8 text.
 */
export interface ContentText {
  tag: 'text',
  val: string,
}
/**
 * The artifact of this name.
 */
export interface ContentArtifact {
  tag: 'artifact',
  val: string,
}
/**
 * A file that is there when the command begins.
 */
export interface File {
  /**
   * Absolute; its folders are made. Everybody in the container may read it.
   */
  path: string,
  /**
   * What is in it.
   */
  content: Content,
}
/**
 * What the container is to be. What is absent is as the compose file says it for the service.
 */
export interface Options {
  /**
   * In place of the service's `command`.
   */
  command?: Array<string>,
  /**
   * In place of the service's `entrypoint`; the service's command goes with it.
   */
  entrypoint?: Array<string>,
  /**
   * Environment variables, by name, over those of the service.
   */
  environment: Array<[string, string]>,
  /**
   * Secrets that the grant `container` names. Each is a file of its name in `/run/secrets`. What the container writes is
   * logged and answered with `***` in their place.
   */
  secrets: Array<string>,
  /**
   * Files that are put into it before it starts.
   */
  files: Array<File>,
  /**
   * The user, as `user` of a service.
   */
  user?: string,
  /**
   * The working directory.
   */
  workingDir?: string,
  /**
   * The most memory in MiB; what the grant allows when absent, or what the service says when that is less.
   */
  memory?: number,
  /**
   * The most processor time, in thousandths of a processor; what the grant allows when absent, or what the service says
   * when that is less.
   */
  millicpus?: number,
  /**
   * It is stopped when it takes longer, in seconds; what the grant allows when absent.
   */
  timeout?: number,
}
/**
 * How a container ended.
 */
export type Outcome = OutcomeExited | OutcomeOutOfMemory | OutcomeTimedOut | OutcomeOther;
/**
 * With this exit code; 128 and the number of a signal that ended it.
 */
export interface OutcomeExited {
  tag: 'exited',
  val: number,
}
/**
 * The kernel had no memory for it.
 */
export interface OutcomeOutOfMemory {
  tag: 'out-of-memory',
}
/**
 * It took longer than it may.
 */
export interface OutcomeTimedOut {
  tag: 'timed-out',
}
/**
 * A case that a later version of the host may know. Its text is for people.
 */
export interface OutcomeOther {
  tag: 'other',
  val: string,
}
/**
 * A container that has ended.
 */
export interface Ended {
  /**
   * How.
   */
  outcome: Outcome,
  /**
   * The last 64 KiB of what it wrote, standard output and error together. All of it is in the job's log.
   */
  output: string,
}
