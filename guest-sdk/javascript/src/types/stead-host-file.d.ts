/** @module Interface stead:host/file@0.1.0 **/
/**
 * The regular file at `path` has exactly the parts, concatenated, as its content. It is replaced
 * atomically: no reader sees half of it.
 * 
 * `validate` is a program with its arguments, run on the new content before it takes the place
 * of the old one; the argument `{}` stands for the path of that content: `["sshd", "-t", "-f", "{}"]`.
 * When the program fails, the file stays as it was. An empty list means no validation; any other has a `{}`. The
 * program runs as root, sees the content under the file's own name in another directory, and has 60 seconds.
 * 
 * Other hard links of an old file keep the old content; extended attributes and access control lists are not kept.
 */
export function write(path: string, content: Array<Part>, attributes: Attributes, validate: Array<string>): void;
/**
 * The directory is there. Its parents must be there or be declared as well; what is in it is not touched. When it
 * is no longer declared and others have put something into it, it stays.
 */
export function directory(path: string, attributes: Attributes): void;
/**
 * A symbolic link at `path` points to `target`, which need not exist.
 */
export function symlink(path: string, target: string): void;
/**
 * Nothing is at `path`. A directory is removed only when it is empty.
 */
export function absent(path: string): void;
export type Error = import('./stead-host-types.js').Error;
/**
 * A piece of a file's content.
 */
export type Part = PartText | PartBytes | PartSecret;
/**
 * UTF-8 text.
 */
export interface PartText {
  tag: 'text',
  val: string,
}
/**
 * Any bytes.
 */
export interface PartBytes {
  tag: 'bytes',
  val: Uint8Array,
}
/**
 * The value of a secret of the repo, by name. The policy never sees the value: the host puts
 * it in place when it writes the file. No plan shows the content of a path that ever held a secret.
 */
export interface PartSecret {
  tag: 'secret',
  val: string,
}
/**
 * Permission bits and ownership. Numeric ids are not accepted: names survive a reinstall.
 */
export interface Attributes {
  /**
   * The permission bits as in chmod(1), `0` to `0o7777`. When absent: `0o644` for a file,
   * `0o600` for one with a secret part, `0o755` for a directory.
   */
  mode?: number,
  /**
   * The owner's name in passwd(5), which may be declared as well; `root` when absent.
   */
  owner?: string,
  /**
   * The group's name; `root` when absent.
   */
  group?: string,
}
