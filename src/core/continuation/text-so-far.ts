import { endOfFirstFrame } from '../sse-frames.js';
import { identityOf, isObject, type Json, readStreamFrame, type TextShape } from './stream-frame.js';
import { unframed } from './unframed.js';

/** Most bytes of a stream that wait to be read; what is read takes a fiftieth of them. */
const MAX_RAW = 128 * 1024;
/** The same when all streams together keep more than half of what they may. */
const SCARCE_RAW = 8 * 1024;
/** Longest text, in UTF-16 units. */
const MAX_TEXT = 1024 * 1024;
/** Most bytes kept of all streams. */
const MAX_TOTAL = 64 * 1024 * 1024;
/** Tokens whose ends are known; of those before them it is known how many they were. */
const MAX_ENDS = 256;
/**
 * The end of a word that another one follows. An engine whose reader is slow puts several tokens into one piece; no
 * tokenizer that is in use has tokens of more than one word, so that a piece is at least as many tokens as words.
 */
const WORD_END = /\S(?=\s+\S)/g;
/** What a buffer and its place in a list take beside its bytes. */
const PIECE_COST = 160;

/** Bytes that all streams keep which could be continued. */
export class ContinuationMemory {
  held = 0;

  /** @param limit bytes */
  constructor(readonly limit = MAX_TOTAL) {}
}

/** Token counts as the client has seen them last. */
export interface SeenUsage {
  readonly prompt: number;
  readonly completion: number;
}

/** What a client has been sent of one stream of text. */
export interface SentStream {
  readonly text: string;
  /** Where each token ends in `text`, the last ones, as far as pieces and words tell; a token may be empty. */
  readonly ends: readonly number[];
  /** Tokens before those of `ends`. */
  readonly older: number;
  /** Null when the stream carried none. */
  readonly usage: SeenUsage | null;
  /** Null before the answer has told how it ended. */
  readonly finish: string | null;
  /** The chunk that holds nothing but token counts has gone out. */
  readonly usageTold: boolean;
  /** `[DONE]` has gone out. */
  readonly done: boolean;
  /** Id, time and model that all its chunks have. */
  readonly identity: Json;
}

const count = (value: unknown): number => (typeof value === 'number' && value >= 0 ? value : 0);

/**
 * Keeps what a stream has sent to its client, so that another engine can go on from there. The bytes are kept as they
 * went out and read when they are asked for, or when they are many. It gives up, once and for good, what is too long or
 * is anything but the plain text of one choice.
 */
export class TextSoFar {
  #raw: Buffer[] = [];
  /** For each of `#raw`, whether it is in chunk framing. */
  #framed: boolean[] = [];
  #rawCost = 0;
  #text = '';
  #ends: number[] = [];
  #older = 0;
  #usage: SeenUsage | null = null;
  #finish: string | null = null;
  #usageTold = false;
  #done = false;
  #identity: Json | null = null;
  /** Bytes that are counted in `memory`. */
  #counted = 0;
  #lost = false;

  constructor(
    private readonly shape: TextShape,
    private readonly memory: ContinuationMemory,
  ) {}

  /** It was too long, or something else than plain text. */
  get lost(): boolean {
    return this.#lost;
  }

  /**
   * Takes whole frames that go out now.
   * @param framed they are whole chunks of a chunked body (RFC 9112 section 7.1)
   */
  add(bytes: Buffer, framed: boolean): void {
    if (this.#lost) return;
    this.#raw.push(bytes);
    this.#framed.push(framed);
    const cost = bytes.length + PIECE_COST;
    this.#rawCost += cost;
    this.#count(cost);
    const { memory } = this;
    if (this.#rawCost > (memory.held > memory.limit / 2 ? SCARCE_RAW : MAX_RAW)) this.#read();
    if (memory.held > memory.limit) this.release();
  }

  /** What has been sent; null when it was given up, or no text was among it. */
  sent(): SentStream | null {
    if (!this.#lost) this.#read();
    if (this.#lost || this.#identity === null) return null;
    return {
      text: this.#text,
      ends: this.#ends,
      older: this.#older,
      usage: this.#usage,
      finish: this.#finish,
      usageTold: this.#usageTold,
      done: this.#done,
      identity: this.#identity,
    };
  }

  /** Forgets everything. Safe to call again. */
  release(): void {
    this.#lost = true;
    this.#raw = [];
    this.#framed = [];
    this.#text = '';
    this.#ends = [];
    this.#identity = null;
    this.#count(-this.#counted);
  }

  #count(bytes: number): void {
    this.#counted += bytes;
    this.memory.held += bytes;
  }

  #read(): void {
    const pieces = this.#raw;
    const framed = this.#framed;
    this.#raw = [];
    this.#framed = [];
    const before = this.#text.length;
    let plain = true;
    try {
      const bytes = Buffer.concat(pieces.map((piece, i) => (framed[i] ? unframed(piece) : piece)));
      for (let at = 0; plain && at < bytes.length;) {
        const end = endOfFirstFrame(bytes, at);
        plain = end > 0 && this.#takes(bytes.toString('utf8', at, end));
        at = end;
      }
    } catch {
      plain = false;
    }
    if (!plain || this.#text.length > MAX_TEXT) return this.release();
    this.#count(2 * (this.#text.length - before) - this.#rawCost);
    this.#rawCost = 0;
  }

  /** False for what is no plain text. */
  #takes(frame: string): boolean {
    const read = readStreamFrame(frame, this.shape);
    if (read.kind !== 'chunk') {
      this.#done ||= read.kind === 'done';
      return read.kind !== 'other';
    }
    const { body, text, finish } = read;
    this.#identity ??= identityOf(body);
    if (text !== null) this.#append(text);
    if (finish !== null) this.#finish = finish;
    const usage = body['usage'];
    if (isObject(usage)) {
      this.#usage = { prompt: count(usage['prompt_tokens']), completion: count(usage['completion_tokens']) };
      this.#usageTold ||= (body['choices'] as unknown[]).length === 0;
    }
    return true;
  }

  #append(text: string): void {
    const before = this.#text.length;
    this.#text += text;
    for (const { index } of text.matchAll(WORD_END)) this.#ends.push(before + index + 1);
    this.#ends.push(this.#text.length);
    const over = this.#ends.length - MAX_ENDS;
    if (over < MAX_ENDS) return;
    this.#older += over;
    this.#ends = this.#ends.slice(over);
  }
}
