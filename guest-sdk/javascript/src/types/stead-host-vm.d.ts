/** @module Interface stead:host/vm@0.1.0 **/
/**
 * A machine of this name is being made. Its name is 1 to 20 letters `a-z` and digits, and new in this job. It
 * boots while the policy goes on.
 */
export function launch(name: string, request: Request): void;
/**
 * The same with several requests that would all do, at one provider: the next one is tried when there is no room for one
 * before it. Answers the index of the one that was served.
 */
export function launchAny(name: string, requests: Array<Request>): number;
/**
 * Waits until all of these machines let stead in. The others wait meanwhile, too, so the order is of no matter.
 */
export function waitReady(machines: Array<string>): void;
/**
 * Starts a command on a machine that is ready, and answers its number. Each line that it writes goes to the log.
 */
export function start(machine: string, command: Command): number;
/**
 * The same with secrets that the grant `vm` names. Each is a file of its name in `$CREDENTIALS_DIRECTORY`, for this command
 * alone and in memory alone (systemd.exec(5)). What the command writes is logged and answered with `***` in their place.
 */
export function startWithSecrets(machine: string, command: Command, secrets: Array<string>): number;
/**
 * Waits until the command has ended.
 */
export function wait(command: number): Ended;
/**
 * Waits until one of these commands has ended, and answers its number; the first of the list when several have.
 */
export function waitAny(commands: Uint32Array): number;
/**
 * Copies a file to an absolute path of the machine; its folders are made.
 */
export function upload(machine: string, content: Content, path: string): void;
/**
 * Copies a file of the machine, and keeps it as an artifact of this name.
 */
export function download(machine: string, path: string, artifact: string): void;
/**
 * The machine is gone. Those that are left when the job ends go as well.
 */
export function destroy(machine: string): void;
export type Error = import('./stead-host-types.js').Error;
/**
 * Why a call did not do what it was asked for.
 */
export type Failure = FailureRefused | FailureNoCapacity | FailureLost | FailureTooLarge | FailureOther;
/**
 * It was denied, or an argument is wrong: nothing was done.
 */
export interface FailureRefused {
  tag: 'refused',
  val: Error,
}
/**
 * No provider has room for the machine now, in any granted region. Another attempt may find some.
 */
export interface FailureNoCapacity {
  tag: 'no-capacity',
  val: string,
}
/**
 * The machine is gone: preempted, crashed, or at the end of its life.
 */
export interface FailureLost {
  tag: 'lost',
  val: string,
}
/**
 * What was to be copied has more bytes than it may.
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
 * What a machine is to be. What is absent is the provider's default.
 */
export interface Request {
  /**
   * The provider, as in `[provider.NAME]` of `stead.toml`; the only one that is granted when absent.
   */
  provider?: string,
  /**
   * The image, as the provider names it; for `qemu` its digest, `sha256:…`.
   */
  image: string,
  /**
   * As the provider names its instance types: `c7g.xlarge`. Not together with the three below.
   */
  instanceType?: string,
  /**
   * Virtual processors, where the provider cuts machines to measure.
   */
  cpus?: number,
  /**
   * Memory in MiB.
   */
  memory?: number,
  /**
   * The disk in GiB.
   */
  disk?: number,
  /**
   * A region or zone, as the provider names it.
   */
  region?: string,
  /**
   * Whether it may be a cheaper machine that the provider takes back at any time; `false` when absent.
   */
  spot?: boolean,
  /**
   * Whether it reaches a network; `true` when absent. SSH from stead is all that reaches it.
   */
  network?: boolean,
  /**
   * After so many seconds it ends in any case; one hour when absent.
   */
  lifetime?: number,
}
/**
 * A command for sh(1), run as root in a transient unit of the machine's systemd.
 */
export interface Command {
  /**
   * The script.
   */
  script: string,
  /**
   * Environment variables, by name.
   */
  environment: Array<[string, string]>,
  /**
   * It is stopped when it takes longer, in seconds; without a limit of its own when absent.
   */
  timeout?: number,
}
/**
 * How a command ended.
 */
export type Outcome = OutcomeExited | OutcomeKilled | OutcomeOutOfMemory | OutcomeTimedOut;
/**
 * With this exit status.
 */
export interface OutcomeExited {
  tag: 'exited',
  val: number,
}
/**
 * By a signal, named without `SIG`.
 */
export interface OutcomeKilled {
  tag: 'killed',
  val: string,
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
 * A command that has ended.
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
