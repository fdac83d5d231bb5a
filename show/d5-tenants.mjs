// D5: two tenants share engines. When one of them sends ten times its share, the other one waits for its first tokens as
// long as when both send their share. Simulated engines (l4-8b at twice its speed), real processes.
//   --seconds 60    how long each of the two loads lasts
//   --capacity 0    answers a second within the targets, measured before; 0 measures it
import { parseArgs } from 'node:util';
import { Figures, percentile } from './figures.mjs';
import { arrivalsOf, drive, GATE, capacityOf, startFleet } from './overload.mjs';

/** What is sent before engines and gate have found their pace is not judged, seconds. */
const WARM = 10;

async function ttftOfQuiet(figures, name, rates, seconds) {
  const fleet = await startFleet([...GATE, '--tenant-header', 'x-tenant']);
  const streams = await Promise.all(
    Object.entries(rates).map(([tenant, rate], seed) =>
      arrivalsOf({ seed: 21 + seed, rate, seconds, tenant }),
    ),
  );
  const arrivals = streams.flat().sort((a, b) => a.arrival - b.arrival);
  const tries = await drive(fleet.url, arrivals);
  await fleet.stop();
  const of = (tenant) => tries.filter((one) => one.tenant === tenant && one.sentAt >= WARM);
  const served = (tenant) => of(tenant).filter(({ status }) => status === 200);
  for (const tenant of Object.keys(rates)) {
    figures.note(`${name}, ${tenant} served`, `${served(tenant).length} of ${of(tenant).length}`);
  }
  const times = served('quiet').map(({ sentAt, firstToken }) => firstToken - sentAt);
  figures.note(
    `${name}, quiet's median time to first token`,
    `${(percentile(times, 0.5) * 1e3).toFixed(0)} ms`,
  );
  return { p99: percentile(times, 0.99), share: times.length / of('quiet').length };
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '60' }, capacity: { type: 'string', default: '0' } },
  });
  const seconds = Number(values.seconds);
  const figures = new Figures();
  const capacity = await capacityOf(figures, Number(values.capacity));
  const share = capacity / 2;
  figures.note('fair share of each tenant', `${share.toFixed(1)}/s`);
  const fair = await ttftOfQuiet(figures, 'fair', { quiet: share, loud: share }, seconds);
  const loud = await ttftOfQuiet(figures, 'loud', { quiet: share, loud: 10 * share }, seconds);
  const ratio = loud.p99 / fair.p99;
  const told = `${(loud.p99 * 1e3).toFixed(0)} ms, fair ${(fair.p99 * 1e3).toFixed(0)} ms, ${ratio.toFixed(2)} times`;
  figures.check("quiet's p99 time to first token", told, '<= 1.20 times', ratio <= 1.2);
  const least = fair.share * 0.9;
  figures.check(
    'quiet served',
    `${(loud.share * 100).toFixed(1)} %`,
    `>= ${(least * 100).toFixed(1)} %`,
    loud.share >= least,
  );
  return figures;
}
