import {
  type DecisionLine,
  type EngineCard,
  type EngineRow,
  type Flow,
  type LiveNews,
  MOST_DECISIONS,
  MOST_OCCURRENCES,
  MOST_SAMPLES,
  type Occurrence,
  type RouterFacts,
  type Sample,
  SAMPLE_NAMES,
  type Samples,
  type SettingLine,
  type Totals,
} from '../src/core/live/live-view.js';

/** An engine as the page shows it. */
export interface ShownEngine {
  readonly card: EngineCard;
  readonly row: EngineRow;
}

/** All that the server has told so far. */
export interface Live {
  /** Seconds since the epoch, by the server's clock. */
  readonly at: number;
  readonly router: RouterFacts;
  readonly totals: Totals;
  readonly cards: readonly EngineCard[];
  readonly rows: ReadonlyMap<string, EngineRow>;
  readonly flows: readonly Flow[];
  readonly samples: Samples;
  readonly occurrences: readonly Occurrence[];
  readonly decisions: readonly DecisionLine[];
  readonly settings: readonly SettingLine[];
}

/** Takes in what the server tells; null: what has changed without what was there before makes no whole. */
export function withNews(before: Live | null, news: LiveNews): Live | null {
  if (news.first === true) return firstOf(news);
  if (before === null) return null;
  return {
    at: news.at,
    router: news.router ?? before.router,
    totals: news.totals ?? before.totals,
    cards: news.cards ?? before.cards,
    rows: rowsWith(before.rows, news),
    flows: news.flows ?? before.flows,
    samples: news.sample ? samplesWith(before.samples, news.sample) : before.samples,
    occurrences: news.occurrences
      ? [...before.occurrences, ...news.occurrences].slice(-MOST_OCCURRENCES)
      : before.occurrences,
    decisions: news.decisions ? decisionsWith(before.decisions, news.decisions) : before.decisions,
    settings: news.settings ?? before.settings,
  };
}

/** The engines, in the order of their URLs, so that rows stay where they are. */
export function enginesOf({ cards, rows }: Live): readonly ShownEngine[] {
  return cards
    .flatMap((card) => {
      const row = rows.get(card.id);
      return row ? [{ card, row }] : [];
    })
    .sort((a, b) => a.card.url.localeCompare(b.card.url, 'en', { numeric: true }));
}

function firstOf(news: LiveNews): Live | null {
  const { at, router, totals, samples } = news;
  if (!router || !totals || !samples) return null;
  return {
    ...{ at, router, totals, samples },
    cards: news.cards ?? [],
    rows: rowsWith(new Map(), news),
    flows: news.flows ?? [],
    occurrences: news.occurrences ?? [],
    decisions: news.decisions ?? [],
    settings: news.settings ?? [],
  };
}

function rowsWith(before: ReadonlyMap<string, EngineRow>, { rows, gone }: LiveNews) {
  if (!rows && !gone) return before;
  const next = new Map(before);
  for (const row of rows ?? []) next.set(row.id, row);
  for (const id of gone ?? []) next.delete(id);
  return next;
}

function samplesWith(before: Samples, sample: Sample): Samples {
  if (before.at.at(-1) === sample.at) return before;
  const columns = SAMPLE_NAMES.map((name) => [name, [...before[name], sample[name]].slice(-MOST_SAMPLES)]);
  return Object.fromEntries(columns) as Samples;
}

function decisionsWith(before: readonly DecisionLine[], news: readonly DecisionLine[]) {
  const byId = new Map(before.map((line) => [line.id, line]));
  for (const line of news) byId.set(line.id, line);
  return [...byId.values()].sort((a, b) => b.at - a.at).slice(0, MOST_DECISIONS);
}
