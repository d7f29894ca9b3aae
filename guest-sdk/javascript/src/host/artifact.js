import * as host from 'stead:host/artifact@0.1.0';
import { throwing } from '../errors.js';

export const put = throwing(host.put);
export const get = throwing(host.get);
export const names = throwing(host.names);
