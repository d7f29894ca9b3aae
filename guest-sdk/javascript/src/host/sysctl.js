import * as host from 'stead:host/sysctl@0.1.0';
import { throwing } from '../errors.js';

export const set = throwing(host.set);
