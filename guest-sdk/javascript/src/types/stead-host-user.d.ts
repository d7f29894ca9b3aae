/** @module Interface stead:host/user@0.1.0 **/
/**
 * The user is there. A new user has no password, so it cannot log in by one, but by a key.
 */
export function present(account: Account): void;
/**
 * The group is there, with this numeric id when one is given.
 */
export function group(name: string, gid: number | undefined): void;
/**
 * The user is not there; its home directory stays.
 */
export function absent(name: string): void;
export type Error = import('./stead-host-types.js').Error;
/**
 * A rule of sudoers(5), in a file of its own under `/etc/sudoers.d`.
 * # Variants
 * 
 * ## `"all"`
 * 
 * Everything, after giving the password.
 * ## `"all-nopasswd"`
 * 
 * Everything, without a password.
 */
export type Sudo = 'all' | 'all-nopasswd';
/**
 * A user. Absent fields are left as they are on an existing user. Several policies may declare one user, as long
 * as none gives a field another value; its groups are those of all of them.
 */
export interface Account {
  /**
   * The login name: 1 to 32 lower-case letters, digits, `_` and `-`, beginning with a letter or `_`.
   */
  name: string,
  /**
   * The numeric id; the next free one when absent, or that of a home directory which nobody owns any more.
   */
  uid?: number,
  /**
   * The login shell; `/bin/bash` for a new user, `/usr/sbin/nologin` for a new system user.
   */
  shell?: string,
  /**
   * The home directory; `/home/NAME` for a new user.
   */
  home?: string,
  /**
   * The comment (GECOS) field.
   */
  comment?: string,
  /**
   * Whether it is a system user: an id below 1000, no home directory made.
   */
  system: boolean,
  /**
   * Supplementary groups that the user is in. It leaves those that an earlier revision put it in and this one
   * does not name; groups that somebody else put it in stay.
   */
  groups: Array<string>,
  /**
   * The whole of `~/.ssh/authorized_keys`, one entry of sshd(8) each; unchanged when absent.
   */
  authorizedKeys?: Array<string>,
  /**
   * What the user may do by sudo(8); no rule of stead's when absent.
   */
  sudo?: Sudo,
}
