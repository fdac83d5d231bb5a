import { knownReason } from './known-losses.js';
import type { PolicyRow } from './policy-row.js';
import { markdownTable } from './policy-table.js';
import { type Verdict, verdictOn, wordsOf } from './verdict.js';

/** What all policies did under one traffic. */
export interface TrafficRows {
  readonly workload: string;
  readonly description: string;
  readonly load: number;
  /** Conversations a second. */
  readonly rate: number;
  readonly rows: readonly PolicyRow[];
}

/** How much every policy was run under each traffic; seconds of simulated time. */
export interface RunLengths {
  readonly seeds: number;
  readonly seconds: number;
  readonly warmUp: number;
}

/** A loss of `own`, and why it is known, if it is. */
export interface Loss {
  readonly workload: string;
  readonly load: number;
  readonly verdict: Verdict;
  readonly reason: string | null;
}

/** All losses of `own`, of all traffics. */
export function lossesOf(traffics: readonly TrafficRows[], own: string): Loss[] {
  return traffics.flatMap(({ workload, load, rows }) =>
    verdictsOn(rows, own)
      .filter(({ outcome }) => outcome === 'lost')
      .map((verdict) => ({
        ...{ workload, load, verdict, reason: knownReason(workload, load, verdict.other) },
      })),
  );
}

function verdictsOn(rows: readonly PolicyRow[], own: string): Verdict[] {
  const mine = rows.find(({ policy }) => policy === own);
  if (!mine) return [];
  return rows.filter((row) => row !== mine).map((row) => verdictOn(mine, row));
}

const short = ({ goodput, ttft }: PolicyRow): string =>
  `${goodput.mean.toFixed(2)} / ${ttft.mean.toPrecision(2)}`;

/** Policies by workloads, goodput and mean TTFT in each cell. */
function overview(traffics: readonly TrafficRows[]): string {
  const policies = traffics[0]?.rows.map(({ policy }) => policy) ?? [];
  const best = traffics.map(({ rows }) => Math.max(...rows.map(({ goodput }) => goodput.mean)));
  const lines = policies.map((policy) => {
    const cells = traffics.map(({ rows }, at) => {
      const row = rows.find((one) => one.policy === policy);
      if (!row) return '-';
      return row.goodput.mean >= (best[at] ?? 1) - 0.02 ? `**${short(row)}**` : short(row);
    });
    return `| ${policy} | ${cells.join(' | ')} |\n`;
  });
  const heads = traffics.map(({ workload, rate }) => `${workload} ${Number(rate.toPrecision(3))}/s`);
  return `| policy | ${heads.join(' | ')} |\n| --- |${' --: |'.repeat(heads.length)}\n${lines.join('')}`;
}

/**
 * docs/routing-quality.md.
 * @param chartOf the path of a traffic's chart, from the page; null without one
 */
export function qualityPage(
  traffics: readonly TrafficRows[],
  own: string,
  runs: RunLengths,
  chartOf: (traffic: TrafficRows) => string | null,
): string {
  const loads = [...new Set(traffics.map(({ load }) => load))];
  const losses = lossesOf(traffics, own);
  const parts = loads.map((load) => {
    const here = traffics.filter((traffic) => traffic.load === load);
    const details = here.map((traffic) => {
      const chart = chartOf(traffic);
      const picture = chart === null ? '' : `![${traffic.workload} at ${percent(load)}](${chart})\n\n`;
      return (
        `### ${traffic.workload}, ${Number(traffic.rate.toPrecision(3))} conversations/s\n\n` +
        `${traffic.description}.\n\n${picture}${markdownTable(traffic.rows)}\n`
      );
    });
    return `## At ${percent(load)} of the load\n\n${overview(here)}\n${details.join('')}`;
  });
  return `${head(own, runs)}\n## Losses\n\n${lossText(losses, own)}\n${parts.join('')}`.trimEnd() + '\n';
}

const percent = (load: number): string => `${Math.round(load * 100)} %`;

function lossText(losses: readonly Loss[], own: string): string {
  if (losses.length === 0) return `\`${own}\` loses to no policy on any of these workloads and loads.\n`;
  return losses
    .map(({ workload, load, verdict, reason }) => {
      return `- ${workload} at ${percent(load)}: ${wordsOf(verdict)}. ${reason ?? 'Not known why.'}\n`;
    })
    .join('');
}

function head(own: string, { seeds, seconds, warmUp }: RunLengths): string {
  return `# Quality of routing

Written by \`npm run policy\`, which runs every strategy of this router and the rules of other routers on simulated
engines: 8 of the profile h100-8b, ${seeds} seeds, the same arrivals for every policy, ${seconds} s measured after ${warmUp} s
that fill the caches. The strategies are the classes that serve. Nothing here was measured on GPUs: docs/simulator.md says what
the engine model is.

In the tables of policies by workloads: goodput / mean time to first token in seconds, the best (within .02) in bold.
Goodput is the share of the requests with their first token within 2 s and no more than 50 ms for each further one;
those that failed or still wait at the end did not. "+-" is the half of the 95 % interval over the seeds. \`${own}\` has
lost to a policy where the paired 95 % interval of the difference of goodput lies below -.02, or, with goodput level,
where its mean time to first token is above 1.2 times the other's with its whole interval.

The rules of other routers are written from their documents, with their defaults, as far as they choose an engine:
production-stack is its prefixaware; sglang and smg are cache_aware with the defaults of their flags, smg-library with
those of its library; llm-d has the weights 2, 2 and 3 and looks at the engines every 50 ms; dynamo, lmetric and lpwl
know the size of the engines' caches and what was generated.
`;
}
