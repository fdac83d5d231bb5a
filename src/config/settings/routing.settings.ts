import { int, optionalText, requiredText } from '../setting-kinds.js';

/** How engines are chosen. */
export const ROUTING_SETTINGS = {
  routingLogic: requiredText(
    {
      group: 'Routing',
      dynamic: true,
      help:
        'How the engine of a request is chosen: roundrobin (each in turn), session (a session stays on its engine), ' +
        'prefixaware, kvaware or loadaware. Required.',
    },
    {
      allowed: 'roundrobin, session, prefixaware, kvaware or loadaware',
      valueName: 'name',
      choices: ['roundrobin', 'session', 'prefixaware', 'kvaware', 'loadaware'],
    },
  ),
  sessionKey: optionalText(
    {
      group: 'Routing',
      dynamic: true,
      help: 'The request header, else the key of the JSON body, that names the session. Required with --routing-logic session.',
    },
    {
      allowed: 'a header name such as x-user-id',
      valueName: 'header',
      pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
    },
  ),
  maxRequestsPerEngine: int(
    { group: 'Routing', help: 'The most requests in flight on one engine; 0 sets no limit.' },
    { default: 0, min: 0, max: 1_000_000 },
  ),
};
