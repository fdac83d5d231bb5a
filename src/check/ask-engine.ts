import { causeOfError } from '../core/attempt-failure.js';
import type { Asked, EngineReport } from '../core/check/engine-findings.js';
import type { EngineSpec, ServedModel } from '../core/engine.js';
import { reasonOf } from '../config/settings-error.js';
import { readModels } from '../discovery/model-prober.js';
import type { EngineAccess } from '../security/engine-access.js';
import { engineGet } from '../upstream/engine-get.js';

/** How long one question may take, milliseconds. */
const PATIENCE_MS = 5_000;
const LARGEST = 8 * 1_024 * 1_024;

/** Asks an engine all that the router would, and changes nothing there. Never rejects. */
export async function askEngine({ url, models }: EngineSpec, access: EngineAccess): Promise<EngineReport> {
  const apiKey = access.keyOf(url);
  const ask = async (path: string): Promise<Asked> => {
    try {
      return await engineGet(url, path, {
        timeoutMs: PATIENCE_MS,
        tls: access.tls,
        apiKey,
        maxBytes: LARGEST,
      });
    } catch (error) {
      return { cause: causeOf(error), reason: reasonOf(error) };
    }
  };
  const health = await ask('/health');
  // One that cannot be reached is not asked three times more.
  const [list, metrics, version] =
    'cause' in health
      ? [health, health, health]
      : await Promise.all(['/v1/models', '/metrics', '/version'].map(ask));
  return {
    ...{ url, configured: models ?? null, sentKey: apiKey !== null },
    ...{ health, models: list!, served: listOf(list!), metrics: metrics!, version: version! },
  };
}

function listOf(models: Asked): readonly ServedModel[] | null {
  if ('cause' in models || models.status !== 200) return null;
  try {
    return readModels(models.text);
  } catch {
    return null;
  }
}

function causeOf(error: unknown): ReturnType<typeof causeOfError> {
  const { name, code } = error as { name?: unknown; code?: unknown };
  if (name === 'TimeoutError') return 'connect_timeout';
  // Node's parser of HTTP, and OpenSSL where the other side answers in plain HTTP.
  if (typeof code === 'string' && (code.startsWith('HPE_') || code === 'EPROTO')) return 'garbage';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return 'garbage';
  return causeOfError(error);
}
