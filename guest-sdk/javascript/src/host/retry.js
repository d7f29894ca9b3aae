import * as host from 'stead:host/retry@0.1.0';
import { Failure, causes, throwing } from '../errors.js';

export const because = throwing(host.because);
causes.because = because;

/** The failure of a job that another attempt can be expected to end better, for this cause: throw it. */
export const again = (cause, message) => new Failure(message, true, 'other', cause);
