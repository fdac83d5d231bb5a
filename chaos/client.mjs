// Clients over raw sockets, good ones and others: each plays one request and tells what came back.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerReader } from './answer-reader.mjs';

/** Idle connections are used again for so long, milliseconds; the router keeps its own longer. */
const REUSE_MS = 2_000;
const MOST_IDLE = 32;

const NOTHING = Buffer.alloc(0);
const SECOND = Buffer.from('GET /version HTTP/1.1\r\nhost: router\r\n\r\n');
const closes = ({ headers }) => /close/i.test(headers.get('connection') ?? '');

/**
 * @typedef {{ startedAt: number, endedAt: number, firstAt: number | null, status: number | null,
 *   headers: Map<string, string>, body: Buffer, complete: boolean, malformed: string | null, closed: string | null,
 *   left: boolean, timedOut: boolean, reused: boolean, second: boolean, stalled: boolean }} Came
 */

class Connection {
  idleSince = 0;
  used = false;
  #exchange = null;
  #socket;

  constructor(port, onClosed) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    this.#socket = socket;
    const reader = new AnswerReader({
      head: (status, headers) => this.#exchange?.head(status, headers),
      body: (bytes) => this.#exchange?.bytes(bytes),
      end: () => this.#exchange?.whole(),
    });
    socket.on('data', (bytes) => {
      if (this.#exchange === null) return this.#over('bytes that nobody asked for', true);
      try {
        reader.push(bytes);
      } catch (error) {
        this.#over(error.message, true);
      }
      return undefined;
    });
    socket.on('error', (error) => this.#over(error.code ?? error.message));
    socket.on('end', () => {
      if (!reader.close()) this.#over('fin');
      socket.end();
    });
    socket.on('close', () => {
      this.#over('closed');
      onClosed(this);
    });
  }

  get socket() {
    return this.#socket;
  }

  /** Answers from now on are this exchange's; null: nobody's. */
  belongs(exchange) {
    this.#exchange = exchange;
  }

  #over(why, isMalformed = false) {
    const exchange = this.#exchange;
    this.#exchange = null;
    if (isMalformed && exchange === null) this.strayed = why;
    exchange?.cut(why, isMalformed);
    if (isMalformed) this.#socket.destroy();
  }
}

export class Clients {
  #idle = [];
  /** What came on connections on which nobody waited; must stay empty. */
  stray = [];

  /** @param {number} port the router's @param {number} boundMs after which a client gives up */
  constructor(port, boundMs) {
    this.port = port;
    this.boundMs = boundMs;
  }

  /** Plays one request to its end. @returns {Promise<Came>} */
  async play(asked) {
    const connection = this.#connection(asked);
    const { socket } = connection;
    const came = {
      startedAt: performance.now(),
      endedAt: 0,
      firstAt: null,
      status: null,
      headers: new Map(),
      body: Buffer.alloc(0),
      complete: false,
      malformed: null,
      closed: null,
      left: false,
      timedOut: false,
      reused: connection.used,
      second: false,
      stalled: false,
    };
    connection.used = true;
    const pieces = [];
    let size = 0;
    let over;
    let done = false;
    const isOver = new Promise((resolve) => (over = resolve));
    connection.belongs({
      head: (status, headers) => {
        if (came.complete) return;
        came.status = status;
        came.headers = headers;
      },
      bytes: (bytes) => {
        if (came.complete) return;
        came.firstAt ??= performance.now();
        pieces.push(Buffer.from(bytes));
        size += bytes.length;
        if (asked.behaviour === 'leaves in the answer' && size > asked.dice[0] * 3_000) leave();
        if (asked.behaviour === 'stalls' && !came.stalled && size > asked.dice[0] * 2_000) void stall();
      },
      whole: () => {
        // The second answer on a connection is that of the request that was sent together with the first.
        if (came.complete) came.second = true;
        came.complete = true;
        const more = asked.behaviour === 'pipelines' && !came.second && !closes(came);
        if (more) return;
        done = true;
        over();
      },
      cut: (why, isMalformed) => {
        if (done) return;
        if (isMalformed || came.complete) came.malformed = came.complete ? `the second answer: ${why}` : why;
        came.closed = why;
        over();
      },
    });
    const leave = () => {
      came.left = true;
      if (asked.dice[1] < 0.5) socket.destroy();
      else socket.resetAndDestroy();
      over();
    };
    const stall = async () => {
      came.stalled = true;
      socket.pause();
      await sleep(300 + asked.dice[1] * 2_000);
      socket.resume();
    };
    const limit = setTimeout(() => {
      came.timedOut = true;
      over();
    }, this.boundMs);
    void this.#send(asked, socket, leave).catch(() => undefined);
    await isOver;
    clearTimeout(limit);
    came.endedAt = performance.now();
    came.body = Buffer.concat(pieces);
    connection.belongs(null);
    this.#rest(connection, came, asked);
    return came;
  }

  close() {
    for (const { socket } of this.#idle.splice(0)) socket.destroy();
  }

  #connection({ behaviour, dice }) {
    const now = performance.now();
    while (this.#idle.length > 0) {
      const connection = this.#idle.pop();
      const fresh = now - connection.idleSince < REUSE_MS && !connection.socket.destroyed;
      if (fresh && behaviour !== 'closes its side' && dice[2] < 0.8) return connection;
      connection.socket.destroy();
    }
    return new Connection(this.port, (connection) => {
      this.#idle = this.#idle.filter((other) => other !== connection);
      if (connection.strayed !== undefined) this.stray.push(connection.strayed);
    });
  }

  #rest(connection, came, { good }) {
    const { socket } = connection;
    if (good && came.complete && !closes(came) && this.#idle.length < MOST_IDLE) {
      connection.idleSince = performance.now();
      this.#idle.push(connection);
    } else socket.destroy();
  }

  async #send(asked, socket, leave) {
    const { behaviour, dice, body } = asked;
    const lie = behaviour === 'tells a smaller length' ? -1 - Math.floor((dice[0] * body.length) / 2) : 0;
    const more = behaviour === 'tells a larger length' ? 1 + Math.floor(dice[0] * 1_000) : 0;
    const lines = [`POST ${asked.path} HTTP/1.1`, 'host: router', 'content-type: application/json'];
    for (const [name, value] of Object.entries(asked.headers)) lines.push(`${name}: ${value}`);
    lines.push(`content-length: ${body.length + lie + more}`);
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    if (behaviour === 'leaves before its body') {
      socket.write(head.subarray(0, Math.floor(head.length * (0.3 + dice[0] * 0.7))));
      await sleep(dice[1] * 300);
      return leave();
    }
    if (behaviour === 'leaves in its body') {
      socket.write(Buffer.concat([head, body.subarray(0, Math.floor(body.length * dice[0]))]));
      await sleep(dice[1] * 300);
      return leave();
    }
    if (behaviour === 'trickles') return trickle(socket, head, body, dice);
    socket.write(Buffer.concat([head, body, behaviour === 'pipelines' ? SECOND : NOTHING]));
    if (behaviour === 'closes its side') socket.end();
    // A liar about lengths gives up at some time, and so does who waits no longer.
    if (more > 0 || lie < 0) await sleep(500 + dice[1] * 2_000);
    else if (behaviour === 'leaves while it waits') await sleep(dice[0] * 600);
    else return undefined;
    return leave();
  }
}

/** The body in ten pieces over a second or so, the head in two. */
async function trickle(socket, head, body, dice) {
  socket.write(head.subarray(0, 20));
  await sleep(dice[0] * 200);
  socket.write(head.subarray(20));
  const step = Math.ceil(body.length / 10);
  for (let at = 0; at < body.length; at += step) {
    await sleep(dice[1] * 150);
    if (socket.destroyed) return;
    socket.write(body.subarray(at, at + step));
  }
}
