import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** undici, loaded at its first use: a router whose engines all speak plain http, and are listed, needs none of it. */
export function loadUndici(): typeof import('undici') {
  return require('undici') as typeof import('undici');
}
