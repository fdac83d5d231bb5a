import type { TokenUsage } from '../attempt-event.js';
import { endOfFirstFrame } from '../sse-frames.js';
import { isObject, type Json, readStreamFrame, type TextShape } from './stream-frame.js';
import type { NextRequest } from './next-request.js';
import type { SentStream } from './text-so-far.js';

const NOTHING = Buffer.alloc(0);
const asFrame = (body: Json): string => `data: ${JSON.stringify(body)}\n\n`;

/**
 * Makes the frames of an engine that goes on with a stream into more frames of that stream: same id, time and model, no
 * second role, and token counts of the whole.
 */
export class ContinuedFrames {
  readonly #shape: TextShape;
  readonly #identity: Json;
  /** Tokens that were sent before; the engine got them as a part of its prompt, unless it is asked for counts alone. */
  readonly #tokens: number;
  /** All of the text had been sent: only counts are wanted. */
  readonly #countsOnly: boolean;
  /** Of the client's own prompt; null while it is not known. */
  readonly #prompt: number | null;
  /** What is still to be left out of the text. */
  #repeats: string;

  constructor(shape: TextShape, sent: SentStream, next: Pick<NextRequest, 'tokens' | 'repeats'>) {
    this.#shape = shape;
    this.#identity = sent.identity;
    this.#tokens = next.tokens;
    this.#prompt = sent.usage === null ? null : sent.usage.prompt;
    this.#repeats = next.repeats;
    this.#countsOnly = sent.finish !== null;
  }

  /** The same frames for the client; null for none. Bytes behind the last whole frame stay as they are. */
  take(bytes: Buffer): Buffer | null {
    let out = '';
    let at = 0;
    for (let end = endOfFirstFrame(bytes, at); end >= 0; end = endOfFirstFrame(bytes, at)) {
      out += this.#frame(bytes.toString('utf8', at, end));
      at = end;
    }
    const rest = at < bytes.length ? bytes.subarray(at) : NOTHING;
    if (out === '') return rest.length === 0 ? null : rest;
    return rest.length === 0 ? Buffer.from(out) : Buffer.concat([Buffer.from(out), rest]);
  }

  /** Token counts of the whole stream, from those of its last engine. */
  whole({ prompt, completion, cached }: TokenUsage): TokenUsage {
    const own = this.#prompt ?? (this.#countsOnly ? prompt : Math.max(0, prompt - this.#tokens));
    return {
      prompt: own,
      completion: this.#tokens + (this.#countsOnly ? 0 : completion),
      cached: cached === null ? null : Math.min(own, cached),
    };
  }

  #frame(frame: string): string {
    const read = readStreamFrame(frame, this.#shape);
    if (read.kind !== 'chunk') return frame;
    const { body, text, finish } = read;
    Object.assign(body, this.#identity);
    if (isObject(body['usage'])) body['usage'] = this.#usage(body['usage']);
    const [choice] = body['choices'] as Json[];
    if (choice === undefined) return asFrame(body);
    if (this.#countsOnly) return '';
    // The role has been told, with the first token.
    if (text === null && finish === null) return '';
    const more = this.#unrepeated(text ?? '');
    if (more === '' && text !== '' && finish === null) return '';
    if (this.#shape === 'completions') choice['text'] = more;
    else {
      const { role, ...delta } = choice['delta'] as Json;
      choice['delta'] = { ...delta, content: more };
      void role;
    }
    return asFrame(body);
  }

  /** `text` without the white space that the client has already; where it differs, all of it is sent. */
  #unrepeated(text: string): string {
    if (this.#repeats === '' || text === '') return text;
    let same = 0;
    while (same < Math.min(text.length, this.#repeats.length) && text[same] === this.#repeats[same]) same++;
    this.#repeats = same === text.length ? this.#repeats.slice(same) : '';
    return text.slice(same);
  }

  #usage(usage: Json): Json {
    const told = (field: string): number => (typeof usage[field] === 'number' ? usage[field] : 0);
    const details = usage['prompt_tokens_details'];
    const tellsCached = isObject(details) && typeof details['cached_tokens'] === 'number';
    const { prompt, completion, cached } = this.whole({
      prompt: told('prompt_tokens'),
      completion: told('completion_tokens'),
      cached: tellsCached ? (details['cached_tokens'] as number) : null,
    });
    const out: Json = {
      ...usage,
      prompt_tokens: prompt,
      total_tokens: prompt + completion,
      completion_tokens: completion,
    };
    if (tellsCached) out['prompt_tokens_details'] = { ...details, cached_tokens: cached };
    return out;
  }
}

/**
 * What is left to send when the engine broke off behind the end of its answer: `[DONE]`, after the token counts if the
 * client wants them. Null when the answer is not at its end, or its counts are not known.
 * @param wantsUsage the client has asked for a chunk of token counts
 */
export function endingOf(sent: SentStream, wantsUsage: boolean): string | null {
  if (sent.done) return '';
  if (sent.finish === null) return null;
  if (!wantsUsage || sent.usageTold) return 'data: [DONE]\n\n';
  if (sent.usage === null) return null;
  const { prompt, completion } = sent.usage;
  const usage = {
    prompt_tokens: prompt,
    total_tokens: prompt + completion,
    completion_tokens: completion,
  };
  return `${asFrame({ ...sent.identity, choices: [], usage })}data: [DONE]\n\n`;
}
