import { field, text } from './object-meta.js';

/** One line of a watch. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: unknown }
  | { readonly type: 'ERROR'; readonly code: number; readonly message: string };

/** The longest line accepted, bytes. etcd holds objects of 1.5 MiB by default. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/** A watch that cannot be understood. */
export class WatchFormatError extends Error {}

/**
 * Splits the body of a watch, one JSON object per line, however its bytes are cut. Holds at most
 * `maxBytes` of an unfinished line.
 */
export class WatchEventSplitter {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number = MAX_EVENT_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The events that `chunk` completes.
   * @throws {WatchFormatError} on a line that is too long or is no watch event
   */
  push(chunk: Buffer): WatchEvent[] {
    const events: WatchEvent[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, end));
      const line = this.#take();
      if (line.trim() !== '') events.push(readEvent(line));
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return events;
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#size += piece.length;
    if (this.#size > this.#maxBytes) {
      this.#take();
      throw new WatchFormatError(`a watch event is longer than ${this.#maxBytes} bytes`);
    }
    this.#pieces.push(piece);
  }

  #take(): string {
    const line = Buffer.concat(this.#pieces).toString('utf8');
    this.#pieces = [];
    this.#size = 0;
    return line;
  }
}

function readEvent(line: string): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    throw new WatchFormatError('a watch event is not JSON');
  }
  const type = text(event, 'type');
  const object = field(event, 'object');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
      return { type, object };
    case 'ERROR': {
      const code = field(object, 'code');
      return {
        type,
        code: typeof code === 'number' ? code : 0,
        message: text(object, 'message').slice(0, 300),
      };
    }
    default:
      throw new WatchFormatError(`unknown watch event ${JSON.stringify(type.slice(0, 32))}`);
  }
}
