import { Agent, request } from 'undici';

/** What a probe or a scrape got back. */
export interface EngineAnswer {
  readonly status: number;
  readonly text: string;
}

/** Limits of one `engineGet`. */
export interface EngineGetOptions {
  /** The whole exchange, connecting included, milliseconds. */
  readonly timeoutMs: number;
  /** Sent as `Authorization: Bearer`; from `VLLM_API_KEY`. */
  readonly apiKey?: string | null | undefined;
  /** The largest body accepted, bytes; default 8 MiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

// Probes come seconds apart and engines close idle sockets after 5 s: a socket of its own for each.
const probes = new Agent({ pipelining: 0, keepAliveTimeout: 1, keepAliveMaxTimeout: 1 });

/**
 * One GET to an engine outside the request path: probes of `/v1/models`, scrapes of `/metrics`.
 * @throws {Error} when there is no whole answer within the limits
 */
export async function engineGet(
  baseUrl: string,
  path: string,
  options: EngineGetOptions,
): Promise<EngineAnswer> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline;
  const headers: Record<string, string> = { accept: '*/*' };
  if (options.apiKey) headers['authorization'] = `Bearer ${options.apiKey}`;
  const answer = await request(baseUrl + path, { method: 'GET', headers, signal, dispatcher: probes });
  const limit = options.maxBytes ?? 8 * 1024 * 1024;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) {
      answer.body.destroy();
      throw new Error(`answer of ${path} is larger than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return { status: answer.statusCode, text: Buffer.concat(chunks).toString('utf8') };
}
