import * as host from 'stead:host/artifact@0.1.0';
import { throwing } from '../errors.js';

// Bytes of UTF-8: QuickJS has no TextEncoder.
const utf8 = (text) => {
  const bytes = encodeURIComponent(text).replace(/%(..)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
};

/** The content is bytes, or a text. */
export const put = throwing((name, content) => host.put(name, typeof content === 'string' ? utf8(content) : content));
export const get = throwing(host.get);
export const names = throwing(host.names);
