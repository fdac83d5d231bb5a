import { framedChunk } from '../../../../src/core/chunk-framing.js';
import { inBandBreak } from '../../../../src/core/continuation/in-band-break.js';
import { chatText, completionText, DONE } from './frames.js';

const ENGINE_DEAD =
  'data: {"error": {"message": "EngineCore encountered an issue. See stack trace (above) for the root cause.", ' +
  '"type": "InternalServerError", "param": null, "code": 500}}\n\n';

describe('inBandBreak', () => {
  it.each<[string | null, string, string]>([
    ['abort', 'an abort with a token', chatText(' a', 'abort')],
    ['abort', 'an abort without', chatText('', 'abort') + DONE],
    ['abort', 'an abort behind other frames', chatText(' a') + chatText(' b', 'abort')],
    ['engine_dead', 'a dead engine', ENGINE_DEAD + DONE],
    ['error_event', 'another error', 'data: {"error": {"message": "x", "code": 500}}\n\n'],
    [null, 'an error that blames the request', 'data: {"error": {"message": "x", "code": 400}}\n\n'],
    [null, 'a text that quotes the word', chatText('"abort" {"error"')],
    [null, 'a text that quotes JSON', chatText('data: {"error": 1}')],
    [null, 'another end', chatText(' a', 'stop')],
    [null, 'an unfinished frame', chatText(' a', 'abort').slice(0, -2)],
  ])('is %s for %s', (cause, _name, stream) => {
    const bytes = Buffer.from(stream);
    expect(inBandBreak(bytes, false, 'chat')?.cause ?? null).toBe(cause);
    expect(inBandBreak(framedChunk(bytes, false), true, 'chat')?.cause ?? null).toBe(cause);
  });

  it('reads completions', () => {
    const bytes = Buffer.from(completionText('a', 'abort'));
    expect(inBandBreak(bytes, false, 'completions')?.cause).toBe('abort');
  });

  it('tells what comes before and what comes with it', () => {
    const before = chatText(' a') + chatText(' b');
    const rest = chatText(' c', 'abort') + DONE;
    const bytes = framedChunk(Buffer.from(before + rest), false);
    const broken = inBandBreak(bytes, true, 'chat')!;
    expect([broken.before.toString(), broken.rest.toString()]).toEqual([before, rest]);
  });
});
