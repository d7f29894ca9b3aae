/** @module Interface stead:host/facts@0.1.0 **/
/**
 * The name under which `stead.toml` knows this host; the hostname when it is in no table there.
 */
export function hostName(): string;
/**
 * The operating system.
 */
export function os(): OsRelease;
/**
 * The architecture as dpkg(1) names it: `amd64`, `arm64`.
 */
export function architecture(): string;
/**
 * The network interfaces that a device or the operator made, sorted by name: without `lo`, and
 * without those of containers and of stead itself.
 */
export function interfaces(): Array<NetworkInterface>;
/**
 * The operating system, from os-release(5).
 */
export interface OsRelease {
  /**
   * `ID`: `debian`, `ubuntu`, …
   */
  id: string,
  /**
   * `VERSION_ID`: `13`, `24.04`; empty when the system has none.
   */
  versionId: string,
  /**
   * `VERSION_CODENAME`: `trixie`, `noble`; empty when the system has none.
   */
  versionCodename: string,
}
/**
 * A network interface, from rtnetlink(7).
 */
export interface NetworkInterface {
  /**
   * Its name: `eth0`.
   */
  name: string,
  /**
   * Its addresses with prefix length, IPv4 first, each family sorted: `192.0.2.7/24`.
   */
  addresses: Array<string>,
  /**
   * Whether a default route leaves by it.
   */
  defaultRoute: boolean,
}
