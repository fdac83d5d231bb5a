// D4: twice the load that the engines can bear. With --ttft-target requests wait in the router while they can still be in
// time, and are refused with a time to come back when not: the engines do nearly as much as they ever can, and clients
// that wait are served at their next try. Simulated engines (l4-8b at twice its speed), real processes.
//   --seconds 60    how long the load lasts
//   --capacity 0    answers a second within the targets, measured before; 0 measures it
import { parseArgs } from 'node:util';
import { Figures, percentile } from './figures.mjs';
import { arrivalsOf, drive, GATE, goodput, capacityOf, meets, startFleet, TARGETS } from './overload.mjs';

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '60' }, capacity: { type: 'string', default: '0' } },
  });
  const seconds = Number(values.seconds);
  const figures = new Figures();
  figures.note('targets', `first token ${TARGETS.ttft} s, further ones ${TARGETS.tpot * 1e3} ms`);
  const capacity = await capacityOf(figures, Number(values.capacity));
  figures.note('capacity', `${capacity.toFixed(1)}/s within the targets`);
  const arrivals = await arrivalsOf({ seed: 12, rate: 2 * capacity, seconds });

  const gated = await startFleet(GATE);
  const tries = await drive(gated.url, arrivals, { returns: 1 });
  const shed = await (await fetch(`${gated.url}/metrics`)).text();
  await gated.stop();
  const bare = await startFleet([]);
  const compared = await drive(bare.url, arrivals, { until: seconds + 5 });
  await bare.stop();

  const good = goodput(tries, 0, seconds) / capacity;
  figures.check('goodput at twice the capacity', `${(good * 100).toFixed(1)} %`, '>= 90 %', good >= 0.9);
  const without = goodput(compared, 0, seconds) / capacity;
  figures.note('without the gate', `${(without * 100).toFixed(1)} %`);
  const served = tries.filter(({ status }) => status === 200);
  const inTime = served.filter(meets).length / served.length;
  figures.note('answers within the targets', `${(inTime * 100).toFixed(1)} % of ${served.length}`);
  const odd = tries.filter(({ status }) => status !== 200 && status !== 429).length;
  figures.equal('answers that are neither whole nor 429', odd, 0);
  const again = tries.filter(({ number }) => number === 2);
  const share = again.filter(({ status }) => status === 200).length / again.length;
  const told = `${(share * 100).toFixed(1)} % of ${again.length}`;
  figures.check('clients that waited, served at their next try', told, '>= 90 %', share >= 0.9);
  const waits = tries.filter(({ number, status }) => number === 1 && status === 429);
  const median = percentile(
    waits.map(({ retryAfter }) => retryAfter),
    0.5,
  );
  // From the end of the load until the last of those who were refused has its first token.
  const drain = Math.max(...served.map(({ firstToken }) => firstToken)) - seconds;
  figures.note('drain of those who were refused', `${drain.toFixed(1)} s after the end of the load`);
  const most = Math.max(2, 2 * drain);
  figures.check('median Retry-After', `${median} s`, `<= ${most.toFixed(1)} s`, median <= most);
  for (const line of shed.split('\n')) {
    if (line.startsWith('vllm_router_shed_total')) figures.note('metric', line);
  }
  return figures;
}
