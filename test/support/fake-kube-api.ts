import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An object of the fake cluster. */
export interface FakeObject {
  metadata: { uid: string; name: string; labels?: Record<string, unknown>; resourceVersion?: string };
  status?: object;
  [key: string]: unknown;
}

/** A request as the fake API server saw it. */
export interface SeenRequest {
  readonly resource: string;
  readonly watch: boolean;
  readonly query: URLSearchParams;
  readonly authorization: string;
}

interface Change {
  readonly version: number;
  readonly resource: string;
  readonly type: string;
  readonly object: FakeObject;
}

interface OpenWatch {
  readonly resource: string;
  readonly selector: string;
  readonly response: ServerResponse;
}

/** A stand-in for the Kubernetes API server: lists and watches over real sockets, with faults on demand. */
export class FakeKubeApi {
  readonly seen: SeenRequest[] = [];
  /** Paths' last parts for which a list, a watch, gets 403. */
  readonly deniedLists = new Set<string>();
  readonly deniedWatches = new Set<string>();
  /** When set, only this bearer token is accepted. */
  token: string | null = null;
  /** Pages of lists hold at most so many objects. */
  pageSize = 500;
  /** Requests are accepted and never answered. */
  frozen = false;

  #server: Server | null = null;
  #port = 0;
  #version = 100;
  /** Watches from below this version are expired. */
  #oldest = 0;
  #changes: Change[] = [];
  readonly #objects = new Map<string, Map<string, FakeObject>>();
  readonly #watches = new Set<OpenWatch>();
  readonly #waiting = new Set<() => void>();

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before after a `stop`. */
  async start(): Promise<void> {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection. A restarted API server has forgotten old versions. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    this.resetWatches();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    this.#oldest = this.#version;
  }

  put(resource: string, object: FakeObject, tell = true): void {
    const before = this.#of(resource).get(object.metadata.uid);
    this.#of(resource).set(object.metadata.uid, object);
    this.#change(resource, before ? 'MODIFIED' : 'ADDED', object, before, tell);
  }

  /** With `tell` false the event is lost. */
  remove(resource: string, uid: string, tell = true): void {
    const object = this.#of(resource).get(uid);
    if (!object) return;
    this.#of(resource).delete(uid);
    this.#change(resource, 'DELETED', object, object, tell);
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** Ends every watch as `timeoutSeconds` does. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  resetWatches(): void {
    for (const { response } of this.#watches) response.socket?.resetAndDestroy();
  }

  /** Sends the event of an expired version and ends the watches. */
  expireWatches(): void {
    this.#oldest = this.#version;
    for (const { response } of this.#watches) response.end(`${EXPIRED}\n`);
  }

  /** Raw bytes into every open watch. */
  write(bytes: string | Buffer): void {
    for (const { response } of this.#watches) response.write(bytes);
  }

  /** Resolves when `condition` holds; looked at after every request and every end of a watch. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  #of(resource: string): Map<string, FakeObject> {
    const objects = this.#objects.get(resource) ?? new Map<string, FakeObject>();
    this.#objects.set(resource, objects);
    return objects;
  }

  #change(
    resource: string,
    type: string,
    object: FakeObject,
    before: FakeObject | undefined,
    tell: boolean,
  ): void {
    this.#version += 1;
    object.metadata.resourceVersion = String(this.#version);
    if (!tell) return;
    const change = { version: this.#version, resource, type, object };
    this.#changes.push(change);
    for (const watch of this.#watches) {
      if (watch.resource !== resource) continue;
      if (matches(watch.selector, object)) watch.response.write(line(change));
      else if (before && matches(watch.selector, before))
        watch.response.write(line({ ...change, type: 'DELETED' }));
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    const resource = url.pathname.split('/').at(-1) ?? '';
    const watch = url.searchParams.has('watch');
    const authorization = request.headers.authorization ?? '';
    this.seen.push({ resource, watch, query: url.searchParams, authorization });
    this.#look();
    if (this.frozen) return;
    if (this.token !== null && authorization !== `Bearer ${this.token}`)
      return status(response, 401, 'Unauthorized');
    const denied = watch ? this.deniedWatches : this.deniedLists;
    if (denied.has(resource)) {
      return status(
        response,
        403,
        `${resource} is forbidden: cannot ${watch ? 'watch' : 'list'} resource "${resource}"`,
      );
    }
    if (watch) this.#watch(resource, url.searchParams, response);
    else this.#list(resource, url.searchParams, response);
  }

  #list(resource: string, query: URLSearchParams, response: ServerResponse): void {
    const selector = query.get('labelSelector') ?? '';
    const all = [...this.#of(resource).values()].filter((object) => matches(selector, object));
    const from = Number(query.get('continue') ?? 0);
    const to = from + Math.min(Number(query.get('limit') ?? this.pageSize), this.pageSize);
    const metadata = {
      resourceVersion: String(this.#version),
      ...(to < all.length && { continue: String(to) }),
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ kind: 'List', metadata, items: all.slice(from, to) }));
  }

  #watch(resource: string, query: URLSearchParams, response: ServerResponse): void {
    const version = Number(query.get('resourceVersion') ?? 0);
    response.setHeader('content-type', 'application/json');
    if (version < this.#oldest) {
      response.end(`${EXPIRED}\n`);
      return;
    }
    const watch = { resource, selector: query.get('labelSelector') ?? '', response };
    response.flushHeaders();
    for (const change of this.#changes) {
      if (
        change.resource === resource &&
        change.version > version &&
        matches(watch.selector, change.object)
      ) {
        response.write(line(change));
      }
    }
    this.#watches.add(watch);
    response.once('close', () => {
      this.#watches.delete(watch);
      this.#look();
    });
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

const EXPIRED = JSON.stringify({
  type: 'ERROR',
  object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (2)' },
});

function line(change: Change): string {
  return `${JSON.stringify({ type: change.type, object: change.object })}\n`;
}

function status(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', status: 'Failure', message, code }));
}

function matches(selector: string, object: FakeObject): boolean {
  if (selector === '') return true;
  return selector.split(',').every((part) => {
    const [key = '', value] = part.split('=');
    return object.metadata.labels?.[key] === value;
  });
}

/** A pod of the fake cluster: Running and Ready unless told otherwise. */
export function fakePod(name: string, overrides: FakePodOverrides = {}): FakeObject {
  const {
    uid = `uid-${name}`,
    ip = '10.0.0.1',
    phase = 'Running',
    ready = true,
    labels = { app: 'vllm' },
  } = overrides;
  return {
    metadata: {
      uid,
      name,
      labels,
      ...(overrides.terminating && { deletionTimestamp: '2030-01-01T00:00:00Z' }),
    },
    status: {
      phase,
      ...(ip !== null && { podIP: ip }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
}

export interface FakePodOverrides {
  readonly uid?: string;
  readonly ip?: string | null;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly terminating?: boolean;
  readonly labels?: Record<string, unknown>;
}
