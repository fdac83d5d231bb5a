import { secretKey } from '../list-items.js';
import { optionalPort } from '../optional-port.js';
import { list } from '../list-kinds.js';
import { bool, optionalText, text } from '../setting-kinds.js';

const KEY = /^[\x21-\x7e]+$/;

/** Who may ask the router, and how it and its engines know each other. */
export const SECURITY_SETTINGS = {
  apiKey: list(
    {
      group: 'Security',
      secret: true,
      help:
        'A key that clients must send, as Authorization: Bearer or x-api-key; may be given several times. Flags are seen in ' +
        'the list of processes: the variable, or --api-key-file, is better.',
    },
    {
      item: secretKey,
      allowed: 'keys of printable ASCII without spaces and commas',
      valueName: 'key',
      repeatable: true,
    },
  ),
  apiKeyFile: optionalText(
    {
      group: 'Security',
      help:
        'A file of client keys that is followed while the router runs: lines of name:hash, as vllm-router hash-key prints ' +
        'them, or JSON.',
    },
    { allowed: 'a path', valueName: 'file' },
  ),
  forwardClientKey: bool({
    group: 'Security',
    help: "Pass the client's own Authorization and x-api-key headers on to engines although the router checks or replaces keys.",
  }),
  engineApiKeyFile: optionalText(
    {
      group: 'Security',
      help:
        'A file of the keys that engines want, followed while the router runs: lines of a base URL and a key; * stands for ' +
        'every other engine.',
    },
    { allowed: 'a path', valueName: 'file' },
  ),
  vllmApiKey: optionalText(
    {
      group: 'Security',
      onlyEnv: 'VLLM_API_KEY',
      secret: true,
      help:
        'Sent to engines as a Bearer token, with requests of clients in place of their own, and with probes and scrapes; ' +
        '--engine-api-key-file goes before it.',
    },
    { allowed: 'printable ASCII without spaces', valueName: 'key', pattern: KEY },
  ),
  adminPort: optionalPort({
    group: 'Security',
    help:
      'A port for /metrics, /debug, /admin and the live page /dashboard, which are then gone from --port; /health and ' +
      '/ready are on both.',
  }),
  dashboard: bool({
    group: 'Security',
    help: 'Show the live page /dashboard on --port; with --admin-port it is there, and there alone.',
  }),
  disableApiDocs: bool({
    group: 'Security',
    help:
      'Do not serve /docs and /openapi.json, which describe the routes of the port that is asked, name no engine and need ' +
      'no key.',
  }),
  adminHost: text(
    { group: 'Security', help: 'The address of --admin-port.' },
    {
      default: '127.0.0.1',
      allowed: 'an address or host name',
      valueName: 'address',
      pattern: /^[^\s\p{Cc}]+$/u,
    },
  ),
  adminKey: optionalText(
    {
      group: 'Security',
      secret: true,
      help:
        'A key without which /metrics, /debug, what /dashboard shows and the details of /health are not given, on whatever ' +
        'port. With it /admin takes actions: drain and return an engine, retry the discovery, reload.',
    },
    { allowed: 'printable ASCII without spaces', valueName: 'key', pattern: KEY },
  ),
  sslCertfile: optionalText(
    {
      group: 'Security',
      help:
        'The certificate with which --port speaks TLS, with those that it is signed by, in PEM. Followed while the router ' +
        'runs, like the other files of this group.',
    },
    { allowed: 'a path', valueName: 'file' },
  ),
  sslKeyfile: optionalText(
    { group: 'Security', help: 'The private key of --ssl-certfile, in PEM and not encrypted.' },
    { allowed: 'a path', valueName: 'file' },
  ),
  sslCaCerts: optionalText(
    {
      group: 'Security',
      help: 'Certificates of authorities in PEM: clients must then show a certificate that one of them has signed.',
    },
    { allowed: 'a path', valueName: 'file' },
  ),
  engineSslCaCerts: optionalText(
    {
      group: 'Security',
      help: 'Certificates of authorities in PEM that https engines are trusted by, in place of those of Node.',
    },
    { allowed: 'a path', valueName: 'file' },
  ),
  engineSslCertfile: optionalText(
    { group: 'Security', help: 'The certificate that the router shows to https engines, in PEM.' },
    { allowed: 'a path', valueName: 'file' },
  ),
  engineSslKeyfile: optionalText(
    { group: 'Security', help: 'The private key of --engine-ssl-certfile, in PEM and not encrypted.' },
    { allowed: 'a path', valueName: 'file' },
  ),
};
