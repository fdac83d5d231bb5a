import type { EngineRow, LiveNews, LivePast, LiveView } from './live-view.js';

/** Rows go out as they change, at most so many characters at a time; those whose state has changed go in any case. */
const ROW_CHARACTERS = 3_000;
/** Decisions that go out at a time. */
const MOST_AT_A_TIME = 6;

interface Sent {
  readonly row: EngineRow;
  readonly text: string;
}

/**
 * Makes news of views, so that pages get what has changed and at most a few KB each time. All pages are told the same.
 * Bounded by one view.
 */
export class LiveChanges {
  #view: LiveView | null = null;
  #rows = new Map<string, Sent>();
  /** Of parts that go out whole, what went out last. */
  readonly #texts = new Map<string, string>();
  #decisions = new Map<string, string>();
  #occurrence = 0;
  #turn = 0;

  /** Forgets what was told: nobody looks any more. */
  clear(): void {
    this.#view = null;
    this.#rows.clear();
    this.#texts.clear();
    this.#decisions.clear();
    this.#occurrence = 0;
  }

  /** Takes in a view. @param settings those in force; null when they are as before */
  next(view: LiveView, settings: LivePast['settings'] | null): LiveNews {
    const before = this.#view;
    this.#view = view;
    // Lines of the picture and decisions change with every view: half of the turns are enough for an eye.
    const seldom = before === null || this.#turn++ % 2 === 0;
    return {
      at: view.at,
      ...this.#whole('router', view),
      ...this.#whole('totals', view),
      ...this.#whole('cards', view),
      ...(seldom ? this.#whole('flows', view) : {}),
      ...this.#rowNews(view, before === null),
      ...(view.sample !== null && view.sample.at !== before?.sample?.at ? { sample: view.sample } : {}),
      ...this.#occurrenceNews(view),
      ...(seldom ? this.#decisionNews(view, before === null) : {}),
      ...(settings === null ? {} : { settings }),
    };
  }

  /** All that was told, for a page that opens. */
  first(past: LivePast): LiveNews {
    const view = this.#view;
    if (view === null) throw new Error('nothing was told yet');
    const { at, router, totals, cards, flows, occurrences, decisions } = view;
    const rows = [...this.#rows.values()].map(({ row }) => row);
    return { first: true, ...past, at, router, totals, cards, flows, occurrences, decisions, rows };
  }

  #whole(part: 'router' | 'totals' | 'cards' | 'flows', view: LiveView): Partial<LiveNews> {
    const text = JSON.stringify(view[part]);
    if (this.#texts.get(part) === text) return {};
    this.#texts.set(part, text);
    return { [part]: view[part] };
  }

  #rowNews({ rows }: LiveView, everything: boolean): Pick<LiveNews, 'rows' | 'gone'> {
    const changed: (Sent & { readonly turned: boolean })[] = [];
    const ids = new Set<string>();
    for (const row of rows) {
      ids.add(row.id);
      const text = JSON.stringify(row);
      const sent = this.#rows.get(row.id);
      if (sent?.text === text) continue;
      changed.push({ row, text, turned: sent?.row.state !== row.state || sent.row.reason !== row.reason });
    }
    // Of the others those come first that went out longest ago: a map keeps its order.
    const order = [...this.#rows.keys()];
    changed.sort(
      (a, b) => Number(b.turned) - Number(a.turned) || order.indexOf(a.row.id) - order.indexOf(b.row.id),
    );
    const told: EngineRow[] = [];
    let room = ROW_CHARACTERS;
    for (const { row, text, turned } of changed) {
      if (!turned && !everything && text.length > room) break;
      room -= text.length;
      told.push(row);
      this.#rows.delete(row.id);
      this.#rows.set(row.id, { row, text });
    }
    const gone = [...this.#rows.keys()].filter((id) => !ids.has(id));
    for (const id of gone) this.#rows.delete(id);
    return { ...(told.length > 0 ? { rows: told } : {}), ...(gone.length > 0 ? { gone } : {}) };
  }

  #occurrenceNews({ occurrences }: LiveView): Pick<LiveNews, 'occurrences'> {
    const news = occurrences.filter(({ number }) => number > this.#occurrence);
    this.#occurrence = occurrences.at(-1)?.number ?? 0;
    return news.length > 0 ? { occurrences: news } : {};
  }

  #decisionNews({ decisions }: LiveView, everything: boolean): Pick<LiveNews, 'decisions'> {
    const before = this.#decisions;
    const told = new Map<string, string>();
    const news = decisions.filter((decision) => {
      const text = JSON.stringify(decision);
      const changed = before.get(decision.id) !== text;
      if (!changed) told.set(decision.id, text);
      return changed;
    });
    const most = everything ? news : news.slice(0, MOST_AT_A_TIME);
    for (const decision of most) told.set(decision.id, JSON.stringify(decision));
    this.#decisions = told;
    return most.length > 0 ? { decisions: most } : {};
  }
}
