import { get } from 'stead:host/config@0.1.0';
import { PolicyError } from '../errors.js';

export { get };

/**
 * The settings, over these defaults. A key that has no default is an error: a typo of the operator. Keys are written with
 * `-` in stead.toml, and in camelCase here.
 */
export function parse(defaults) {
  const settings = { ...defaults };
  for (const [key, value] of Object.entries(JSON.parse(get()))) {
    const name = key.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    if (!Object.hasOwn(defaults, name)) throw new PolicyError(`config.${key}: unknown key`);
    settings[name] = value;
  }
  return settings;
}
