import { once } from 'node:events';
import { createServer } from 'node:http';

/** The least that passes for an engine: names its models, answers every POST with its own name. */
export interface MiniEngine {
  readonly url: string;
  readonly name: string;
  close(): Promise<void>;
}

export async function startMiniEngine(name: string, models: readonly string[]): Promise<MiniEngine> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    if (request.url === '/v1/models') {
      response.end(JSON.stringify({ object: 'list', data: models.map((id) => ({ id, object: 'model' })) }));
    } else response.end(JSON.stringify({ engine: name }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    name,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Which engine answered a completion for `model` at the router. */
export async function answeredBy(
  router: string,
  model: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await fetch(`${router}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, prompt: 'x' }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${answer.status} ${text}`);
  return (JSON.parse(text) as { engine: string }).engine;
}
