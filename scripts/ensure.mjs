// Makes a fresh clone usable: installs the packages and builds dist when they are missing or out of date.
// Plain Node, since it runs before anything is installed.
//
//   node scripts/ensure.mjs            before the demo and the tests: install and build as needed
//   node scripts/ensure.mjs --prepare  npm's prepare script: as above, but never inside a running install
//   node scripts/ensure.mjs --stamp    after a build by hand: remember what dist was built from
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);

/** Set for the npm that this script starts, whose own prepare script then has nothing to do. */
const INSIDE = 'VLLM_ROUTER_ENSURE';

/** Written by npm at the end of every install. */
const NPM_RECORD = at('node_modules', '.package-lock.json');
const INSTALL_STAMP = at('node_modules', '.vllm-router-installed');
const BUILD_STAMP = at('node_modules', '.vllm-router-built');
const PAGE = at('page', 'build.mjs');
const NEST = at('node_modules', '@nestjs', 'cli', 'bin', 'nest.js');

/** npm writes its record and package-lock.json together, in either order. */
const SAME_INSTALL_MS = 5_000;

// stderr: stdout belongs to the npm command that runs this, `npm pack --json` for one.
const say = (text) => console.error(`vllm-router: ${text}`);

const hashOf = (files) => {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(at(file)))
      .update('\0');
  return hash.digest('hex');
};

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : null);

const lockHash = () => (existsSync(at('package-lock.json')) ? hashOf(['package-lock.json']) : 'none');

const filesIn = (folder) =>
  readdirSync(at(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1));

function sourceHash() {
  const sources = ['src', 'page']
    .filter((folder) => existsSync(at(folder)))
    .flatMap((folder) => filesIn(folder))
    .sort((a, b) => (a < b ? -1 : 1));
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'].filter((file) =>
    existsSync(at(file)),
  );
  return hashOf([...settings, ...sources]);
}

/** Why the packages must be installed, or null. */
function installReason() {
  if (!existsSync(NPM_RECORD)) return 'node_modules is missing';
  if (!existsSync(NEST)) return 'the development packages are missing';
  if (read(INSTALL_STAMP) === lockHash() || lockHash() === 'none') return null;
  const isOlder = statSync(NPM_RECORD).mtimeMs + SAME_INSTALL_MS < statSync(at('package-lock.json')).mtimeMs;
  return isOlder ? 'package-lock.json is newer than node_modules' : null;
}

function buildReason() {
  if (!existsSync(at('dist', 'main.js'))) return 'dist is missing';
  if (existsSync(PAGE) && !existsSync(at('dist', 'page', 'page.js'))) return 'the page is missing in dist';
  return read(BUILD_STAMP) === sourceHash() ? null : 'src is not what dist was built from';
}

/** What an npm of our own may know of the one around it: where packages come from, nothing of its task. */
const KEPT_SETTING =
  /^npm_config_(registry|cache|userconfig|globalconfig|proxy|https_proxy|noproxy|no_proxy|cafile|ca|strict_ssl|offline|prefer_offline|fetch_.*|maxsockets|loglevel|@.*)$/i;

function innerEnv() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_/i.test(name) || KEPT_SETTING.test(name),
  );
  return { ...Object.fromEntries(kept), [INSIDE]: '1' };
}

function run(command, args, env, shell = false) {
  const { status, error } = spawnSync(command, args, { cwd: root, env, shell, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  say(`${[command, ...args].join(' ')} failed${error ? `: ${error.message}` : ''}`);
  process.exit(status ?? 1);
}

function install(reason) {
  say(`installing the packages (npm ci, about a minute), because ${reason}`);
  const npm = process.env.npm_execpath ?? '';
  // Some packages name a newer Node than what is used of them needs: npm would warn of each. Errors are still told.
  const quiet = process.env.npm_config_loglevel === undefined ? ['--loglevel=error'] : [];
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', ...quiet];
  if (/npm-cli\.[cm]?js$/.test(npm)) run(process.execPath, [npm, ...args], innerEnv());
  else run('npm', args, innerEnv(), process.platform === 'win32');
}

function stamp() {
  if (existsSync(at('node_modules')) && existsSync(at('src'))) writeFileSync(BUILD_STAMP, sourceHash());
}

function build(reason) {
  say(`building dist (nest build), because ${reason}`);
  run(process.execPath, [NEST, 'build'], process.env);
  if (existsSync(PAGE)) run(process.execPath, [PAGE], process.env);
  stamp();
}

/** A production install in a clone brings no compiler on purpose; a global one packs the clone first. */
const leavesOutDevelopment = () =>
  existsSync(NPM_RECORD) &&
  !existsSync(NEST) &&
  process.env.npm_config_global !== 'true' &&
  (/\bdev\b/.test(process.env.npm_config_omit ?? '') || process.env.NODE_ENV === 'production');

function main(mode) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    say(`Node 20.19 or newer is needed, this is ${process.versions.node}`);
    process.exit(1);
  }
  if (process.env[INSIDE] === '1') return;
  if (mode === '--stamp') return stamp();
  if (mode === '--prepare') {
    if (!existsSync(at('src'))) return say('there is no src here, so nothing is built');
    if (leavesOutDevelopment()) return say('the development packages are left out, so dist is not built');
  }
  const missing = installReason();
  if (missing !== null) install(missing);
  writeFileSync(INSTALL_STAMP, lockHash());
  const stale = buildReason();
  if (stale !== null) build(stale);
}

main(process.argv[2]);
