import type { Request, Response } from '../types/stead-host-http.js';
export * from '../types/stead-host-http.js';

type Given = string | (Pick<Request, 'url'> & Partial<Request>);

/** Sends a request. A text is the URL of a GET. */
export function send(request: Given): Response;
/** Sends a request and keeps the body of a response with a status of 200 to 299 as an artifact of this name. */
export function download(request: Given, artifact: string): Response;
