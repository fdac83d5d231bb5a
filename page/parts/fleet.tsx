import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { drain, giveBack, type Told } from '../actions.js';
import { amount, count, duration, percent, place, times } from '../format.js';
import type { Live, ShownEngine } from '../state.js';
import { Confirm } from './confirm.js';
import { HealthPill } from './health-pill.js';
import { Section } from './section.js';

interface FleetProps {
  readonly live: Live;
  readonly engines: readonly ShownEngine[];
  readonly canAct: boolean;
  readonly onTold: (told: Told) => void;
}

/** From so many engines on they can be searched. */
const MANY = 8;

interface Column {
  readonly title: string;
  /** What the figure is. */
  readonly about: string;
  readonly cell: (engine: ShownEngine) => ComponentChildren;
}

const both = (p50: number | null, p99: number | null): ComponentChildren => (
  <>
    {duration(p50)} <span class="second">{duration(p99)}</span>
  </>
);

const COLUMNS: readonly Column[] = [
  {
    title: 'In flight',
    about:
      'Requests that the router has sent and that have not ended; behind it those that wait for their first token',
    cell: ({ row }) => (
      <>
        {count(row.prefill + row.decoding)} <span class="second">{count(row.prefill)}</span>
      </>
    ),
  },
  {
    title: 'Pending',
    about: 'Prompt tokens on their way to their first token; prefixaware alone reckons them',
    cell: ({ row }) => amount(row.pending),
  },
  {
    title: 'Queue',
    about: "Requests in the engine's own queue, as it tells",
    cell: ({ row }) => count(row.waiting),
  },
  { title: 'QPS', about: 'Requests sent a second', cell: ({ row }) => amount(row.qps) },
  {
    title: 'TTFT p50 p99',
    about: 'Time to first token over the last minute: the middle, and the slowest hundredth',
    cell: ({ row }) => both(row.ttft.p50, row.ttft.p99),
  },
  {
    title: 'ITL p50 p99',
    about: 'Time between tokens over the last minute: the middle, and the slowest hundredth',
    cell: ({ row }) => both(row.itl.p50, row.itl.p99),
  },
  {
    title: 'Cache hits',
    about: 'Prompt tokens found in its prefix cache, of all, as it tells',
    cell: ({ row }) => percent(row.hitRate),
  },
  {
    title: 'KV use',
    about: 'How full its KV cache is, as it tells',
    cell: ({ row }) => <Gauge share={row.kvUse} />,
  },
  {
    title: 'Slowness',
    about: 'How slow it is beside the others of its model; 1 is as the middle of them',
    cell: ({ row }) => times(row.slowness),
  },
];

/** A share as number and bar. */
function Gauge({ share }: { readonly share: number | null }) {
  return (
    <span class="gauge">
      {percent(share)}
      <svg viewBox="0 0 40 6" width="40" height="6" aria-hidden="true">
        <rect class="track" width="40" height="6" rx="3" />
        {share !== null && share > 0 && (
          <rect
            class={share > 0.9 ? 'fill full' : 'fill'}
            width={Math.max(2, 40 * share)}
            height="6"
            rx="3"
          />
        )}
      </svg>
    </span>
  );
}

function Names({ card }: Pick<ShownEngine, 'card'>) {
  const { models, adapters, moreNames } = card;
  return (
    <span class="names">
      {models.map((name) => (
        <span key={name} class="name">
          {name}
        </span>
      ))}
      {adapters.map((name) => (
        <span key={name} class="name adapter" title={`adapter ${name}`}>
          <span class="unseen">adapter </span>
          {name}
        </span>
      ))}
      {moreNames > 0 && <span class="note">and {moreNames} more</span>}
    </span>
  );
}

/** The engines with their figures. */
export function Fleet({ live, engines, canAct, onTold }: FleetProps) {
  const [wanted, setWanted] = useState('');
  const [asked, setAsked] = useState<ShownEngine | null>(null);
  const found = engines.filter(({ card, row }) =>
    [card.url, row.state, ...card.models, ...card.adapters].some((text) =>
      text.toLowerCase().includes(wanted.trim().toLowerCase()),
    ),
  );
  const hidden = live.totals.engines - engines.length;
  const act = async (engine: ShownEngine): Promise<void> => {
    setAsked(null);
    const { id, url } = engine.card;
    onTold(await (engine.row.state === 'drained' ? giveBack(url, id) : drain(url, id)));
  };
  return (
    <Section
      id="fleet"
      title="Engines"
      tools={
        engines.length > MANY && (
          <input
            type="search"
            aria-label="Find engines"
            placeholder="URL, model or state"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        )
      }
    >
      {engines.length === 0 ? (
        <NoEngines live={live} />
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Table of engines">
          <table role="table" class="cards fleet">
            <caption class="unseen">Engines with their state and figures</caption>
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">
                  Engine
                </th>
                <th role="columnheader" scope="col">
                  State
                </th>
                {COLUMNS.map(({ title, about }) => (
                  <th key={title} role="columnheader" scope="col" class="number" title={about}>
                    {title}
                  </th>
                ))}
                {canAct && (
                  <th role="columnheader" scope="col">
                    <span class="unseen">Action</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {found.map((engine) => (
                <Row key={engine.card.id} engine={engine} canAct={canAct} onAsk={setAsked} onAct={act} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {engines.length > 0 && found.length === 0 && <p class="empty">No engine is like that.</p>}
      {hidden > 0 && (
        <p class="note">{hidden} more engines are not shown: they are ready, or have fewer requests.</p>
      )}
      {asked !== null && (
        <Confirm
          title={`Drain ${place(asked.card.url)}?`}
          yes="Drain"
          onYes={() => void act(asked)}
          onNo={() => setAsked(null)}
        >
          <p>
            It gets no new requests until it is given back, or the router starts anew. Those that it has (
            {asked.row.prefill + asked.row.decoding} now) go on.
          </p>
        </Confirm>
      )}
    </Section>
  );
}

interface RowProps {
  readonly engine: ShownEngine;
  readonly canAct: boolean;
  readonly onAsk: (engine: ShownEngine) => void;
  readonly onAct: (engine: ShownEngine) => Promise<void>;
}

function Row({ engine, canAct, onAsk, onAct }: RowProps) {
  const { card, row } = engine;
  const drained = row.state === 'drained';
  return (
    <tr role="row" class={`is-${row.state}`} data-engine={card.id}>
      <th role="rowheader" scope="row">
        <span class="url" title={card.url}>
          {place(card.url)}
        </span>
        <Names card={card} />
      </th>
      <td role="cell" data-label="State">
        <span class="state">
          <HealthPill state={row.state} />
          {row.reason !== null && <span class="reason">{row.reason.replaceAll('_', ' ')}</span>}
        </span>
      </td>
      {COLUMNS.map(({ title, cell }) => (
        <td key={title} role="cell" class="number" data-label={title}>
          {cell(engine)}
        </td>
      ))}
      {canAct && (
        <td role="cell" class="act">
          <button
            type="button"
            disabled={row.state === 'draining'}
            aria-label={`${drained ? 'Return' : 'Drain'} ${place(card.url)}`}
            onClick={() => (drained ? void onAct(engine) : onAsk(engine))}
          >
            {drained ? 'Return' : 'Drain'}
          </button>
        </td>
      )}
    </tr>
  );
}

function NoEngines({ live }: { readonly live: Live }) {
  const { provider, state, reason, unknown } = live.router.discovery;
  return (
    <div class="empty">
      <p>
        <strong>No engine is known.</strong> The discovery <code>{provider}</code> is {state}
        {reason === null ? '' : `: ${reason}`}.
      </p>
      {unknown > 0 && (
        <p>
          {unknown} {unknown === 1 ? 'engine was' : 'engines were'} found and did not name a model yet: see
          whether /v1/models of it answers.
        </p>
      )}
    </div>
  );
}
