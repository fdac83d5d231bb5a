import fc from 'fast-check';
import { HeldAnswer } from '../dist/proxy/held-answer.js';
import { RelayCut } from '../dist/proxy/relay-cut.js';
import { anyText, cutAt, jsonWith, must } from './texts.mjs';

const delta = fc.record(
  {
    role: fc.constant('assistant'),
    content: fc.oneof(fc.constant(''), anyText(8)),
    tool_calls: fc.constantFrom([], null, [{}]),
  },
  { requiredKeys: [] },
);
const choice = fc.record(
  { index: fc.nat(1), delta, finish_reason: fc.constantFrom(null, 'stop', 'abort') },
  { requiredKeys: ['index'] },
);
const data = fc.oneof(
  { weight: 5, arbitrary: fc.array(choice, { maxLength: 2 }).map((choices) => JSON.stringify({ choices })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '[DONE]',
      '{"error":{"message":"no","code":500}}',
      '{"error":{"code":400}}',
      '{"type":"ping"}',
      '{"type":"message_start"}',
      '{',
      '',
    ),
  },
  {
    weight: 1,
    arbitrary: jsonWith(['choices', 'error', 'type', 'response'], 3).map((value) => JSON.stringify(value)),
  },
);
const frame = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(data, fc.constantFrom('data: ', 'data:', 'event: error\ndata: ', 'id: 1\r\ndata: '))
      .map(([text, before]) => before + text),
  },
  { weight: 1, arbitrary: fc.constantFrom(': comment', 'retry: 1', '\r', '', 'data') },
  { weight: 1, arbitrary: anyText(12) },
);
const stream = fc
  .tuple(
    fc.array(fc.tuple(frame, fc.constantFrom('\n\n', '\r\n\r\n', '\n', '\r\n', '\n\r\n', '\r')), {
      maxLength: 8,
    }),
    fc.constantFrom('', 'data: {"cho'),
  )
  .map(([frames, rest]) => Buffer.from(frames.map((pair) => pair.join('')).join('') + rest));

/** What the client gets, and what the first verdict was, when the answer comes in these pieces. */
function relayed(pieces, shape) {
  const held = new HeldAnswer('POST', 200, ['content-type', 'text/event-stream'], shape);
  let relay = null;
  let verdict = { kind: 'wait' };
  const out = [];
  for (const piece of pieces) {
    if (relay === null) {
      verdict = held.add(piece);
      if (verdict.kind === 'wait') continue;
      // No other engine is left: what was turned down is the answer after all.
      relay = new RelayCut(true);
      out.push(relay.next(held.bytes()));
    } else out.push(relay.next(piece));
  }
  out.push(relay === null ? held.bytes() : relay.rest());
  return { verdict: JSON.stringify(verdict), bytes: Buffer.concat(out.filter((part) => part !== null)) };
}

export function splits() {
  const shape = fc.constantFrom('chat', 'completions', 'responses', 'messages', 'other');
  const property = fc.property(stream, fc.array(fc.nat(), { maxLength: 20 }), shape, (bytes, cuts, api) => {
    const cut = relayed(cutAt(bytes, cuts), api);
    must(cut.bytes.equals(bytes), 'other bytes than the engine sent');
    must(cut.verdict === relayed([bytes], api).verdict, `judged ${cut.verdict} in pieces`);
    must(relayed(cutAt(bytes, Array.from(bytes.keys())), api).bytes.equals(bytes), 'other bytes, one by one');
  });
  return { property };
}
