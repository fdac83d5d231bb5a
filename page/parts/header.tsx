import { useState } from 'preact/hooks';
import { reload, retryDiscovery, type Told } from '../actions.js';
import type { Status } from '../connection.js';
import type { Live } from '../state.js';

interface HeaderProps {
  readonly live: Live | null;
  readonly status: Status;
  readonly canAct: boolean;
  readonly onTold: (told: Told) => void;
  readonly onLeave: () => void;
}

const PARTS: readonly (readonly [id: string, title: string])[] = [
  ['fleet', 'Engines'],
  ['flow', 'Requests'],
  ['charts', 'Charts'],
  ['decisions', 'Decisions'],
  ['timeline', 'Events'],
  ['settings', 'Settings'],
];

const CONNECTIONS: Readonly<Record<Status['kind'], string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Not connected',
  locked: 'Locked',
};

/** A button that does one thing at the router, one at a time. */
function Act({
  label,
  act,
  onTold,
}: Pick<HeaderProps, 'onTold'> & { label: string; act: () => Promise<Told> }) {
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    onTold(await act());
    setBusy(false);
  };
  return (
    <button type="button" disabled={busy} onClick={() => void run()}>
      {label}
    </button>
  );
}

export function Header({ live, status, canAct, onTold, onLeave }: HeaderProps) {
  const router = live?.router;
  return (
    <header>
      <div class="bar">
        <h1>
          <img src="dashboard/icon.svg" alt="" width="28" height="28" />
          vllm-router
        </h1>
        <span class={`connection is-${status.kind}`}>
          <span class="dot" aria-hidden="true" />
          {CONNECTIONS[status.kind]}
        </span>
        <div class="acts">
          {canAct ? (
            <>
              <Act label="Retry discovery" act={retryDiscovery} onTold={onTold} />
              <Act label="Reload files" act={reload} onTold={onTold} />
              <button type="button" class="quiet" onClick={onLeave}>
                Forget key
              </button>
            </>
          ) : (
            router !== undefined && (
              <span class="note">
                Read only: start with <code>--admin-key</code> for actions
              </span>
            )
          )}
        </div>
      </div>
      {router !== undefined && <Facts live={live!} />}
      <nav aria-label="Parts of the page">
        {PARTS.map(([id, title]) => (
          <a key={id} href={`#${id}`}>
            {title}
          </a>
        ))}
      </nav>
    </header>
  );
}

function Facts({ live: { router } }: { readonly live: Live }) {
  const { discovery, workers, dynamicFile } = router;
  const troubled = discovery.state !== 'synced';
  return (
    <dl class="facts">
      <div>
        <dt>Routing</dt>
        <dd>{router.strategy}</dd>
      </div>
      <div>
        <dt>Discovery</dt>
        <dd class={troubled ? 'warn' : ''}>
          {discovery.provider}, {discovery.state}
          {discovery.reason !== null && `: ${discovery.reason}`}
          {discovery.unknown > 0 && ` (${discovery.unknown} without a model yet)`}
        </dd>
      </div>
      {workers !== null && (
        <div>
          <dt>Workers</dt>
          <dd class={workers.running < workers.configured ? 'warn' : ''}>
            {workers.running} of {workers.configured}
            {workers.restarts > 0 && `, ${workers.restarts} restarted`}
          </dd>
        </div>
      )}
      {dynamicFile !== null && (
        <div>
          <dt>Dynamic file</dt>
          <dd class={dynamicFile.error !== null ? 'warn' : ''}>
            {dynamicFile.error === null ? 'in force' : `refused: ${dynamicFile.error}`}
          </dd>
        </div>
      )}
    </dl>
  );
}
