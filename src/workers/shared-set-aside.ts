import { Injectable } from '@nestjs/common';
import type { AttemptCause } from '../core/attempt-failure.js';
import type { Engine } from '../core/engine.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { SetAsideService } from '../proxy/set-aside.service.js';
import type { Mark } from './messages.js';
import { NewsDraft } from './news-draft.js';
import { PrimaryLink } from './primary-link.js';

/** Engines that this worker or another one has set aside. */
@Injectable()
export class SharedSetAside extends SetAsideService {
  readonly #draft: NewsDraft;

  constructor(metrics: RouterMetrics, draft: NewsDraft, link: PrimaryLink) {
    super(metrics);
    this.#draft = draft;
    this.#take(link.beginning.news.marks ?? []);
    link.take('marks', (marks) => this.#take(marks));
  }

  override add(engine: Engine, cause: AttemptCause, now: number): void {
    super.add(engine, cause, now);
    this.#draft.mark(engine, 'failed', now);
  }

  protected override answersAgain(engine: Engine, sentAt: number): void {
    super.answersAgain(engine, sentAt);
    this.#draft.mark(engine, 'answered', sentAt);
  }

  #take(marks: readonly Mark[]): void {
    const now = performance.now();
    for (const { engineId, what, ago } of marks) {
      if (what === 'failed') this.learn(engineId, now - ago);
      else this.unlearn(engineId, now - ago);
    }
  }
}
