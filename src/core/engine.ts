/**
 * One served name of an engine, as its own `GET /v1/models` tells it. `card` is the engine's entry
 * untouched, so that fields such as `max_model_len` reach clients; it is absent when the name comes
 * from the settings and the engine has not been asked yet.
 */
export interface ServedModel {
  readonly id: string;
  /** The base model, when this name is a LoRA adapter. */
  readonly parent: string | null;
  readonly card?: Readonly<Record<string, unknown>>;
}

/** What a discovery provider knows of one engine. */
export interface EngineSpec {
  /**
   * Identity of the engine's process: counters, connections and its health live and die with it.
   * The base URL for static engines; a provider whose addresses are reused (pod IPs) adds what tells
   * the successor apart (the pod's uid).
   */
  readonly id: string;
  /** Base URL without a trailing slash, e.g. `http://10.0.0.7:8000` or `https://host/prefix`. */
  readonly url: string;
  /** Names the engine serves by configuration; absent: they are learned from its `/v1/models`. */
  readonly models?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** One vLLM server that the router may send to, with the models it serves now. */
export interface Engine {
  readonly id: string;
  readonly url: string;
  readonly models: readonly ServedModel[];
  readonly labels: Readonly<Record<string, string>>;
}
