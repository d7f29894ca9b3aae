import * as host from 'stead:host/backup@0.1.0';
import { throwing } from '../errors.js';

export const schedule = throwing(host.schedule);
