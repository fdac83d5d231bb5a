import type { Socket } from 'node:net';
import type { FinishReason } from '../model/sequence.js';
import type { Choice } from './choice.js';
import type { Exchange } from './exchange.js';
import type { AnswerOutput } from './job.js';
import { isAscii, TokenChunks } from './token-chunks.js';
import { type Dialect, DONE_FRAME } from './wire-format.js';
import { ENGINE_DEAD, errorFrame } from './wire-format-other.js';

/** Bytes that are made at a time for a reader; a slow one gets its tokens later, each in a frame of its own. */
const BYTES_AT_ONCE = 64 * 1024;

const KEEP_ALIVE_COMMENT = ': keep-alive\n\n';

/** A generation as a stream of events: every token a frame and an HTTP chunk, all of one turn in one write. */
export class StreamedAnswer implements AnswerOutput {
  readonly #chunks: readonly (TokenChunks | null)[];
  #opened = false;
  #stalled = false;
  #silent = true;
  /** Of the flush under way: chunks to write in one go, and their bytes, or about. */
  #socket: Socket | null = null;
  #text = '';
  #bytes = 0;
  #ascii = true;

  constructor(
    private readonly exchange: Exchange,
    private readonly dialect: Dialect,
    private readonly choices: readonly Choice[],
  ) {
    this.#chunks = choices.map(({ tokens }, index) => {
      const template = dialect.template(index);
      return template !== null && tokens.ascii && template.every(isAscii) ? new TokenChunks(template) : null;
    });
  }

  /** Sends the head and what comes before the first token. False when a fault has ended the exchange. */
  begin(keepAliveMs: number): boolean {
    if (!this.exchange.startStream()) return false;
    for (const frame of this.dialect.opening()) this.exchange.frame(frame);
    if (keepAliveMs > 0) this.#keepAlive(keepAliveMs);
    return true;
  }

  token(choice: number): void {
    const it = this.choices[choice];
    if (it !== undefined) it.made += 1;
  }

  finished(choice: number, reason: FinishReason): void {
    const it = this.choices[choice];
    if (it !== undefined) it.finish = reason;
  }

  flush(): void {
    if (this.#stalled || this.exchange.over) return;
    this.#silent = false;
    this.#socket = this.exchange.rawSocket;
    if (!this.#opened) {
      this.#opened = true;
      for (const frame of this.dialect.first()) this.#add(frame);
    }
    let complete = true;
    for (let index = 0; index < this.choices.length; index += 1) {
      if (!this.#addTokens(index)) complete = false;
    }
    if (complete) for (const frame of this.#closing()) this.#add(frame);
    const text = this.#text;
    this.#text = '';
    if (this.#socket !== null && text !== '') this.#socket.write(text, this.#ascii ? 'latin1' : 'utf8');
    this.#ascii = true;
    const much = this.#bytes >= BYTES_AT_ONCE;
    this.#bytes = 0;
    if (complete) this.exchange.end();
    else if (much || this.exchange.needsRoom) this.#stall();
  }

  /** Adds what is there of one choice; true when that was the rest. */
  #addTokens(index: number): boolean {
    const choice = this.choices[index] as Choice;
    const chunks = this.#socket === null ? null : (this.#chunks[index] ?? null);
    const before = choice.sent;
    while (choice.sent < choice.made && this.#bytes < BYTES_AT_ONCE) {
      const isLast = choice.sent + 1 === choice.made && choice.finish !== null;
      if (chunks === null || isLast) this.#add(this.#frame(index, choice, isLast));
      else {
        const chunk = chunks.of(choice.tokens.text(choice.sent));
        this.#text += chunk;
        this.#bytes += chunk.length;
      }
      choice.sent += 1;
    }
    this.exchange.seen.tokensSent += choice.sent - before;
    if (choice.finish === null || choice.sent < choice.made) return false;
    if (!choice.finishSent) this.#add(this.dialect.token(index, '', choice.made, choice.finish, null));
    choice.finishSent = true;
    return true;
  }

  #add(frame: string): void {
    this.#bytes += frame.length;
    if (this.#socket === null) {
      this.exchange.frame(frame);
      return;
    }
    const size = Buffer.byteLength(frame);
    if (size !== frame.length) this.#ascii = false;
    this.#text += `${size.toString(16)}\r\n${frame}\r\n`;
  }

  /** What a dying engine says in a stream. */
  fail(): void {
    this.exchange.frame(errorFrame(ENGINE_DEAD));
    this.exchange.end(DONE_FRAME);
  }

  #frame(index: number, choice: Choice, isLast: boolean): string {
    const { sent } = choice;
    if (isLast) choice.finishSent = true;
    const finish = isLast ? choice.finish : null;
    return this.dialect.token(index, choice.visibleText(sent), sent + 1, finish, isLast ? choice.stop : null);
  }

  #closing(): readonly string[] {
    const count = this.choices.reduce((sum, { made }) => sum + made, 0);
    return this.dialect.closing(
      this.choices.map((choice) => choice.ended()),
      count,
    );
  }

  /** The reader is slow: goes on when its socket has room again. */
  #stall(): void {
    this.#stalled = true;
    this.exchange.onRoom(() => {
      this.#stalled = false;
      this.flush();
    });
  }

  /** `--sse-keep-alive-interval`: a comment after each interval without an event. */
  #keepAlive(ms: number): void {
    const timer = setInterval(() => {
      if (this.#silent && !this.#stalled) this.exchange.frame(KEEP_ALIVE_COMMENT);
      this.#silent = true;
    }, ms);
    this.exchange.onOver(() => clearInterval(timer));
  }
}
