// Clients of the light engine in C (bench/engine.c) that leave, and requests that fail there: all that ends otherwise.
import { setTimeout as sleep } from 'node:timers/promises';
import { chatBody, streamBody } from '../bench/bodies.mjs';
import { LoadClient } from './load-client.mjs';

const PATH = '/v1/chat/completions';
/** Seeds that the light engine takes for a wish to fail. */
const BROKEN = 7_002;
const statusSeed = (status) => 7_000 + status;

/** Bodies and what the client does with the answer. */
const KINDS = {
  'leaves in a stream': { body: streamBody(1_024, 200, 20), leaves: 'begun' },
  'leaves before the answer': { body: streamBody(1_024, 2, 5_000), leaves: 'soon' },
  'leaves in its body': { body: chatBody(64 * 1_024), leaves: 'sending' },
  'a stream that breaks': { body: streamBody(1_024, 20, BROKEN) },
  'status 500': { body: chatBody(1_024, { seed: statusSeed(500) }) },
  'status 503': { body: chatBody(1_024, { seed: statusSeed(503) }) },
  'status 404': { body: chatBody(1_024, { seed: statusSeed(404) }) },
};

/** Goes on at `rate` a second in turn until it is stopped; then all have ended. */
export class FailingClients {
  ended = Object.fromEntries(Object.keys(KINDS).map((name) => [name, 0]));
  #open = new Set();
  #number = 0;
  #timer;

  constructor(url, rate) {
    this.#timer = setInterval(() => this.#next(new LoadClient(url)), 1_000 / rate);
  }

  get count() {
    return this.#number;
  }

  async stop() {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  /** A connection of its own for each, as most that leave take it along. */
  #next(client) {
    const names = Object.keys(KINDS);
    const name = names[this.#number % names.length];
    const how = this.#number % 2 === 0 ? 'fin' : 'reset';
    this.#number += 1;
    const { body, leaves } = KINDS[name];
    const begun = { left: false };
    const exchange = client.request({
      path: PATH,
      headers: { connection: 'close' },
      body,
      chunked: leaves === 'sending',
      onBody: () => {
        if (leaves !== 'begun' || begun.left) return;
        begun.left = true;
        exchange.leave(how);
      },
    });
    if (leaves === 'soon') void sleep(30).then(() => exchange.leave(how));
    if (leaves === 'sending') setImmediate(() => exchange.leave(how));
    const one = exchange.answer
      .catch(() => undefined)
      .then(() => {
        this.ended[name] += 1;
        this.#open.delete(one);
      });
    this.#open.add(one);
  }
}
