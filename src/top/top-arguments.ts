import { parseArgs } from 'node:util';
import { SettingsError } from '../config/settings-error.js';
import { SORTS, type Sort } from '../core/top/top-text.js';

/** What `vllm-router top` was asked for. */
export interface TopArguments {
  readonly url: string;
  readonly adminKey: string | null;
  /** Between two looks. */
  readonly intervalMs: number;
  readonly sort: Sort;
  /** Look once, and print it. */
  readonly once: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** Flags of `vllm-router top`, by their names without dashes. */
export const TOP_FLAGS = {
  url: { type: 'string' },
  'admin-key': { type: 'string' },
  interval: { type: 'string' },
  sort: { type: 'string' },
  once: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const DEFAULT_URL = 'http://127.0.0.1:8001';

export const TOP_HELP = `Usage: vllm-router top [flags]

Shows a running router in the terminal: its engines with their state, load and latency, and what has gone wrong in the last
minute. The figures are those of /metrics and /health. Where the output is no terminal it prints them once.

Flags:
  --url <url>          the router, or its admin port where it has one (default: ${DEFAULT_URL})
  --admin-key <key>    of a router that asks for one; better by VLLM_ROUTER_ADMIN_KEY
  --interval <s>       seconds between two looks, 0.5 to 60 (default: 2)
  --sort <by>          ${SORTS.join(', ')} (default: name)
  --once               look once and print it; figures are since the router's start
  --json               the same as JSON
  -h, --help           print this help

Keys: q ends, s sorts by the next of these.
Exit code of --once: 0 when the router is ready, 1 when it is not or cannot be reached.
`;

/**
 * @param env of which VLLM_ROUTER_ADMIN_KEY is read
 * @throws {SettingsError} with every problem
 */
export function readTopArguments(argv: readonly string[], env: NodeJS.ProcessEnv): TopArguments {
  const problems: string[] = [];
  const values = parsed(argv, problems);
  const { url = DEFAULT_URL, interval = '2', sort = 'name' } = values;
  const key = values['admin-key'] ?? env['VLLM_ROUTER_ADMIN_KEY'] ?? '';
  const address = url.includes('://') ? url : `http://${url}`;
  if (!isBase(address))
    problems.push(`--url ${url}: a URL of http or https without a query, as ${DEFAULT_URL}`);
  const seconds = Number(interval);
  if (!(seconds >= 0.5 && seconds <= 60)) problems.push(`--interval ${interval}: seconds from 0.5 to 60`);
  if (!SORTS.some((one) => one === sort)) problems.push(`--sort ${sort}: one of ${SORTS.join(', ')}`);
  if (!/^[\x21-\x7e]*$/.test(key)) problems.push('--admin-key: printable ASCII without spaces');
  if (problems.length > 0) throw new SettingsError(problems);
  const { once = false, json = false, help = false } = values;
  return {
    url: address.replace(/\/+$/, ''),
    adminKey: key === '' ? null : key,
    intervalMs: seconds * 1_000,
    sort: sort as Sort,
    once: once || json,
    json,
    help,
  };
}

function isBase(text: string): boolean {
  if (!/^https?:/i.test(text) || !URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return username === '' && password === '' && search === '' && hash === '';
}

function parsed(argv: readonly string[], problems: string[]) {
  try {
    return parseArgs({ args: [...argv], options: TOP_FLAGS }).values;
  } catch (error) {
    problems.push(`top: ${error instanceof Error ? error.message : String(error)}`);
    return {};
  }
}
