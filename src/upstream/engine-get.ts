import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { EngineTls } from '../security/engine-access.js';

/** What a probe or a scrape got back. */
export interface EngineAnswer {
  readonly status: number;
  readonly text: string;
}

/** Limits of one `engineGet`. */
export interface EngineGetOptions {
  /** The whole exchange, connecting included, milliseconds. */
  readonly timeoutMs: number;
  /** For `https` engines. */
  readonly tls?: EngineTls | null | undefined;
  /** Sent as `Authorization: Bearer`; what `EngineAccess` says. */
  readonly apiKey?: string | null | undefined;
  /** The largest body accepted, bytes; default 8 MiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One GET to an engine outside the request path: probes of `/v1/models`, scrapes of `/metrics`. Each has a
 * connection of its own, since they come seconds apart and engines close idle ones after 5 s.
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
  try {
    const answer = await answerTo(baseUrl + path, { ...options.tls, headers, signal });
    const text = await textOf(answer, path, options.maxBytes ?? 8 * 1024 * 1024);
    return { status: answer.statusCode ?? 0, text };
  } catch (error) {
    // Node tells of an abort, the signal of its reason.
    throw signal.aborted ? signal.reason : error;
  }
}

function answerTo(
  url: string,
  options: EngineTls & { readonly headers: Record<string, string>; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    request(url, { agent: false, ...options }, resolve)
      .on('error', reject)
      .end();
  });
}

async function textOf(answer: IncomingMessage, path: string, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new Error(`answer of ${path} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
