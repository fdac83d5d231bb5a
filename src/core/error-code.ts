/** What an answer that the router gives itself says by its `error.code`. */
export interface ErrorMeaning {
  /** Those that it comes with. */
  readonly statuses: readonly number[];
  /** When, for who reads the documentation. */
  readonly meaning: string;
}

/** Stable words for the reason of an answer that the router gives itself (`error.code`). */
export const ERROR_CODES = {
  invalid_json: { statuses: [400], meaning: 'The body is no JSON, or nested too deep.' },
  invalid_request: {
    statuses: [400, 413, 415],
    meaning: 'The request cannot be read, or a value of it is not allowed; the message says which.',
  },
  model_required: { statuses: [400], meaning: 'Neither the body nor the query names a model.' },
  invalid_api_key: { statuses: [401], meaning: 'A key is asked for, and this is none.' },
  actions_off: { statuses: [403], meaning: 'The router has no `--admin-key`, so nobody may act.' },
  model_not_found: {
    statuses: [404],
    meaning: 'No engine serves the model; the message names those that exist.',
  },
  route_not_found: { statuses: [404], meaning: 'There is no such route here.' },
  engine_not_found: { statuses: [404], meaning: 'No engine of the fleet has that id or URL.' },
  request_timeout: { statuses: [408], meaning: 'The request did not arrive in time.' },
  nothing_to_reload: { statuses: [409], meaning: 'The router follows no file.' },
  request_too_large: { statuses: [413], meaning: 'The body is larger than `--max-body-size`.' },
  headers_too_large: { statuses: [431], meaning: 'The head is larger than `--max-header-size`.' },
  overloaded: {
    statuses: [429, 503],
    meaning: 'Too much is under way; 429: the answer would begin too late (`--ttft-target`).',
  },
  internal_error: { statuses: [500, 503], meaning: 'A fault of the router itself.' },
  engine_unreachable: {
    statuses: [502],
    meaning: 'Every engine that was tried has failed; the message says how.',
  },
  stream_interrupted: { statuses: [502], meaning: 'In a stream that has begun: its engine broke off.' },
  discovery_failed: { statuses: [502], meaning: 'The discovery cannot begin anew; the one in force stays.' },
  no_engine_ready: { statuses: [503], meaning: 'Engines serve the model, and none of them is ready.' },
  not_synced: { statuses: [503], meaning: 'The engines are not known yet.' },
  shutting_down: { statuses: [503], meaning: 'The router is going down.' },
  engine_timeout: {
    statuses: [504],
    meaning: "An engine did not answer in time, or not within the client's own limit.",
  },
} as const satisfies Readonly<Record<string, ErrorMeaning>>;

export type ErrorCode = keyof typeof ERROR_CODES;
