import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { parseFault } from './fault.js';
import { isObject } from './simulated-text.js';
import type { SimulatedEngine } from './simulated-engine.js';
import type { SimulatedModel } from './wire-format.js';

/**
 * `/sim/*`: drives an engine that runs as a process of its own. `POST /sim/fault` sets a fault (null for none), `GET`
 * tells it, `DELETE` lifts it; `POST /sim/models` (a list of names or cards), `POST /sim/pause`, `POST /sim/resume`,
 * `GET /sim/stats`.
 */
export async function controlRoute(
  engine: SimulatedEngine,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = (status: number, value: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  try {
    const text = (await buffer(request)).toString();
    const value: unknown = text === '' ? null : JSON.parse(text);
    switch (`${request.method} ${request.url}`) {
      case 'POST /sim/fault':
        await engine.setFault(value === null ? null : parseFault(value));
        break;
      case 'DELETE /sim/fault':
        await engine.setFault(null);
        break;
      case 'GET /sim/fault':
        return answer(200, { fault: engine.currentFault });
      case 'POST /sim/models':
        engine.models = readModels(value);
        break;
      case 'POST /sim/pause':
        engine.pause();
        break;
      case 'POST /sim/resume':
        engine.resume();
        break;
      case 'GET /sim/stats':
        break;
      default:
        return answer(404, { error: 'no such control route' });
    }
    const { requestCount, inFlight, aborted, connectionCount, running, waiting } = engine;
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    answer(200, { requestCount, inFlight, aborted, connectionCount, running, waiting, cpuSeconds });
  } catch (error) {
    answer(400, { error: error instanceof Error ? error.message : String(error) });
  }
}

function readModels(value: unknown): (string | SimulatedModel)[] {
  if (!Array.isArray(value)) throw new Error('models are a JSON list');
  return value.map((item: unknown) => {
    if (typeof item === 'string') return item;
    if (isObject(item) && typeof item.id === 'string') return item as unknown as SimulatedModel;
    throw new Error('a model is a name or an object with an id');
  });
}
