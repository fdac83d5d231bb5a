import { createSecureContext } from 'node:tls';
import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { EVERY_OTHER, readEngineKeyFile } from '../core/access/engine-key-file.js';
import { FollowedFiles } from './followed-files.js';

/** What TLS to engines is made with; what is left out is Node's own. PEM. */
export interface EngineTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How the router shows itself to engines, and whom it trusts to be one: `VLLM_API_KEY` and the flags `--engine-*`. */
@Injectable()
export class EngineAccess {
  /** As many as the lines of a file of 1 MiB; null: no engine wants a key of its own. */
  #keys: ReadonlyMap<string, string> | null = null;
  readonly #usual: string | null;
  #tls: EngineTls | null = null;

  /** @throws {SettingsError} when a file cannot be in force */
  constructor(settings: SettingsStore, files: FollowedFiles) {
    const { current } = settings;
    this.#usual = current.vllmApiKey;
    if (current.engineApiKeyFile !== null) {
      const take = ([text = '']: readonly string[]): void => void (this.#keys = readEngineKeyFile(text));
      files.follow('--engine-api-key-file', [current.engineApiKeyFile], take);
    }
    this.#followTls(files, current.engineSslCaCerts, current.engineSslCertfile, current.engineSslKeyfile);
  }

  /** The key that an engine wants, by its base URL; null for none. */
  keyOf(url: string): string | null {
    return this.#keys?.get(url) ?? this.#keys?.get(EVERY_OTHER) ?? this.#usual;
  }

  /** For connections that are made from now on; null: as Node does. */
  get tls(): EngineTls | null {
    return this.#tls;
  }

  #followTls(files: FollowedFiles, ca: string | null, cert: string | null, key: string | null): void {
    const given = Object.entries({ ca, cert, key }).filter(
      (entry): entry is [string, string] => entry[1] !== null,
    );
    if (given.length === 0) return;
    const flags = { ca: '--engine-ssl-ca-certs', cert: '--engine-ssl-certfile', key: '--engine-ssl-keyfile' };
    const names = given.map(([name]) => flags[name as keyof EngineTls]).join(', ');
    const take = (texts: readonly string[]): void => {
      const tls = Object.fromEntries(given.map(([name], at) => [name, texts[at]!])) as EngineTls;
      // Throws when the parts are no PEM, or do not belong together.
      createSecureContext(tls);
      this.#tls = tls;
    };
    files.follow(
      names,
      given.map(([, path]) => path),
      take,
    );
  }
}
