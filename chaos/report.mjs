// The table at the end of a run, and whether it passes.
import { percentile } from '../show/figures.mjs';
import { sumOf } from '../show/router-state.mjs';
import { OUTCOMES } from './outcome.mjs';

const MOST_SHOWN = 25;

/** Outcomes that no engine's failure excuses. */
const NEVER = ['false', 'wrong', 'twice', 'hang'];

export function summarize(result) {
  const { played, figures } = result;
  const of = (kind) => played.filter(({ outcome }) => outcome.kind === kind);
  const good = played.filter(({ asked }) => asked.good);
  const lost = played.filter(({ verdict }) => verdict.lost);
  const reasons = {};
  for (const { verdict } of lost)
    if (!verdict.avoidable) {
      const why = verdict.why.replace(/ http:\S+/, '');
      reasons[why] = (reasons[why] ?? 0) + 1;
    }
  const whole = of('whole');
  const times = (pick) => whole.map(pick).filter((ms) => ms !== null);
  const p99 = (samples) => Math.round(percentile(samples, 0.99));
  const counter = (name, part) => (figures === null ? null : sumOf(figures.samples, name, part));
  const cuts = of('cut').filter(({ asked }) => asked.good && !asked.huge);
  return {
    requests: played.length,
    goodClients: good.length,
    outcomes: Object.fromEntries(OUTCOMES.map((kind) => [kind, of(kind).length])),
    lost: lost.length,
    avoidable: lost.filter(({ verdict }) => verdict.avoidable).length,
    unavoidable: reasons,
    falseSuccess: of('false').length,
    wrongBytes: of('wrong').length + result.stray.length,
    duplicated: of('twice').length,
    hangs: of('hang').length,
    bareCuts: cuts.length,
    leaked: result.leaks,
    crash: result.crash,
    disasters: result.disasters,
    retries: counter('vllm_router_retries_total'),
    ejections: counter('vllm_router_ejections_total'),
    resends: counter('vllm_router_stale_socket_resends_total'),
    firstByteP99: p99(times(({ came }) => came.firstAt - came.startedAt)),
    durationP99: p99(times(({ came }) => came.endedAt - came.startedAt)),
    rssMiB: figures === null ? null : Math.round(figures.rssMiB),
    heapMiB: figures === null ? null : Math.round(figures.heapMiB),
    lagMs: Math.round(result.lagMs),
  };
}

/** What must be nothing; the names are those of the table. */
export function problemsOf(summary) {
  const wanted = {
    'avoidable losses': summary.avoidable,
    'false success': summary.falseSuccess,
    'wrong bytes': summary.wrongBytes,
    duplicated: summary.duplicated,
    'no end in time': summary.hangs,
    'bare cuts': summary.bareCuts,
    'left behind': summary.leaked.length,
    'lines of disaster': summary.disasters.length,
    'end of the router': summary.crash === null ? 0 : 1,
  };
  return Object.entries(wanted)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name}: ${count}`);
}

export function table(summary) {
  const rows = [
    ['requests', summary.requests, `${summary.goodClients} of clients that neither left nor lied`],
    ['whole and right', summary.outcomes.whole],
    ['errors before the first byte', summary.outcomes.error],
    ['streams ended in an error event', summary.outcomes.event],
    ['given up by an engine that slept', summary.outcomes.aborted],
    ['clients that left', summary.outcomes.left],
    [
      'lost',
      summary.lost,
      Object.entries(summary.unavoidable)
        .map(([why, count]) => `${count}: ${why}`)
        .join('; '),
    ],
    ['lost avoidably', summary.avoidable, '0 wanted'],
    ['bare cuts', summary.bareCuts, '0 wanted'],
    ['no end in time', summary.hangs, '0 wanted'],
    ['false success', summary.falseSuccess, '0 wanted'],
    ['wrong bytes', summary.wrongBytes, '0 wanted'],
    ['duplicated', summary.duplicated, '0 wanted'],
    ['left behind', summary.leaked.length, summary.leaked.join('; ') || '0 wanted'],
    ['lines of disaster', summary.disasters.length, summary.disasters[0] ?? '0 wanted'],
    ['retries', summary.retries, `${summary.ejections} ejections, ${summary.resends} stale connections`],
    ['p99 of the first byte', `${summary.firstByteP99} ms`, 'of whole answers'],
    ['p99 of the duration', `${summary.durationP99} ms`],
    ['router at the end', `${summary.rssMiB} MiB`, `of these ${summary.heapMiB} MiB heap`],
    [
      'this process was late by',
      `${summary.lagMs} ms`,
      'at most; from 2000 on the machine is too busy to judge by',
    ],
  ];
  return rows
    .map(([name, value, note = '']) => `  ${name.padEnd(34)} ${String(value).padStart(8)}  ${note}`.trimEnd())
    .join('\n');
}

/** Lines about the requests that must not have ended as they did. */
export function findings({ played, decisions, startedAt, stray }) {
  const bad = played.filter(
    ({ asked, outcome, verdict }) =>
      verdict.avoidable ||
      NEVER.includes(outcome.kind) ||
      (outcome.kind === 'cut' && asked.good && !asked.huge),
  );
  const lines = bad.slice(0, MOST_SHOWN).map(({ asked, came, outcome, verdict }) => {
    const tried = (decisions.get(asked.id)?.attempts ?? [])
      .map(
        ({ engine, cause, outcome: how, duration }) =>
          `${engine.slice(7)} ${cause ?? how} ${duration?.toFixed(2)} s`,
      )
      .join(', ');
    const from = ((came.startedAt - startedAt) / 1000).toFixed(2);
    const to = ((came.endedAt - startedAt) / 1000).toFixed(2);
    const what = `${asked.api}${asked.stream ? ' stream' : ''}${asked.huge ? ' huge' : ''} of ${asked.model}, client ${asked.behaviour}`;
    return `  ${asked.id} ${from}-${to} s, ${what}: ${outcome.kind} (${outcome.detail}); ${verdict.why}; tried: ${tried || 'nothing'}`;
  });
  if (bad.length > lines.length) lines.push(`  and ${bad.length - lines.length} more`);
  for (const why of stray) lines.push(`  on an idle connection: ${why}`);
  return lines.join('\n');
}
