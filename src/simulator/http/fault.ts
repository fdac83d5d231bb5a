/**
 * When a cut comes: `accept` as soon as the connection is there, `request-head` before the body is read,
 * `before-head` with the whole request read, `after-head` with the answer's head sent, `after-frames`
 * with `frames` frames sent, `mid-frame` with `frames` frames and half of the next one sent. An answer
 * that is not a stream counts as one frame.
 */
export type CutPhase =
  'accept' | 'request-head' | 'before-head' | 'after-head' | 'after-frames' | 'mid-frame';

/** An answer given byte for byte instead of the engine's own. */
export interface FixedAnswer {
  /** Default 200. */
  readonly status?: number;
  /** Sent in this order, after `date` and `server`; names as written. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** Sent with a content-length. */
  readonly bodyBytes?: Uint8Array | string;
  /** Sent as one HTTP chunk each, in turns of the event loop of their own; instead of `bodyBytes`. */
  readonly chunks?: readonly (Uint8Array | string)[];
}

/**
 * What goes wrong, as plain data: set by `SimulatedEngine.setFault`, by `POST /sim/fault`, or for one
 * request by its header `x-sim-fault`. Fields combine where that makes sense (`slowHead` with any other).
 */
export interface Fault {
  /** Which requests it meets: those that clients make (default), `all` (probes too) or one path. */
  readonly on?: 'requests' | 'all' | `/${string}`;
  /** How many requests it meets before it is over; default: no end. */
  readonly times?: number;

  /** The port refuses connections. */
  readonly refuse?: boolean;
  /** RST at this phase. */
  readonly reset?: CutPhase;
  /** FIN at this phase. */
  readonly fin?: CutPhase;
  /** Silence from this phase on, the connection stays open. */
  readonly hang?: CutPhase;
  /** Frames before a cut or an error event; default 1 for cuts, 0 for error events. */
  readonly frames?: number;

  /** Bytes that are no HTTP, then FIN. */
  readonly garbage?: boolean;
  /** These bytes as the whole answer, head included, then FIN. */
  readonly raw?: Uint8Array | string;
  /** A chunked body whose next chunk after `frames` announces more bytes than come before the FIN. */
  readonly truncated?: boolean;
  /** Added to the content-length of an answer that is not a stream; FIN after the body. */
  readonly wrongLength?: number;
  /** Closes a connection as soon as a second request comes on it, as an engine whose idle time is just over. */
  readonly staleSocket?: 'fin' | 'reset';

  /** An SSE error event after `frames` frames, then `[DONE]`, as a dying EngineCore sends it; not a stream: 500. */
  readonly errorEvent?: boolean;
  /** An error status with vLLM's error body, or with `body`. */
  readonly status?: number;
  readonly body?: string;
  /** The error body of vLLM up to 0.10.0: flat, without the `error` key. Alone: status 500. */
  readonly flatError?: boolean;
  /** What a draining engine says: 500 `cannot schedule new futures after shutdown`. */
  readonly draining?: boolean;
  /** What an engine says whose EngineCore is dead: 500, and 503 on /health. */
  readonly dead?: boolean;
  /** The 503 of `--max-num-queued-reqs`. */
  readonly queueFull?: boolean;
  /** 200 without any token: with `finish_reason` "abort", or a stream of nothing but `[DONE]`. */
  readonly abort?: 'finish-reason' | 'done-only';

  /** The whole engine, streams included, is this many times slower. */
  readonly slow?: number;
  /** The whole engine is paused, as by `/pause?mode=keep`. */
  readonly paused?: boolean;
  /** The engine's core stands still: /health, /v1/models and /metrics answer, the figures never change. */
  readonly frozen?: boolean;
  /** The core dies now, everything fails as with `dead`, and after this many milliseconds the process ends. */
  readonly dying?: number;

  /** Milliseconds before anything is answered. */
  readonly slowHead?: number;
  /** `: keep-alive` comments right after the head of a stream. */
  readonly keepAliveComments?: number;
  /** The text of the answer has this many bytes: one frame of a stream, or the whole content. */
  readonly hugeAnswer?: number;
  readonly answer?: FixedAnswer;
  /** The body of the answer is the body of the request. */
  readonly echo?: boolean;
}

const PHASES: readonly string[] = [
  'accept',
  'request-head',
  'before-head',
  'after-head',
  'after-frames',
  'mid-frame',
];
const isPhase = (value: unknown): boolean => typeof value === 'string' && PHASES.includes(value);
const isCount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isBytes = (value: unknown): boolean => typeof value === 'string' || value instanceof Uint8Array;

const FIELDS: Readonly<Record<keyof Fault, (value: unknown) => boolean>> = {
  on: (value) =>
    value === 'requests' || value === 'all' || (typeof value === 'string' && value.startsWith('/')),
  times: isCount,
  refuse: isFlag,
  reset: isPhase,
  fin: isPhase,
  hang: isPhase,
  frames: isCount,
  garbage: isFlag,
  raw: isBytes,
  truncated: isFlag,
  wrongLength: Number.isInteger,
  staleSocket: (value) => value === 'fin' || value === 'reset',
  errorEvent: isFlag,
  status: (value) => isCount(value) && Number(value) >= 200 && Number(value) <= 599,
  body: (value) => typeof value === 'string',
  flatError: isFlag,
  draining: isFlag,
  dead: isFlag,
  queueFull: isFlag,
  abort: (value) => value === 'finish-reason' || value === 'done-only',
  slow: (value) => typeof value === 'number' && value >= 0.001 && value <= 1_000_000,
  paused: isFlag,
  frozen: isFlag,
  dying: isCount,
  slowHead: isCount,
  keepAliveComments: isCount,
  hugeAnswer: isCount,
  answer: (value) => typeof value === 'object' && value !== null,
  echo: isFlag,
};

/** Checks a fault that came from outside. Throws a one-sentence Error that names the wrong field. */
export function parseFault(value: unknown): Fault {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('a fault is a JSON object');
  }
  for (const [name, content] of Object.entries(value)) {
    if (!Object.hasOwn(FIELDS, name)) throw new Error(`a fault has no field ${JSON.stringify(name)}`);
    if (!FIELDS[name as keyof Fault](content)) {
      throw new Error(`fault field ${name} cannot be ${JSON.stringify(content)}`);
    }
  }
  return value;
}

/** Fields that speak of the engine and not of a request. */
const ENGINE_WIDE: readonly (keyof Fault)[] = ['refuse', 'slow', 'paused', 'frozen', 'dying', 'on', 'times'];

/** As `parseFault`, for the fault of one request, which cannot change the whole engine. */
export function parseRequestFault(value: unknown): Fault {
  const fault = parseFault(value);
  const wide = ENGINE_WIDE.find((field) => fault[field] !== undefined);
  if (wide !== undefined) throw new Error(`fault field ${wide} is for the whole engine, not for one request`);
  return fault;
}

/** Whether the engine says that its core is dead. */
export const isDead = (fault: Fault | null): boolean => fault?.dead === true || fault?.dying !== undefined;

/** The cut that a fault asks for at a phase, if any. */
export function cutAt(fault: Fault | null, phase: CutPhase): 'reset' | 'fin' | 'hang' | null {
  if (fault === null) return null;
  if (fault.reset === phase) return 'reset';
  if (fault.fin === phase) return 'fin';
  return fault.hang === phase ? 'hang' : null;
}
