import * as host from 'stead:host/package@0.1.0';
import { throwing } from '../errors.js';

export const install = throwing((name, options = {}) => host.install(name, options));
export const remove = throwing(host.remove);
export const addRepository = throwing(({ types = [], components = [], architectures = [], ...rest }) =>
  host.addRepository({ types, components, architectures, ...rest }),
);
