import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { routerVersion } from '../config/version.js';
import { REMEMBERED } from '../decisions/decisions.service.js';
import { keptAnswer, type KeptAnswer } from '../pages/kept-answer.js';
import { AccessControl } from '../security/access-control.js';
import type { ApiFacts } from './documented-route.js';

interface Made {
  readonly facts: string;
  readonly answer: KeptAnswer;
}

/** The OpenAPI document of each port, as bytes; made when it is asked for, and anew when what it depends on has changed. */
@Injectable()
export class ApiDocuments {
  /** One for each port. */
  readonly #made = new Map<ApiFacts['port'], Made>();

  constructor(
    private readonly settings: SettingsStore,
    private readonly access: AccessControl,
  ) {}

  /** @param byAdminPort the request came in by `--admin-port` */
  async of(byAdminPort: boolean): Promise<KeptAnswer> {
    const facts = this.#facts(byAdminPort);
    const key = JSON.stringify(facts);
    const made = this.#made.get(facts.port);
    if (made?.facts === key) return made.answer;
    // Most routers are never asked.
    const { apiDocument } = await import('./api-document.js');
    const bytes = Buffer.from(JSON.stringify(apiDocument(facts, REMEMBERED)));
    const answer = keptAnswer('application/json', bytes);
    this.#made.set(facts.port, { facts: key, answer });
    return answer;
  }

  #facts(byAdminPort: boolean): ApiFacts {
    const { adminPort, adminKey, allowExplain, rootPath, sessionKey, ttftTarget } = this.settings.current;
    return {
      version: routerVersion(),
      rootPath: rootPath.replace(/\/$/, ''),
      port: adminPort === null ? 'only' : byAdminPort ? 'admin' : 'main',
      asksForKeys: this.access.asksForKeys,
      hasAdminKey: adminKey !== null,
      sessionKey,
      admits: ttftTarget !== null,
      explains: allowExplain,
      hasPage: this.access.hasPage,
    };
  }
}
