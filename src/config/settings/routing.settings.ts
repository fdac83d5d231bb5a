import {
  bool,
  bytes,
  int,
  numberOrOff,
  optionalSeconds,
  optionalText,
  requiredText,
  seconds,
} from '../setting-kinds.js';

const MIB = 1024 * 1024;

/** How engines are chosen. */
export const ROUTING_SETTINGS = {
  routingLogic: requiredText(
    {
      group: 'Routing',
      dynamic: true,
      help:
        'How the engine of a request is chosen: prefixaware (where it costs least: the cached part of the prompt, the wait ' +
        'and the load are weighed in one unit; also kvaware), roundrobin (each in turn), session (a session stays on its ' +
        'engine), leastload (the fewest requests in flight; also loadaware), poweroftwo (the less loaded of two drawn), ' +
        'random. Required.',
    },
    {
      allowed: 'roundrobin, session, prefixaware, kvaware, leastload, loadaware, poweroftwo or random',
      valueName: 'name',
      choices: [
        'roundrobin',
        'session',
        'prefixaware',
        'kvaware',
        'leastload',
        'loadaware',
        'poweroftwo',
        'random',
      ],
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
  sessionLoadFactor: numberOrOff(
    {
      group: 'Routing',
      help:
        'With --routing-logic session: a session leaves its engine for its next one while that engine would have more than ' +
        'this many times the mean of the requests in flight; 1.25 is usual. 0: it never leaves.',
    },
    { default: 0, min: 1, max: 100 },
  ),
  prefixIndexMemory: bytes(
    {
      group: 'Routing',
      help:
        'With --routing-logic prefixaware: the most memory of each process for what it knows of the prefix caches of all ' +
        'engines. A block of 64 tokens takes about 34 bytes for each engine that holds it; the least recent go first.',
    },
    {
      default: 256 * MIB,
      min: 64 * 1024,
      max: 16 * 1024 * MIB,
      allowed: 'a size such as 256MiB, from 64KiB to 16GiB',
    },
  ),
  ttftTarget: optionalSeconds({
    group: 'Routing',
    help:
      'Within how many seconds the first token of an answer is wanted. Setting it turns admission on: requests are held while ' +
      'the target can still be met, and refused with a Retry-After when not. prefixaware weighs waiting by it too: a shorter ' +
      'target makes it leave a busy engine sooner. Left out: no admission, and prefixaware reckons with 2.',
  }),
  tpotTarget: seconds(
    {
      group: 'Routing',
      help:
        'Within how many seconds each further token of an answer is wanted. prefixaware weighs the delay of running ' +
        'answers by it: a shorter target makes it spare busy engines more. Admission gives engines no more than they answer at this pace.',
    },
    { default: 0.05, min: 0.001 },
  ),
  tenantHeader: optionalText(
    {
      group: 'Routing',
      help:
        'The request header that names the tenant, for sharing engines fairly among tenants while requests are held ' +
        "(--ttft-target). Left out: the name of the client's key.",
    },
    {
      allowed: 'a header name such as x-tenant',
      valueName: 'header',
      pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
    },
  ),
  hedge: bool({
    group: 'Routing',
    help:
      'Try a stream on a second engine too when its first token is later than that of 99 of 100 streams of its model and ' +
      'three times as late as predicted; the first to answer wins, the other is cancelled. At most 5 % of the requests.',
  }),
  maxRequestsPerEngine: int(
    { group: 'Routing', help: 'The most requests in flight on one engine; 0 sets no limit.' },
    { default: 0, min: 0, max: 1_000_000 },
  ),
};
