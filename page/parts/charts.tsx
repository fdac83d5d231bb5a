import type { Samples } from '../../src/core/live/live-view.js';
import { amount, duration, percent } from '../format.js';
import { Chart } from './chart.js';
import { Section } from './section.js';

const [FIRST, SECOND] = ['--line-1', '--line-2'];

/** The last fifteen minutes. */
export function Charts({ samples }: { readonly samples: Samples }) {
  const { at } = samples;
  return (
    <Section id="charts" title="Last 15 minutes" note="a point each five seconds">
      {at.length === 0 ? (
        <p class="empty">The first point is there in a few seconds.</p>
      ) : (
        <div class="charts">
          <Chart
            title="Requests a second"
            at={at}
            format={amount}
            least={1}
            lines={[
              { name: 'ended', colour: FIRST, values: samples.requests },
              { name: 'failed', colour: '--bad', dashed: true, values: samples.failures },
            ]}
          />
          <Chart
            title="In flight"
            at={at}
            format={amount}
            least={1}
            lines={[{ name: 'requests', colour: FIRST, values: samples.inFlight }]}
          />
          <Chart
            title="Streamed pieces a second"
            at={at}
            format={amount}
            least={1}
            lines={[{ name: 'pieces', colour: FIRST, values: samples.pieces }]}
          />
          <Chart
            title="Time to first token"
            at={at}
            format={duration}
            least={0.01}
            lines={[
              { name: 'p50', colour: FIRST, values: samples.ttft50 },
              { name: 'p99', colour: SECOND, dashed: true, values: samples.ttft99 },
            ]}
          />
          <Chart
            title="Time between tokens"
            at={at}
            format={duration}
            least={0.01}
            lines={[
              { name: 'p50', colour: FIRST, values: samples.itl50 },
              { name: 'p99', colour: SECOND, dashed: true, values: samples.itl99 },
            ]}
          />
          <Chart
            title="Caches of engines"
            at={at}
            format={percent}
            most={1}
            lines={[
              { name: 'prefix hits', colour: FIRST, values: samples.hitRate },
              { name: 'KV use', colour: SECOND, dashed: true, values: samples.kvUse },
            ]}
          />
        </div>
      )}
    </Section>
  );
}
