import type { EngineRecord } from './engine-record.js';

/** The figures of one engine; means and rates over the statistics window. */
export interface RequestFigures {
  /** Requests sent per second: arrivals in the window by the whole window, also right after the start. */
  readonly qps: number;
  /** Mean seconds; null without a sample in the window. */
  readonly timeToFirstToken: number | null;
  readonly interToken: number | null;
  /** Of attempts that ended well, from dispatch to end. */
  readonly latency: number | null;
  /** Of attempts that ended well, from the first token to the end. */
  readonly decodingTime: number | null;
  /** Sent, and no token has come. */
  readonly prefill: number;
  /** A token has come, and the end has not. */
  readonly decoding: number;
  /** `prefill` and `decoding`. */
  readonly running: number;
  /** Ended since the engine joined, however. */
  readonly finished: number;
  /** Seconds since the first request; null before it. */
  readonly uptime: number | null;
}

/** The windows whose means are figures. */
const MEANS = ['timeToFirstToken', 'interToken', 'latency', 'decodingTime'] as const;

/** Figures as sums, which those of other engines and processes can be added to. */
export interface FigureSums {
  readonly qps: number;
  readonly prefill: number;
  readonly decoding: number;
  readonly finished: number;
  readonly uptime: number | null;
  /** How many values each window holds, and their sum in seconds. */
  readonly windows: Readonly<
    Record<(typeof MEANS)[number], { readonly count: number; readonly sum: number }>
  >;
}

/** The sums of several records; `now` in monotonic milliseconds. */
export function sumsOf(records: Iterable<EngineRecord>, now: number): FigureSums {
  const window = (record: EngineRecord, name: (typeof MEANS)[number]) => ({
    count: record[name].count(now),
    sum: record[name].sum(now),
  });
  return addSums(
    [...records].map((record) => ({
      qps: record.arrivals.rate(now),
      prefill: record.prefill,
      decoding: record.decoding,
      finished: record.finished,
      uptime: record.firstRequestAt === null ? null : Math.max(0, now - record.firstRequestAt) / 1000,
      windows: {
        timeToFirstToken: window(record, 'timeToFirstToken'),
        interToken: window(record, 'interToken'),
        latency: window(record, 'latency'),
        decodingTime: window(record, 'decodingTime'),
      },
    })),
  );
}

/** All sums together; the uptime is the longest. */
export function addSums(parts: readonly FigureSums[]): FigureSums {
  const total = (of: (sums: FigureSums) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  const uptimes = parts.flatMap(({ uptime }) => uptime ?? []);
  const window = (name: (typeof MEANS)[number]) => ({
    count: total(({ windows }) => windows[name].count),
    sum: total(({ windows }) => windows[name].sum),
  });
  return {
    qps: total(({ qps }) => qps),
    prefill: total(({ prefill }) => prefill),
    decoding: total(({ decoding }) => decoding),
    finished: total(({ finished }) => finished),
    uptime: uptimes.length === 0 ? null : Math.max(...uptimes),
    windows: {
      timeToFirstToken: window('timeToFirstToken'),
      interToken: window('interToken'),
      latency: window('latency'),
      decodingTime: window('decodingTime'),
    },
  };
}

/** The figures that sums tell. */
export function figuresFrom({ windows, ...sums }: FigureSums): RequestFigures {
  const mean = ({ count, sum }: { count: number; sum: number }): number | null =>
    count === 0 ? null : sum / count;
  return {
    ...sums,
    timeToFirstToken: mean(windows.timeToFirstToken),
    interToken: mean(windows.interToken),
    latency: mean(windows.latency),
    decodingTime: mean(windows.decodingTime),
    running: sums.prefill + sums.decoding,
  };
}

/** The figures of several records together, as of the engines at one URL. */
export function figures(records: Iterable<EngineRecord>, now: number): RequestFigures {
  return figuresFrom(sumsOf(records, now));
}
