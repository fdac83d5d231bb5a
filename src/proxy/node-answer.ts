import type { ServerResponse } from 'node:http';
import { framedChunk, LAST_CHUNK } from '../core/chunk-framing.js';
import type { AnswerWriter } from './answer-writer.js';

/** Writes an answer through Node's own response: for every kind of client and of answer. */
export class NodeAnswer implements AnswerWriter {
  readonly framing: boolean;

  /** Takes the response with its head; nothing of it has gone out. */
  constructor(
    private readonly response: ServerResponse,
    status: number,
    statusText: string,
    headers: string[],
  ) {
    response.writeHead(status, statusText, headers);
    // Node frames each write in three pieces; one piece takes one write, and whole chunks need no new frame.
    this.framing = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  write(bytes: Buffer): boolean {
    // A chunk of nothing is the last one (RFC 9112 section 7.1).
    return this.response.write(this.framing && bytes.length > 0 ? framedChunk(bytes, false) : bytes);
  }

  writeFramed(chunks: Buffer): boolean {
    return this.response.write(chunks);
  }

  end(bytes: Buffer | null): void {
    const none = bytes === null || bytes.length === 0;
    if (this.framing) this.response.end(none ? LAST_CHUNK : framedChunk(bytes, true));
    else if (none) this.response.end();
    else this.response.end(bytes);
  }

  onceDrained(resume: () => void): void {
    this.response.once('drain', resume);
  }
}
