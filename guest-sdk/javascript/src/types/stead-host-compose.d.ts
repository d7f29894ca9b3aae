/** @module Interface stead:host/compose@0.1.0 **/
/**
 * The project is up: every service runs, and is healthy where it has a health check.
 * `name` is the name of the project, and `apps/NAME` the folder in the repo with its compose file.
 */
export function up(name: string, options: Options): void;
export type Error = import('./stead-host-types.js').Error;
/**
 * What may be said of a project beyond its files.
 */
export interface Options {
  /**
   * Variables for interpolation, over those of the project's `.env` file.
   */
  environment: Array<[string, string]>,
  /**
   * Variables whose value is a secret of the repo: the name of the variable, the name of the secret.
   */
  secrets: Array<[string, string]>,
  /**
   * How long containers may take to become healthy, in seconds; 60 when absent.
   */
  healthTimeout?: number,
  /**
   * How many containers services have, as `docker compose up --scale` takes it: over `scale` and
   * `deploy.replicas` in the files.
   */
  scale: Array<[string, number]>,
}
