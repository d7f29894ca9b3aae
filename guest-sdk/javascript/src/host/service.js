import * as host from 'stead:host/service@0.1.0';
import { throwing } from '../errors.js';

export const unit = throwing((name, { dependsOn = [], onChange = 'restart', ...rest }) =>
  host.unit(name, { dependsOn, onChange, ...rest }),
);
export const unitFile = throwing(host.unitFile);
export const dropIn = throwing(host.dropIn);
