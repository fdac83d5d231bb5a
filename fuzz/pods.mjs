import fc from 'fast-check';
import { enginesOfServices, readService, readSlice } from '../dist/core/kubernetes/endpoint-slice.js';
import { enginesOfPods, readPod } from '../dist/core/kubernetes/pod.js';
import { WatchEventSplitter, WatchFormatError } from '../dist/core/kubernetes/watch-events.js';
import { anyText, cutAt, jsonWith, must } from './texts.mjs';

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom(
    '10.0.0.1',
    '256.1.1.1',
    '127.0.0.1@evil',
    '10.0.0.1/',
    '10.0.0.1:80',
    '::1%eth0',
    '[::1]',
    '1.2.3.4\r\n',
    '0x7f.1',
  ),
  anyText(12),
);
const junk = jsonWith([
  'metadata',
  'status',
  'spec',
  'name',
  'uid',
  'podIP',
  'phase',
  'conditions',
  'type',
  'labels',
  'ports',
  'addresses',
  'endpoints',
  'ready',
]);
const meta = fc.record(
  {
    name: fc.oneof(fc.constantFrom('a', 'b'), anyText(8)),
    uid: fc.oneof(fc.constantFrom('1', '2'), anyText(8)),
    creationTimestamp: fc.oneof(fc.constant('2026-01-01T00:00:00Z'), anyText(8)),
    deletionTimestamp: fc.oneof(fc.constant('2026-01-01T00:00:00Z'), fc.constant(null)),
    labels: fc.oneof(fc.dictionary(anyText(6), anyText(6)), junk),
  },
  { requiredKeys: [] },
);
const condition = fc.record({
  type: fc.constantFrom('Ready', 'Initialized'),
  status: fc.constantFrom('True', 'False', true),
});
const pod = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      metadata: fc.oneof({ weight: 9, arbitrary: meta }, { weight: 1, arbitrary: junk }),
      status: fc.record(
        {
          phase: fc.constantFrom('Running', 'Pending', 7),
          podIP: address,
          conditions: fc.array(fc.oneof(condition, junk), { maxLength: 3 }),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  { weight: 1, arbitrary: junk },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined, 0, '', [], [[]]) },
);
const slice = fc.record(
  {
    metadata: meta,
    addressType: fc.constantFrom('IPv4', 'IPv6', 'FQDN'),
    endpoints: fc.array(
      fc.oneof(
        fc.record({
          addresses: fc.array(address),
          conditions: fc.record({ ready: fc.boolean() }, { requiredKeys: [] }),
        }),
        junk,
      ),
      { maxLength: 3 },
    ),
    ports: fc.array(fc.oneof(fc.record({ port: fc.integer(), name: anyText(5) }), junk), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** An engine's URL goes into requests: it must be nothing but a scheme, a host and a port. */
function checkUrls(engines) {
  for (const { url } of engines) {
    const parsed = new URL(url);
    must(
      parsed.protocol === 'http:' &&
        parsed.username === '' &&
        parsed.pathname === '/' &&
        parsed.search === '',
      `a URL of ${url}`,
    );
    must(!/[\r\n\s]/.test(url), `a URL with a space: ${JSON.stringify(url)}`);
  }
}

export function pods() {
  const property = fc.property(
    fc.array(pod, { maxLength: 6 }),
    fc.array(slice, { maxLength: 3 }),
    (all, slices) => {
      const views = all.map((one) => readPod(one, 8_000)).filter((view) => view !== null);
      for (const { engine, reason } of views)
        must((engine === null) !== (reason === null), 'an engine and a reason');
      checkUrls(enginesOfPods(views));
      const services = all.map(readService).filter((view) => view !== null);
      const read = slices.map(readSlice).filter((view) => view !== null);
      checkUrls(enginesOfServices(services, read, '.ns', 8_000));
    },
  );
  return { property };
}

const event = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'), pod)
      .map(([type, object]) => JSON.stringify({ type, object })),
  },
  { weight: 1, arbitrary: junk.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: anyText(20) },
);

/** The events in these pieces, or `refused`; a splitter that has refused is thrown away. */
function eventsIn(pieces) {
  const splitter = new WatchEventSplitter(4_096);
  const found = [];
  try {
    for (const piece of pieces) found.push(...splitter.push(piece));
  } catch (error) {
    if (!(error instanceof WatchFormatError)) throw error;
    return 'refused';
  }
  return JSON.stringify(found);
}

export function watch() {
  const property = fc.property(
    fc.array(event, { maxLength: 6 }),
    fc.array(fc.nat(), { maxLength: 12 }),
    (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      must(eventsIn(cutAt(bytes, cuts)) === eventsIn([bytes]), 'cuts change what is read');
    },
  );
  return { property };
}
