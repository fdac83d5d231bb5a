import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { AttemptEvent } from '../core/attempt-event.js';
import type { Ranked } from '../core/ranking.js';
import { hedgeAfter, RecentTimes } from '../core/recent-times.js';

/** Models whose times are kept; the one that came first goes first. */
const MAX_MODELS = 256;

/** How a second attempt that was begun beside the first one went. */
export type HedgeOutcome = 'won' | 'lost' | 'took_over' | 'failed' | 'client_left';

/** Says when a stream is so late that it is tried on a second engine too, with `--hedge`. */
@Injectable()
export class Hedging {
  /** Times to the first token by model, in this process; at most `MAX_MODELS`, of 4 KiB each. */
  readonly #times = new Map<string, RecentTimes>();

  constructor(private readonly settings: SettingsStore) {}

  /** `--hedge`. */
  get on(): boolean {
    return this.settings.current.hedge;
  }

  /** A stream has begun. */
  heed({ request: { model }, sinceDispatch }: AttemptEvent & { readonly type: 'firstToken' }): void {
    let times = this.#times.get(model);
    if (times === undefined) {
      for (const oldest of this.#times.keys()) {
        if (this.#times.size < MAX_MODELS) break;
        this.#times.delete(oldest);
      }
      this.#times.set(model, (times = new RecentTimes()));
    }
    times.add(sinceDispatch);
  }

  /** What the strategy predicts of the first token where it chose to send the request, milliseconds; null: nothing. */
  predicted({ terms }: Ranked): number | null {
    return terms?.ttft === undefined || !(terms.ttft >= 0) ? null : terms.ttft * 1_000;
  }

  /**
   * How long a first token of the model may take, milliseconds.
   * @param predicted for this request, milliseconds; null: nothing is
   */
  after(model: string, predicted: number | null): number {
    const times = this.#times.get(model);
    return times === undefined ? Infinity : hedgeAfter(times, predicted);
  }
}
