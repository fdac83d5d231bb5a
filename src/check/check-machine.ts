import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { readTextFileSync } from '../config/read-text-file.js';
import { reasonOf } from '../config/settings-error.js';
import type { Settings } from '../config/settings.schema.js';
import { type Finding, problem, warning } from '../core/check/finding.js';

/** A certificate that ends sooner is worth a word, milliseconds. */
const SOON_MS = 30 * 24 * 3_600 * 1_000;
/** Files that a router of some hundred streams has open: two connections for each. */
const FEW_FILES = 4_096;

/** Whether this machine gives the router what its settings ask for. */
export async function machineFindings(settings: Settings): Promise<Finding[]> {
  const { host, port, adminHost, adminPort, workers } = settings;
  const findings = [
    await portFinding('--port', host, port),
    adminPort === null ? null : await portFinding('--admin-port', adminHost, adminPort),
    await openFilesFinding(settings),
    ...certificateFindings(settings, Date.now()),
  ].filter((finding) => finding !== null);
  const cores = availableParallelism();
  if (workers > cores) {
    findings.push(
      warning(
        `--workers ${workers}: there are ${cores} cores here`,
        'give one worker for each core that the router may use; more of them only take memory',
      ),
    );
  }
  return findings;
}

async function portFinding(flag: string, host: string, port: number): Promise<Finding | null> {
  if (port === 0) return null;
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      return warning(
        `${flag} ${port}: something listens there already`,
        'well if it is this router that runs already; else give a free port',
      );
    }
    return problem(
      `${flag} ${port} at ${host}: ${reasonOf(error)}`,
      'give a port above 1023 and an address of this machine',
    );
  } finally {
    server.close();
  }
}

/** Linux alone tells how many files a process may have open. */
async function openFilesFinding({ maxConnections }: Settings): Promise<Finding | null> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  const needs = maxConnections > 0 ? 2 * maxConnections : FEW_FILES;
  if (most >= needs) return null;
  const why =
    maxConnections > 0 ? `--max-connections ${maxConnections} may need ${needs}` : 'each request needs two';
  return warning(
    `a process may have ${most} files open, and ${why}`,
    'raise it: ulimit -n 65536, LimitNOFILE= of systemd',
  );
}

/** @param now milliseconds since the epoch */
function certificateFindings({ sslCertfile, engineSslCertfile }: Settings, now: number): Finding[] {
  const files = { '--ssl-certfile': sslCertfile, '--engine-ssl-certfile': engineSslCertfile };
  return Object.entries(files).flatMap(([flag, path]) => {
    if (path === null) return [];
    const { validTo } = new X509Certificate(readTextFileSync(path));
    const left = Date.parse(validTo) - now;
    if (left >= SOON_MS) return [];
    const todo = 'put a new one in its place; the router follows the file';
    return [
      left < 0
        ? problem(`${flag}: it ended on ${validTo}`, todo)
        : warning(`${flag}: it ends on ${validTo}`, todo),
    ];
  });
}
