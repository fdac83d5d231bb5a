import type { EngineState } from './engine-state.js';
import type { Exchange } from './exchange.js';
import type { JsonObject } from './simulated-text.js';

/** Answers a request that needs no body. */
export type Route = (exchange: Exchange, state: EngineState) => void;

/** Answers a request with a JSON object as its body. */
export type JsonRoute = (exchange: Exchange, state: EngineState, body: JsonObject) => void;
