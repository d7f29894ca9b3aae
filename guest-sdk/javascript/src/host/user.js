import * as host from 'stead:host/user@0.1.0';
import { throwing } from '../errors.js';

export const present = throwing(({ system = false, groups = [], ...rest }) => host.present({ system, groups, ...rest }));
export const group = throwing((name, gid) => host.group(name, gid));
export const absent = throwing(host.absent);
