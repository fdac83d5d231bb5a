import { amount, count, duration, NOTHING } from '../format.js';
import type { Live } from '../state.js';

interface Tile {
  readonly label: string;
  readonly value: string;
  readonly detail: string;
  readonly tone?: 'good' | 'bad' | 'warn';
}

function tilesOf({ totals }: Live): readonly Tile[] {
  const { engines, states, ttft, itl } = totals;
  const ready = states.ready ?? 0;
  const others = Object.entries(states)
    .filter(([state]) => state !== 'ready')
    .map(([state, number]) => `${number} ${state}`);
  const usable = ready + (states.suspect ?? 0) + (states.probing ?? 0);
  return [
    {
      label: 'Engines ready',
      value: engines === 0 ? '0' : `${ready} of ${engines}`,
      detail: others.length > 0 ? others.join(', ') : engines === 0 ? 'none is known' : 'all well',
      tone: usable === 0 ? 'bad' : ready < engines ? 'warn' : 'good',
    },
    { label: 'In flight', value: count(totals.inFlight), detail: 'requests now' },
    { label: 'Requests', value: `${amount(totals.qps)}/s`, detail: 'sent to engines' },
    { label: 'Streamed', value: `${amount(totals.pieces)}/s`, detail: 'pieces (≈ tokens)' },
    { label: 'First token', value: duration(ttft.p50), detail: `p99 ${duration(ttft.p99)}` },
    { label: 'Between tokens', value: duration(itl.p50), detail: `p99 ${duration(itl.p99)}` },
    {
      label: 'Failed attempts',
      value: totals.failures === 0 ? '0' : `${amount(totals.failures)}/s`,
      detail: 'last minute',
      ...(totals.failures > 0 ? { tone: 'warn' as const } : {}),
    },
  ];
}

/** The router at a glance. */
export function Summary({ live }: { readonly live: Live }) {
  return (
    <dl class="tiles" aria-label="The router at a glance">
      {tilesOf(live).map(({ label, value, detail, tone }) => (
        <div key={label} class={`tile ${tone === undefined ? '' : `is-${tone}`}`}>
          <dt>{label}</dt>
          <dd class={value === NOTHING ? 'value none' : 'value'}>{value}</dd>
          <dd class="detail">{detail}</dd>
        </div>
      ))}
    </dl>
  );
}
