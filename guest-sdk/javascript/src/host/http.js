import * as host from 'stead:host/http@0.1.0';
import { throwing } from '../errors.js';

const failing = (call) => throwing(call, 'http');

const filled = ({ method = 'get', url, headers = [], body, timeout }) => ({ method, url, headers, body, timeout });

/** The request is a URL, or a record with its method, headers, body and time. */
const request = (given) => filled(typeof given === 'string' ? { url: given } : given);

export const send = failing((given) => host.send(request(given)));
export const download = failing((given, artifact) => host.download(request(given), artifact));
