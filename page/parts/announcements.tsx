import { useEffect, useRef, useState } from 'preact/hooks';
import type { Told } from '../actions.js';
import { place } from '../format.js';
import type { ShownEngine } from '../state.js';

interface AnnouncementsProps {
  readonly engines: readonly ShownEngine[];
  readonly told: Told | null;
  readonly onClose: () => void;
}

/** Of many engines that turn at once only the number is read out. */
const MOST_NAMED = 3;

/** Reads changes of engines out to those who cannot see them, and shows what became of an action. */
export function Announcements({ engines, told, onClose }: AnnouncementsProps) {
  const states = useRef<ReadonlyMap<string, string> | null>(null);
  const [words, setWords] = useState('');
  useEffect(() => {
    const before = states.current;
    states.current = engines.length === 0 ? null : new Map(engines.map(({ row }) => [row.id, row.state]));
    if (before === null) return;
    const turned = engines.filter(({ row }) => before.get(row.id) !== row.state);
    if (turned.length > MOST_NAMED) setWords(`${turned.length} engines have changed their state.`);
    else if (turned.length > 0)
      setWords(turned.map(({ card, row }) => `Engine ${place(card.url)} is ${row.state}.`).join(' '));
  }, [engines]);
  return (
    <>
      <div class="unseen" role="status">
        {words}
      </div>
      <div class="toasts" role="status">
        {told !== null && (
          <div class={told.ok ? 'toast' : 'toast failed'}>
            <p>
              <strong>{told.ok ? 'Done.' : 'Not done.'}</strong> {told.text}
            </p>
            <button type="button" class="quiet" onClick={onClose}>
              Close
            </button>
          </div>
        )}
      </div>
    </>
  );
}
