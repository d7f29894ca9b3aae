/** @module Interface stead:host/package@0.1.0 **/
/**
 * The package is installed.
 */
export function install(name: string, options: Options): void;
/**
 * The package is not installed; its configuration files stay (`apt-get remove`).
 */
export function remove(name: string): void;
/**
 * The repository is known to apt. It is there before any package is installed.
 */
export function addRepository(repository: Repository): void;
export type Error = import('./stead-host-types.js').Error;
/**
 * What may be said of a package beyond its name.
 */
export interface Options {
  /**
   * The exact version, as in `apt-cache policy`; any version when absent.
   */
  version?: string,
  /**
   * Whether apt(8) must not upgrade it (`apt-mark hold`); unchanged when absent.
   */
  hold?: boolean,
  /**
   * Whether recommended packages come along (`APT::Install-Recommends`); `false` when absent.
   */
  recommends?: boolean,
}
/**
 * A repository in deb822 form; see sources.list(5).
 */
export interface Repository {
  /**
   * The name of the file under `/etc/apt/sources.list.d`, without `.sources`.
   */
  name: string,
  /**
   * `Types`; `deb` when empty.
   */
  types: Array<string>,
  /**
   * `URIs`, at least one.
   */
  uris: Array<string>,
  /**
   * `Suites`, at least one.
   */
  suites: Array<string>,
  /**
   * `Components`; empty when the suite is an exact path that ends in `/`.
   */
  components: Array<string>,
  /**
   * `Architectures`; all of the host's when empty.
   */
  architectures: Array<string>,
  /**
   * The key that signs it, ASCII-armoured, written to `Signed-By`; the system's keys when absent.
   */
  key?: string,
}
