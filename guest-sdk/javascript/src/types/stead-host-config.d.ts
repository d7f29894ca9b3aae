/** @module Interface stead:host/config@0.1.0 **/
/**
 * `[policy.NAME.config]` of `stead.toml` as a JSON object (RFC 8259), with `[host.HOST.config.NAME]`
 * merged over it, table by table. `{}` when there is neither.
 */
export function get(): string;
