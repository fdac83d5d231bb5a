import { useState } from 'preact/hooks';
import type { Occurrence, OccurrenceKind } from '../../src/core/live/live-view.js';
import { ago, place, timeOfDay } from '../format.js';
import { Section } from './section.js';

const SPAN = 15 * 60;
/** Lines that are shown before more are asked for. */
const FEW = 10;

const WORDS: Readonly<Record<OccurrenceKind, string>> = {
  ejected: 'ejected',
  back: 'answers again',
  drained: 'drained by an operator',
  returned: 'given back by an operator',
  joined: 'has joined',
  left: 'has left',
  reloaded: 'The dynamic file is in force',
  rejected: 'The dynamic file is refused',
};

const toneOf = (kind: OccurrenceKind): string => {
  if (kind === 'ejected' || kind === 'rejected') return 'bad';
  if (kind === 'back' || kind === 'joined' || kind === 'returned') return 'good';
  return 'calm';
};

/** Marks differ in shape as well as in colour. */
function Mark({ kind }: { readonly kind: OccurrenceKind }) {
  const tone = toneOf(kind);
  if (tone === 'bad') return <path class="mark is-bad" d="M0-6L6 5H-6Z" />;
  if (tone === 'good') return <circle class="mark is-good" r="5" />;
  return <rect class="mark is-calm" x="-4.5" y="-4.5" width="9" height="9" transform="rotate(45)" />;
}

const sentence = ({ kind, engine, detail }: Occurrence): string => {
  const words = WORDS[kind];
  const subject = engine === null ? '' : `${place(engine)} `;
  const more = detail === null ? '' : `: ${detail.replaceAll('_', ' ')}`;
  if (engine === null && (kind === 'joined' || kind === 'left')) return `${detail ?? ''} ${words}`;
  return `${subject}${words}${more}`;
};

/** What has happened to engines and files. */
export function Timeline({
  occurrences,
  now,
}: {
  readonly occurrences: readonly Occurrence[];
  readonly now: number;
}) {
  const [all, setAll] = useState(false);
  const recent = occurrences.filter(({ at }) => now - at < SPAN);
  const newest = occurrences.toReversed();
  const shown = all ? newest : newest.slice(0, FEW);
  return (
    <Section id="timeline" title="Events" note="ejections, reloads, the fleet">
      <svg
        class="strip"
        viewBox="0 0 600 44"
        role="img"
        aria-label={`${recent.length} events in the last 15 minutes; the list below has them.`}
      >
        <line x1="8" x2="592" y1="18" y2="18" />
        {[0, 5, 10, 15].map((minutes) => (
          <g key={minutes} transform={`translate(${8 + (584 * minutes) / 15} 18)`}>
            <line y1="-4" y2="4" />
            <text y="22" text-anchor={minutes === 0 ? 'start' : minutes === 15 ? 'end' : 'middle'}>
              {minutes === 15 ? 'now' : `${15 - minutes} min ago`}
            </text>
          </g>
        ))}
        {recent.map((one) => (
          <g key={one.number} transform={`translate(${8 + 584 * (1 - (now - one.at) / SPAN)} 18)`}>
            <title>{`${timeOfDay(one.at)} ${sentence(one)}`}</title>
            <Mark kind={one.kind} />
          </g>
        ))}
      </svg>
      {occurrences.length === 0 ? (
        <p class="empty">Nothing has happened since the router was started: no ejection, no reload.</p>
      ) : (
        <ol class="events">
          {shown.map((one) => (
            <li key={one.number}>
              <svg viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true">
                <Mark kind={one.kind} />
              </svg>
              <time dateTime={new Date(one.at * 1_000).toISOString()}>{timeOfDay(one.at)}</time>
              <span class="what">{sentence(one)}</span>
              <span class="note">{ago(now - one.at)}</span>
            </li>
          ))}
        </ol>
      )}
      {newest.length > FEW && (
        <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${newest.length}`}
        </button>
      )}
    </Section>
  );
}
