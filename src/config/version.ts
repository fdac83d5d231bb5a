import { readFileSync } from 'node:fs';

/** The version of the package, as `--version` and `/version` tell it. */
export function routerVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
