import * as host from 'stead:host/file@0.1.0';
import { throwing } from '../errors.js';

const parts = (content) =>
  typeof content === 'string' ? [{ tag: 'text', val: content }]
  : content instanceof Uint8Array ? [{ tag: 'bytes', val: content }]
  : content;

/** The content is a text, bytes, or a list of parts. */
export const write = throwing((path, content, attributes = {}, validate = []) =>
  host.write(path, parts(content), attributes, validate),
);
export const directory = throwing((path, attributes = {}) => host.directory(path, attributes));
export const symlink = throwing(host.symlink);
export const absent = throwing(host.absent);
