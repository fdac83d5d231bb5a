import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Told } from './actions.js';
import { adminKey, keepAdminKey } from './admin-key.js';
import { Connection, type Status } from './connection.js';
import { Announcements } from './parts/announcements.js';
import { Banner } from './parts/banner.js';
import { Charts } from './parts/charts.js';
import { Decisions } from './parts/decisions.js';
import { Fleet } from './parts/fleet.js';
import { FlowPicture } from './parts/flow-picture.js';
import { Header } from './parts/header.js';
import { Settings } from './parts/settings.js';
import { SignIn } from './parts/sign-in.js';
import { Summary } from './parts/summary.js';
import { Timeline } from './parts/timeline.js';
import { enginesOf, type Live, withNews } from './state.js';

/** A page that nobody sees for so long asks for nothing, milliseconds. */
const HIDDEN_MS = 15_000;
/** How long what became of an action is shown, milliseconds. */
const TOLD_MS = 8_000;

/** The stream of the server, for as long as somebody looks. */
function useLive() {
  const [status, setStatus] = useState<Status>({ kind: 'connecting' });
  const [live, setLive] = useState<Live | null>(null);
  const connection = useRef<Connection | null>(null);
  connection.current ??= new Connection(adminKey, {
    status: setStatus,
    news: (news) => setLive((before) => withNews(before, news)),
  });
  const { current } = connection;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let closed = false;
    const look = (): void => {
      clearTimeout(timer);
      if (document.hidden) {
        timer = setTimeout(() => {
          closed = true;
          current.close();
        }, HIDDEN_MS);
      } else if (closed) {
        closed = false;
        current.open();
      }
    };
    document.addEventListener('visibilitychange', look);
    current.open();
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
      current.close();
    };
  }, [current]);
  const connect = useCallback(() => {
    setStatus({ kind: 'connecting' });
    current.open();
  }, [current]);
  const forget = useCallback(() => setLive(null), []);
  return { status, live, connect, forget };
}

export function App() {
  const { status, live, connect, forget } = useLive();
  const [told, setTold] = useState<Told | null>(null);
  const engines = useMemo(() => (live === null ? [] : enginesOf(live)), [live?.cards, live?.rows]);
  useEffect(() => {
    if (told === null) return undefined;
    const timer = setTimeout(() => setTold(null), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  useEffect(() => {
    const down = live?.totals.states.ejected ?? 0;
    document.title = down > 0 ? `(${down} down) vllm-router` : 'vllm-router';
  }, [live?.totals]);

  const enter = (key: string): void => {
    keepAdminKey(key);
    connect();
  };
  const leave = (): void => {
    keepAdminKey(null);
    forget();
    connect();
  };

  if (status.kind === 'locked') return <SignIn wrong={status.wrong} onKey={enter} />;
  const canAct = live?.router.actions === true && adminKey() !== null;
  return (
    <>
      <a class="skip" href="#fleet">
        Skip to the engines
      </a>
      <Header live={live} status={status} canAct={canAct} onTold={setTold} onLeave={leave} />
      <Banner status={status} since={live?.at ?? null} onTry={connect} />
      <main class={status.kind === 'lost' && live !== null ? 'stale' : ''}>
        {live === null ? (
          <p class="waiting">
            {status.kind === 'lost' ? 'Nothing is known yet.' : 'Waiting for the router…'}
          </p>
        ) : (
          <>
            <Summary live={live} />
            <Fleet live={live} engines={engines} canAct={canAct} onTold={setTold} />
            <FlowPicture flows={live.flows} engines={engines} />
            <Charts samples={live.samples} />
            <div class="pair">
              <Decisions lines={live.decisions} kept={live.router.explains} />
              <Timeline occurrences={live.occurrences} now={live.at} />
            </div>
            <Settings lines={live.settings} />
          </>
        )}
      </main>
      <footer>
        <span>vllm-router {live?.router.version}</span>
        <a href="dashboard/licences.txt">Licences</a>
      </footer>
      <Announcements engines={engines} told={told} onClose={() => setTold(null)} />
    </>
  );
}
