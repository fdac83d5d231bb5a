import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { type HashedKey, readKeyFile } from '../core/access/key-file.js';
import { actionsOff, invalidKey, routeNotFound, type RouterError } from '../core/errors.js';
import { FollowedFiles } from './followed-files.js';
import { hashKey, HashedKeys } from './hashed-keys.js';
import { cameByAdminPort, setPrincipal } from './principal.js';

/**
 * Who may ask a route: `client` those with a key, `admin` operators, `probe` everybody. `live` is as `admin`, where the live
 * page is on, and `page` everybody there. `action` is as `admin`, but never without a key.
 */
export type Access = 'client' | 'admin' | 'probe' | 'live' | 'page' | 'action';

/** Says who may ask what: `--api-key`, `--api-key-file`, `--admin-port` and `--admin-key`. */
@Injectable()
export class AccessControl {
  /** Null: no key is asked for. */
  #clients: HashedKeys | null = null;
  readonly #admin: HashedKeys | null;
  readonly #adminPort: boolean;
  /** The live page is on where operators ask. */
  readonly hasPage: boolean;

  /** @throws {SettingsError} when the file of keys cannot be in force */
  constructor(settings: SettingsStore, files: FollowedFiles) {
    const { apiKey, apiKeyFile, adminKey, adminPort, dashboard } = settings.current;
    const given = apiKey.map((key, at) => ({ name: `api-key-${at + 1}`, hash: hashKey(key) }));
    if (apiKeyFile !== null) {
      files.follow('--api-key-file', [apiKeyFile], ([text = '']) =>
        this.#use([...given, ...readKeyFile(text)]),
      );
    } else if (given.length > 0) this.#use(given);
    this.#admin = adminKey === null ? null : new HashedKeys([{ name: 'admin', hash: hashKey(adminKey) }]);
    this.#adminPort = adminPort !== null;
    this.hasPage = adminPort !== null || dashboard;
  }

  /** Clients need a key. */
  get asksForKeys(): boolean {
    return this.#clients !== null;
  }

  /**
   * What a request is refused with, by its head alone; null: it may go on, and carries the name of its key.
   * @param access of its route; null for a route of the application around the router
   */
  refusal(request: IncomingMessage, access: Access | null): RouterError | null {
    const byAdminPort = this.#adminPort && cameByAdminPort(request);
    switch (access) {
      case 'probe':
        return null;
      case 'page':
      case 'live':
        if (!this.hasPage) return routeNotFound();
        break;
      case 'action':
      case 'admin':
        break;
      case 'client':
        return byAdminPort ? routeNotFound() : this.clientRefusal(request);
      default:
        return byAdminPort ? routeNotFound() : null;
    }
    if (this.#adminPort && !byAdminPort) return routeNotFound();
    if (access === 'page') return null;
    if (this.#admin === null) return access === 'action' ? actionsOff() : null;
    return this.#admin.nameIn(request.rawHeaders) !== null ? null : invalidKey();
  }

  /** The same for a route of the API that was asked at the main port. */
  clientRefusal(request: IncomingMessage): RouterError | null {
    if (this.#clients === null) return null;
    const name = this.#clients.nameIn(request.rawHeaders);
    if (name === null) return invalidKey();
    setPrincipal(request, name);
    return null;
  }

  /** Whether a request may be told of engines and settings, beside whether the router lives. */
  seesInside(request: IncomingMessage): boolean {
    if (this.#admin !== null) return this.#admin.nameIn(request.rawHeaders) !== null;
    return !this.#adminPort || cameByAdminPort(request);
  }

  #use(keys: readonly HashedKey[]): void {
    this.#clients = new HashedKeys(keys);
  }
}
