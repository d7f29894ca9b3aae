/** @module Interface stead:host/http@0.1.0 **/
/**
 * Sends a request. When stead is restarted meanwhile, it may be sent twice.
 */
export function send(request: Request): Response;
/**
 * Sends a request and keeps the body of a response with a status of 200 to 299 as an artifact of this name, up to what
 * the grant says. The body of any other response is answered instead.
 */
export function download(request: Request, artifact: string): Response;
export type Error = import('./stead-host-types.js').Error;
/**
 * Why there is no response.
 */
export type Failure = FailureRefused | FailureUnreachable | FailureTooLarge | FailureOther;
/**
 * It was denied, or an argument is wrong: nothing was sent.
 */
export interface FailureRefused {
  tag: 'refused',
  val: Error,
}
/**
 * There was no connection, or no complete response in time. The server may have done what it was asked for.
 */
export interface FailureUnreachable {
  tag: 'unreachable',
  val: string,
}
/**
 * The response has more bytes than it may.
 */
export interface FailureTooLarge {
  tag: 'too-large',
  val: string,
}
/**
 * A case that a later version of the host may know. Its text is for people.
 */
export interface FailureOther {
  tag: 'other',
  val: string,
}
/**
 * What is done (RFC 9110, RFC 5789).
 */
export type Method = 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete';
/**
 * A secret with what goes before it.
 */
export interface Hidden {
  /**
   * What goes before it; may be empty.
   */
  prefix: string,
  /**
   * The name of the secret, as in `stead secret ls`.
   */
  name: string,
}
/**
 * The value of a header.
 */
export type Value = ValueText | ValueSecret;
/**
 * As it is.
 */
export interface ValueText {
  tag: 'text',
  val: string,
}
/**
 * A secret that the grant `http` names, after a prefix such as `Bearer `. Where the response repeats it, it is
 * replaced by `***`.
 */
export interface ValueSecret {
  tag: 'secret',
  val: Hidden,
}
/**
 * What is sent as the body.
 */
export type Content = ContentBytes | ContentText | ContentArtifact;
/**
 * Bytes.
 */
export interface ContentBytes {
  tag: 'bytes',
  val: Uint8Array,
}
/**
 * UTF-8 text.
 */
export interface ContentText {
  tag: 'text',
  val: string,
}
/**
 * The artifact of this name.
 */
export interface ContentArtifact {
  tag: 'artifact',
  val: string,
}
/**
 * A request.
 */
export interface Request {
  /**
   * What is done.
   */
  method: Method,
  /**
   * `https://host/path`, or `http://…`; without a user and without a fragment.
   */
  url: string,
  /**
   * Headers by name. `Host` and those of the connection are the client's own.
   */
  headers: Array<[string, Value]>,
  /**
   * The body; none when absent.
   */
  body?: Content,
  /**
   * How long it may take, redirects and body included, in seconds; one minute when absent, ten at most.
   */
  timeout?: number,
}
/**
 * What the server said.
 */
export interface Response {
  /**
   * The status code. One of 400 and above is no failure.
   */
  status: number,
  /**
   * Headers in their order, with names in lower case; a value that is no text is left out.
   */
  headers: Array<[string, string]>,
  /**
   * The body, of at most 512 KiB; empty when it was kept as an artifact.
   */
  body: Uint8Array,
}
