import { createSecureContext } from 'node:tls';
import { readTextFileSync } from '../config/read-text-file.js';
import { reasonOf, SettingsError } from '../config/settings-error.js';
import type { Settings } from '../config/settings.schema.js';
import { readEngineKeyFile } from '../core/access/engine-key-file.js';
import { readKeyFile } from '../core/access/key-file.js';
import { tlsFiles, tlsOf } from './server-tls.js';

/**
 * Reads every file of keys and certificates once, before anything starts.
 * @throws {SettingsError} with all that cannot be in force
 */
export function checkSecurityFiles(settings: Settings): void {
  const problems: string[] = [];
  const check = (
    flags: string,
    paths: readonly (string | null)[],
    read: (texts: string[]) => unknown,
  ): void => {
    try {
      const texts = paths.flatMap((path) => (path === null ? [] : [readTextFileSync(path)]));
      if (texts.length > 0) read(texts);
    } catch (error) {
      problems.push(`${flags}: ${reasonOf(error)}`);
    }
  };
  check('--api-key-file', [settings.apiKeyFile], ([text = '']) => readKeyFile(text));
  check('--engine-api-key-file', [settings.engineApiKeyFile], ([text = '']) => readEngineKeyFile(text));
  const tls = tlsFiles(settings);
  if (tls !== null) check(tls.flags, tls.paths, tlsOf);
  check('--engine-ssl-ca-certs', [settings.engineSslCaCerts], ([ca = '']) => createSecureContext({ ca }));
  const { engineSslCertfile, engineSslKeyfile } = settings;
  check(
    '--engine-ssl-certfile, --engine-ssl-keyfile',
    [engineSslCertfile, engineSslKeyfile],
    ([cert = '', key = '']) => createSecureContext({ cert, key }),
  );
  if (problems.length > 0) throw new SettingsError(problems);
}
