import { PAUSE_MODES, type PauseMode } from './engine-switches.js';
import type { Exchange } from './exchange.js';
import type { Route } from './route.js';
import { badRequest } from './wire-format-other.js';

const queryOf = (exchange: Exchange): URLSearchParams => new URL(exchange.path, 'http://engine').searchParams;

/** The `mode` of a pause or sleep; answers and returns null when there is no such mode. */
function modeOf(exchange: Exchange): PauseMode | null {
  const given = queryOf(exchange).get('mode') ?? 'abort';
  const mode = PAUSE_MODES.find((one) => one === given) ?? null;
  if (mode === null)
    exchange.sendError(badRequest(`Invalid mode: ${given}. Must be one of abort, wait, keep.`));
  return mode;
}

const pause: Route = (exchange, { switches }) => {
  const mode = modeOf(exchange);
  if (mode !== null) void switches.pause(mode).then(() => exchange.sendJson(200, { status: 'paused' }));
};

const sleep: Route = (exchange, { switches }) => {
  const level = queryOf(exchange).get('level') === '2' ? 2 : 1;
  const mode = modeOf(exchange);
  if (mode === null) return;
  void switches.sleep(level, mode).then(() => exchange.sendJson(200, { status: 'sleeping', level }));
};

/** What only `VLLM_SERVER_DEV_MODE=1` opens. */
export const DEV_ROUTES: Readonly<
  Record<string, { readonly method: 'GET' | 'POST'; readonly answer: Route }>
> = {
  '/pause': { method: 'POST', answer: pause },
  '/resume': {
    method: 'POST',
    answer: (exchange, { switches }) => {
      switches.resume();
      exchange.sendJson(200, { status: 'resumed' });
    },
  },
  '/is_paused': {
    method: 'GET',
    // It asks the engine's core, which does not answer when it is frozen.
    answer: (exchange, { switches, frozenMetrics }) => {
      if (frozenMetrics === null) exchange.sendJson(200, { is_paused: switches.paused });
    },
  },
  '/sleep': { method: 'POST', answer: sleep },
  '/wake_up': {
    method: 'POST',
    answer: (exchange, { switches }) => {
      const tags = queryOf(exchange).getAll('tags');
      switches.wake();
      exchange.sendJson(200, { status: 'awake', tags: tags.length === 0 ? null : tags });
    },
  },
  '/is_sleeping': {
    method: 'GET',
    answer: (exchange, { switches }) => exchange.sendJson(200, { is_sleeping: switches.asleep }),
  },
  '/reset_prefix_cache': {
    method: 'POST',
    answer: (exchange, { model }) => exchange.sendJson(200, { success: model.resetPrefixCache() }),
  },
};
