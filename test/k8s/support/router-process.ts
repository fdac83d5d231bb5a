import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';

/** An answer of the router, its body parsed. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** The router's own program, as a container would run it. */
export class RouterProcess {
  readonly #output: string[] = [];

  private constructor(
    private readonly child: ChildProcess,
    private readonly origin: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text) => this.#output.push(String(text)));
  }

  /** Starts `dist/main.js` and waits until it answers. */
  static async start(args: readonly string[], env: NodeJS.ProcessEnv): Promise<RouterProcess> {
    const port = await freePort();
    const all = [`${process.cwd()}/dist/main.js`, ...args, '--host=127.0.0.1', `--port=${port}`];
    const child = spawn(process.execPath, all, { env: { PATH: process.env['PATH'], ...env } });
    const router = new RouterProcess(child, `http://127.0.0.1:${port}`);
    for (let tries = 0; tries < 600; tries += 1) {
      if (child.exitCode !== null) break;
      if (await router.get('/health').catch(() => null)) return router;
      await pause(50);
    }
    child.kill('SIGKILL');
    throw new Error(`the router did not start (exit code ${child.exitCode}):\n${router.output}`);
  }

  get output(): string {
    return this.#output.join('');
  }

  async get(path: string): Promise<Answer> {
    const { statusCode, body } = await request(this.origin + path);
    return { status: statusCode, body: (await body.json()) as Record<string, unknown> };
  }

  async chat(model: string, content = 'hi'): Promise<Answer> {
    const { statusCode, body } = await request(`${this.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content }] }),
    });
    return { status: statusCode, body: (await body.json()) as Record<string, unknown> };
  }

  /** The ids of `GET /v1/models`. */
  async models(): Promise<readonly string[]> {
    const { data } = (await this.get('/v1/models')).body;
    return (data as { id: string }[]).map(({ id }) => id);
  }

  /** SIGTERM; its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }
}

/** What an engine is told to hold back until its server emits `answer`; it emits `held` then. */
export const HELD = 'hold this back';

/** The least that looks like an engine: one model, and answers that name the engine. */
export async function startEngine(ip: string, port: number, model: string): Promise<Server> {
  const server = createServer((incoming, response) => {
    response.setHeader('content-type', 'application/json');
    const card = { object: 'list', data: [{ id: model, object: 'model' }] };
    const answer = (): void =>
      void response.end(
        JSON.stringify(incoming.url === '/v1/models' ? card : { id: ip, model, choices: [] }),
      );
    void textOf(incoming).then((body) => {
      if (!body.includes(HELD)) return answer();
      server.once('answer', answer);
      server.emit('held');
    });
  });
  server.listen(port, ip);
  await once(server, 'listening');
  return server;
}

export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
