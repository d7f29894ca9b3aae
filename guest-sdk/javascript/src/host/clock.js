import * as host from 'stead:host/clock@0.1.0';
import { throwing } from '../errors.js';

export const now = throwing(host.now);
export const sleep = throwing(host.sleep);
