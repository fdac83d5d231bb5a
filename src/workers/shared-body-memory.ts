import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { BodyMemory } from '../proxy/body-memory.js';
import { NewsDraft } from './news-draft.js';

/** Counts the request bytes of this worker, and has the others told of them. */
@Injectable()
export class SharedBodyMemory extends BodyMemory {
  readonly #draft: NewsDraft;

  constructor(settings: SettingsStore, draft: NewsDraft) {
    super(settings);
    this.#draft = draft;
  }

  override take(bytes: number): boolean {
    this.#draft.changed();
    return super.take(bytes);
  }

  override give(bytes: number): void {
    this.#draft.changed();
    super.give(bytes);
  }
}
