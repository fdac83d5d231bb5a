import { isComputed } from '../../core/cost/prompt-work.js';

/** A request as a trace tells of it. */
export interface TracedRequest {
  /** Seconds from the first one. */
  readonly at: number;
  readonly session: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Names of the prompt's blocks from its begin on: equal ones mean that all up to their end is equal. */
  readonly blocks: readonly (string | number)[];
}

export interface Trace {
  /** In order of time, at least one. */
  readonly requests: readonly TracedRequest[];
  /** Tokens in a block. */
  readonly blockTokens: number;
}

/** Tokens in a block of Mooncake's traces. */
const MOONCAKE_BLOCK = 512;
/** Bytes of a token where a log does not tell: about that of English text. */
const USUAL_BYTES = 4;
/** Longest prompt and answer, tokens: above what any engine serves. */
const LONGEST = 1_000_000;

type Line = Readonly<Record<string, unknown>>;

/**
 * Reads the router's decision log, or a trace in the format of Mooncake (`timestamp` in milliseconds, `input_length`,
 * `output_length`, `hash_ids` of 512 tokens): a JSON object on each line. Lines that are neither are passed over.
 *
 * @throws {Error} one sentence, when no line can be replayed
 */
export function readTrace(text: string): Trace {
  const lines = text.split('\n').flatMap(parsed);
  const logged = lines.filter(
    ({ blocks, prompt_size: size, path }) =>
      (Array.isArray(blocks) || typeof size === 'number') && isComputed(String(path)),
  );
  const trace = logged.length > 0 ? decisions(logged) : mooncake(lines);
  if (trace.requests.length === 0) {
    throw new Error('no line of it is a request of a decision log or of a trace in the format of Mooncake');
  }
  return trace;
}

function parsed(line: string): Line[] {
  if (line.trim() === '') return [];
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? [value as Line] : [];
  } catch {
    // A full disk may cut a line of a log.
    return [];
  }
}

function mooncake(lines: readonly Line[]): Trace {
  const requests = lines.flatMap((line, index) => {
    const [at, input, output] = [line['timestamp'], line['input_length'], line['output_length']].map(known);
    const ids = line['hash_ids'];
    if (at == null || !input || output == null || !Array.isArray(ids)) return [];
    const blocks = ids.filter((id) => typeof id === 'number' || typeof id === 'string');
    return [{ at: at / 1e3, session: `line-${index}`, promptTokens: input, outputTokens: output, blocks }];
  });
  return { requests: inOrder(requests), blockTokens: MOONCAKE_BLOCK };
}

function decisions(lines: readonly Line[]): Trace {
  // Blocks of bytes have one length in tokens for all, so that equal blocks stay equal.
  let [bytes, tokens, size] = [0, 0, 64];
  for (const line of lines) {
    size = known(line['block_size']) ?? size;
    if (line['unit'] !== 'bytes' || !known(line['prompt_tokens'])) continue;
    bytes += known(line['prompt_size']) ?? 0;
    tokens += known(line['prompt_tokens']) ?? 0;
  }
  const inBytes = lines.some((line) => line['unit'] === 'bytes');
  const perToken = inBytes ? (tokens > 0 && bytes > 0 ? bytes / tokens : USUAL_BYTES) : 1;
  const requests = lines.flatMap((line, index) => {
    const at = known(line['time']);
    const prompt = known(line['prompt_tokens']) ?? Math.round((known(line['prompt_size']) ?? 0) / perToken);
    if (at === null || prompt < 1) return [];
    const { session, blocks } = line;
    return [
      {
        at,
        session: typeof session === 'string' ? session : `line-${index}`,
        promptTokens: prompt,
        outputTokens: known(line['completion_tokens']) ?? known(line['pieces']) ?? 0,
        blocks: Array.isArray(blocks) ? blocks.filter((name) => typeof name === 'string') : [],
      },
    ];
  });
  return { requests: inOrder(requests), blockTokens: Math.max(1, Math.round(size / perToken)) };
}

/** A number that can be a time or a length; null for all else. */
function known(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : null;
}

/** By time, which begins with the first one; lengths as they can be simulated. */
function inOrder(requests: readonly TracedRequest[]): TracedRequest[] {
  const sorted = [...requests].sort((a, b) => a.at - b.at);
  const first = sorted[0]?.at ?? 0;
  return sorted.map((request) => ({
    ...request,
    at: request.at - first,
    promptTokens: Math.min(LONGEST, Math.round(request.promptTokens)),
    outputTokens: Math.min(LONGEST, Math.max(1, Math.round(request.outputTokens))),
  }));
}
