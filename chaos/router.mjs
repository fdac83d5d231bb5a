// The router under test: its process, the dynamic file it follows, and what it tells of itself.
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT, Running, untilReady } from '../show/processes.mjs';
import { IN_FLIGHT_GAUGES, metrics, sumOf } from '../show/router-state.mjs';

/** Lines that a router must never write. */
const DISASTER =
  /unhandled|uncaught|(Type|Range|Reference|Syntax|Assertion)Error|ERR_ASSERTION|heap out of memory|internal_error|MaxListeners|^\s+at .+:\d+:\d+\)?$/i;

/** A busy machine takes long to start a process. */
const SLOW_START_MS = 120_000;

/** Flags of the timeouts: short, so that what hangs is found within a run, and longer than a busy machine's hiccups. */
const TIMEOUTS = [
  ...['--connect-timeout', '2', '--first-byte-timeout', '6', '--idle-timeout', '6', '--total-timeout', '40'],
  ...['--client-header-timeout', '10', '--client-body-timeout', '20'],
];

export class ChaosRouter {
  #file;
  #descriptors = 0;
  process = null;
  url = '';
  /** Lines that should not be there, at most 50. */
  disasters = [];

  constructor(folder) {
    this.folder = folder;
    this.#file = join(folder, 'dynamic.json');
    this.decisionFile = join(folder, 'decisions.jsonl');
  }

  /** @param {object} fleet as for `put` @param {string[]} flags */
  async start(fleet, flags) {
    this.put(fleet);
    const known = dynamicFlags(fleet);
    const argv = [
      ...[
        join(ROOT, 'dist', 'main.js'),
        '--host',
        '127.0.0.1',
        '--port',
        '0',
        '--log-level',
        'info',
        ...known,
      ],
      ...[
        '--dynamic-config-json',
        this.#file,
        '--dynamic-config-interval',
        '0.2',
        '--engine-stats-interval',
        '2',
      ],
      ...['--decision-log', this.decisionFile, '--decision-log-size', '4GiB', ...TIMEOUTS, ...flags],
    ];
    this.process = new Running(process.execPath, argv);
    const [, address] = await this.process.says(/listening on (?:http:\/\/)?([\d.]+:\d+)/, SLOW_START_MS);
    this.url = `http://${address}`;
    await untilReady(this.url, SLOW_START_MS);
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  /** Replaces the dynamic file; text as it is, an object as JSON. */
  put(content) {
    writeFileSync(`${this.#file}.new`, typeof content === 'string' ? content : JSON.stringify(content));
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** Whether the settings in force are these. */
  async follows({ static_backends: backends }) {
    const { dynamic_config: config } = await (await fetch(`${this.url}/health`)).json();
    return config?.static_backends === backends;
  }

  /** Looks at what it has written since the last look. */
  look() {
    const { output } = this.process;
    for (const line of output.slice(Math.max(0, output.length - 32_768)).split('\n')) {
      if (DISASTER.test(line) && this.disasters.length < 50 && !this.disasters.includes(line))
        this.disasters.push(line);
    }
  }

  async figures() {
    const samples = await metrics(this);
    const one = (name) => samples.get(name) ?? sumOf(samples, name);
    return {
      samples,
      inFlight: Object.fromEntries(IN_FLIGHT_GAUGES.map((name) => [name, sumOf(samples, name)])),
      bodyBytes: one('vllm_router_body_memory_bytes'),
      rssMiB: one('process_resident_memory_bytes') / 2 ** 20,
      heapMiB: one('nodejs_heap_size_used_bytes') / 2 ** 20,
    };
  }

  /** Remembers how many file descriptors are open. */
  countAtFirst() {
    this.#descriptors = this.#openNow();
  }

  /** How many more are open by now; 0 where there is no /proc. */
  moreDescriptors() {
    return this.#openNow() - this.#descriptors;
  }

  #openNow() {
    const folder = `/proc/${this.process.pid}/fd`;
    return existsSync(folder) ? readdirSync(folder).length : 0;
  }

  /** What it decided of each request, by id. */
  decisions() {
    const out = new Map();
    for (const line of readFileSync(this.decisionFile, 'utf8').split('\n')) {
      if (line === '') continue;
      const record = JSON.parse(line);
      out.set(record.id, record);
    }
    return out;
  }
}

/** A fleet and a strategy in the words of the dynamic file; an engine is named once for each model. */
export function fleetFile(engines, strategy) {
  const served = engines.flatMap(({ url, models }) => models.map((model) => ({ url, model })));
  return {
    service_discovery: 'static',
    routing_logic: strategy,
    ...(strategy === 'session' ? { session_key: 'x-user-id' } : {}),
    static_backends: served.map(({ url }) => url).join(','),
    static_models: served.map(({ model }) => model).join(','),
  };
}

const dynamicFlags = (fleet) =>
  Object.entries(fleet).flatMap(([name, value]) => [`--${name.replaceAll('_', '-')}`, value]);
