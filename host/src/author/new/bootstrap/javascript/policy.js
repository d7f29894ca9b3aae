// The packages of `[policy.NAME.config]` are installed.

import { policy } from 'stead-guest';
import * as config from 'stead-guest/config';
import { info } from 'stead-guest/log';
import * as packages from 'stead-guest/package';

export const configure = policy(() => {
  const settings = config.parse({ packages: [] });
  for (const name of settings.packages) packages.install(name);
  info(`${settings.packages.length} packages`);
});
