import { useState } from 'preact/hooks';
import type { DecisionLine } from '../../src/core/live/live-view.js';
import { amount, duration, NOTHING, place, timeOfDay } from '../format.js';
import { Section } from './section.js';

const outcomeOf = ({ outcome, attempts }: DecisionLine): string => {
  const word = (outcome ?? 'under way').replaceAll('_', ' ');
  return attempts > 1 ? `${word}, attempt ${attempts}` : word;
};

function Line({ line }: { readonly line: DecisionLine }) {
  const { at, model, engine, reason, cost, runnerUp, margin, ttft, outcome, candidates } = line;
  const next = runnerUp !== null ? place(runnerUp) : candidates > 1 ? NOTHING : 'no other';
  const fine = outcome === 'done' || outcome === null || outcome === 'client_left';
  return (
    <tr role="row">
      <td role="cell" data-label="Time" class="number">
        {timeOfDay(at)}
      </td>
      <td role="cell" data-label="Model" class="long">
        {model}
      </td>
      <td role="cell" data-label="Engine" class="long">
        <span class="at">{engine === null ? NOTHING : place(engine)}</span>
        <span class="why">{reason}</span>
      </td>
      <td role="cell" data-label="Cost" class="number">
        {amount(cost)}
      </td>
      <td role="cell" data-label="Runner-up" class="long">
        <span class={runnerUp === null ? 'note' : 'at'}>{next}</span>
        {margin !== null && (
          <span class="why">
            {margin >= 0 ? '+' : '−'}
            {amount(Math.abs(margin))}
          </span>
        )}
      </td>
      <td role="cell" data-label="First token" class="number">
        {duration(ttft)}
      </td>
      <td role="cell" data-label="Outcome" class={fine ? '' : 'bad'}>
        {outcomeOf(line)}
      </td>
    </tr>
  );
}

/** Lines that are shown before more are asked for. */
const FEW = 8;

/** The last requests: where they were sent, why, and what came next. */
export function Decisions({
  lines,
  kept,
}: {
  readonly lines: readonly DecisionLine[];
  readonly kept: boolean;
}) {
  const [all, setAll] = useState(false);
  return (
    <Section id="decisions" title="Routing decisions" {...(kept ? { note: 'the last 20' } : {})}>
      {!kept && (
        <div class="empty">
          <p>
            <strong>Decisions are not kept.</strong> Start the router with <code>--allow-explain</code> to see
            here, and at <code>/debug/routing</code>, why each request went where it went.
          </p>
          <p class="note">Clients can then ask for it too, which names engines to them.</p>
        </div>
      )}
      {kept && lines.length === 0 && <p class="empty">No request has come yet.</p>}
      {kept && lines.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Table of routing decisions">
          <table role="table" class="cards decisions">
            <caption class="unseen">The last routing decisions</caption>
            <thead role="rowgroup">
              <tr role="row">
                {['Time', 'Model', 'Engine and why', 'Cost', 'Runner-up', 'First token', 'Outcome'].map(
                  (title) => (
                    <th
                      key={title}
                      role="columnheader"
                      scope="col"
                      class={['Time', 'Cost', 'First token'].includes(title) ? 'number' : ''}
                    >
                      {title}
                    </th>
                  ),
                )}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {(all ? lines : lines.slice(0, FEW)).map((line) => (
                <Line key={line.id} line={line} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {kept && lines.length > FEW && (
        <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${lines.length}`}
        </button>
      )}
    </Section>
  );
}
