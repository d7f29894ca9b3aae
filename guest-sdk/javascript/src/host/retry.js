import * as host from 'stead:host/retry@0.1.0';
import { throwing } from '../errors.js';

export const because = throwing(host.because);
