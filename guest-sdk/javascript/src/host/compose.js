import * as host from 'stead:host/compose@0.1.0';
import { throwing } from '../errors.js';

export const up = throwing((name, { environment = [], secrets = [], scale = [], ...rest } = {}) =>
  host.up(name, { environment, secrets, scale, ...rest }),
);
