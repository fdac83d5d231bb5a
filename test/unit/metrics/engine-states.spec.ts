import type { HealthState } from '../../../src/core/health/health-state.js';
import { statesByUrl } from '../../../src/metrics/engine-states.js';
import type { RequestFigures } from '../../../src/stats/request-figures.js';
import { engine } from '../stats/attempts.js';

const figures = (running: number): RequestFigures => ({ running }) as RequestFigures;

it('of several engines at one URL shows the one that serves best, and of one that has left that it drains', () => {
  const states: Record<string, HealthState> = { old: 'ejected', new: 'suspect', other: 'asleep' };
  const at = (id: string, url: string) => ({ ...engine(url), id });
  const engines = [at('old', 'http://a'), at('new', 'http://a'), at('other', 'http://b')];
  const counts = new Map([
    ['http://a', figures(1)],
    ['http://gone', figures(2)],
    ['http://idle', figures(0)],
  ]);
  expect([...statesByUrl(engines, counts, ({ id }) => states[id]!)]).toEqual([
    ['http://a', 'suspect'],
    ['http://b', 'asleep'],
    ['http://gone', 'draining'],
  ]);
});
