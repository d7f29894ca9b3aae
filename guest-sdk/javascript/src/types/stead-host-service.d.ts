/** @module Interface stead:host/service@0.1.0 **/
/**
 * The unit is in this state. The unit may come from a package that is declared as well. `name` is neither a
 * template (`getty@.service`) nor an alias (`sshd.service`). Several policies may speak of one unit as long as they
 * do not contradict each other. Units are started in the order of these calls.
 */
export function unit(name: string, state: State): void;
/**
 * `/etc/systemd/system/NAME` has this content, which has at least one section. `name` may be a template.
 */
export function unitFile(name: string, content: string): void;
/**
 * `/etc/systemd/system/UNIT.d/NAME.conf` has this content, which has at least one section. A unit that runs is
 * restarted or reloaded by what `unit` says of it; without that, the content takes hold at its next start.
 */
export function dropIn(unit: string, name: string, content: string): void;
export type Error = import('./stead-host-types.js').Error;
/**
 * What to do with a running unit when something that it depends on has changed in this apply.
 * # Variants
 * 
 * ## `"restart"`
 * 
 * `systemctl restart`.
 * ## `"reload"`
 * 
 * `systemctl reload-or-restart`.
 */
export type OnChange = 'restart' | 'reload';
/**
 * What may be said of a unit. Absent fields are left as they are.
 */
export interface State {
  /**
   * Whether it starts at boot. A unit without an `[Install]` section cannot be enabled.
   */
  enabled?: boolean,
  /**
   * Whether it runs now: a timer or socket waits, a service has its process. A service of `Type=oneshot` without
   * `RemainAfterExit=` is over as soon as it is done, so say nothing here and enable its timer.
   */
  running?: boolean,
  /**
   * Whether it is masked, so that nothing can start it. Not for a unit whose unit file is declared.
   */
  masked?: boolean,
  /**
   * What the unit depends on, as `CAPABILITY:RESOURCE`: `file:/etc/ssh/sshd_config.d/10-stead.conf`.
   */
  dependsOn: Array<string>,
  /**
   * What to do when one of these, or a unit file or drop-in of this unit, has changed.
   */
  onChange: OnChange,
}
