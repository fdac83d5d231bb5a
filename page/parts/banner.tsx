import { useEffect, useState } from 'preact/hooks';
import type { Status } from '../connection.js';
import { timeOfDay } from '../format.js';

interface BannerProps {
  readonly status: Status;
  /** When the figures on the page were told, seconds since the epoch. */
  readonly since: number | null;
  readonly onTry: () => void;
}

/** Says that the page is cut off, and what it does about it. */
export function Banner({ status, since, onTry }: BannerProps) {
  const [now, setNow] = useState(Date.now);
  const lost = status.kind === 'lost';
  useEffect(() => {
    if (!lost) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [lost]);
  const wait = lost ? Math.max(0, Math.ceil((status.again - now) / 1_000)) : 0;
  return (
    <div role="alert" class={lost ? 'banner' : ''}>
      {lost && (
        <>
          <p>
            <strong>Connection lost.</strong> {status.reason}{' '}
            {since !== null && `What you see is from ${timeOfDay(since)}. `}
            {/* A count that changes each second would be read out each second. */}
            <span aria-hidden="true">{wait > 0 ? `Trying again in ${wait} s.` : 'Trying now…'}</span>
          </p>
          <button type="button" onClick={onTry}>
            Try now
          </button>
        </>
      )}
    </div>
  );
}
