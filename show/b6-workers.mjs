// B6: what workers cost and whether they count right. One router of one process and one with two workers, all of
// their processes on one core, load and engine on the other: processor time per request (from
// /proc/PID/task/*/schedstat of all processes), in windows that take turns. Then two workers on both cores under a
// light fixed load. At the end every counter must be exact. Linux with two cores and taskset.
//   --windows 5  --seconds 2  --rate 100 (requests a second of the light load)
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Figures, Missing, percentile, spread } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { startLightEngine, startRouter, staticFleet, until } from './processes.mjs';
import { metrics, sumOf } from './router-state.mjs';

const MODEL = 'light';
const BODY = JSON.stringify({
  model: MODEL,
  messages: [{ role: 'user', content: 'Tell me about routers.' }],
});
const ROUTER_CORE = '1';
const LOAD_CORE = '0';
/** Connections, many for each worker, so that both have much the same to do. */
const CONNECTIONS = 16;
const MOST_MORE = 1.3;
/** Served by each process before anything is measured, within this time. */
const WARM_REQUESTS = 15_000;
const WARM_MS = 20_000;

/** A process and its children. */
function family(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))];
}

/** Milliseconds on a processor of all threads of all these processes so far. */
function cpuMs(pids) {
  let nanos = 0;
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      try {
        nanos += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
      } catch {
        // The thread has ended.
      }
    }
  }
  return nanos / 1e6;
}

function pin(pids, cores) {
  for (const pid of pids) {
    const { status } = spawnSync('taskset', ['-a', '-p', '-c', cores, String(pid)], { stdio: 'ignore' });
    if (status !== 0) throw new Missing('taskset (util-linux) must be there, and two cores');
  }
}

/** Requests one after the other on each of `CONNECTIONS`, for a while. */
async function closedLoad(client, ms) {
  const end = performance.now() + ms;
  const load = { done: 0, failed: 0, times: [] };
  const one = async () => {
    while (performance.now() < end) {
      const answer = await client
        .request({ path: '/v1/chat/completions', body: BODY })
        .answer.catch(() => null);
      if (answer?.status === 200) {
        load.done += 1;
        load.times.push(answer.ms);
      } else load.failed += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
  return load;
}

/** `rate` requests a second, whatever becomes of them. */
async function openLoad(client, rate, ms) {
  const load = { done: 0, failed: 0, times: [] };
  const startedAt = performance.now();
  const open = [];
  for (let sent = 0; performance.now() - startedAt < ms;) {
    for (const due = ((performance.now() - startedAt) * rate) / 1000; sent < due; sent += 1) {
      open.push(
        client.request({ path: '/v1/chat/completions', body: BODY }).answer.then(
          (answer) => {
            load.done += 1;
            load.times.push(answer.ms);
          },
          () => (load.failed += 1),
        ),
      );
    }
    await sleep(2);
  }
  await Promise.all(open);
  return load;
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      windows: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      rate: { type: 'string', default: '100' },
    },
  });
  if (process.platform !== 'linux' || cpus().length < 2) throw new Missing('Linux with two cores');
  const ms = Number(values.seconds) * 1000;
  const figures = new Figures();
  const engine = await startLightEngine(['--model', MODEL]);
  pin([process.pid, engine.pid], LOAD_CORE);
  const start = async (workers) => {
    const flags = [...staticFleet([engine.url], MODEL), '--routing-logic', 'roundrobin'];
    const router = await startRouter([...flags, '--workers', String(workers)]);
    const pids = family(router.pid);
    pin(pids, ROUTER_CORE);
    const client = new LoadClient(router.url);
    const it = { router, pids, client, done: 0, failed: 0, perRequest: [], times: [] };
    // Each process compiles its code as it goes: a young one costs several times as much.
    const startedAt = performance.now();
    while (it.done < WARM_REQUESTS * workers && performance.now() - startedAt < WARM_MS) {
      const { done, failed } = await closedLoad(client, 250);
      it.done += done;
      it.failed += failed;
    }
    return it;
  };
  const one = await start(1);
  const two = await start(2);
  figures.equal('processes of two workers', two.pids.length, 3);

  for (let window = 0; window < Number(values.windows); window += 1) {
    for (const it of window % 2 === 0 ? [one, two] : [two, one]) {
      const before = cpuMs(it.pids);
      const { done, failed, times } = await closedLoad(it.client, ms);
      it.perRequest.push(((cpuMs(it.pids) - before) / done) * 1000);
      it.times.push(...times);
      it.done += done;
      it.failed += failed;
    }
  }
  const [alone, together] = [one, two].map(({ perRequest }) => percentile(perRequest, 0.5));
  figures.note('one process on one core', `${alone.toFixed(0)} us a request (median of the windows)`);
  figures.note('two workers on one core', `${together.toFixed(0)} us a request`);
  figures.check(
    'two workers by one process',
    (together / alone).toFixed(2),
    `<= ${MOST_MORE}`,
    together / alone <= MOST_MORE,
  );
  figures.note('answer time p50 / p99 / max, one', spread(one.times));
  figures.note('answer time p50 / p99 / max, two', spread(two.times));

  const rate = Number(values.rate);
  for (const [name, it, cores] of [
    ['light load, two workers on one core', two, ROUTER_CORE],
    ['light load, two workers on two cores', two, `${LOAD_CORE},${ROUTER_CORE}`],
    ['light load, one process on two cores', one, `${LOAD_CORE},${ROUTER_CORE}`],
  ]) {
    pin(it.pids, cores);
    const before = cpuMs(it.pids);
    const { done, failed, times } = await openLoad(it.client, rate, ms);
    it.done += done;
    it.failed += failed;
    const each = ((cpuMs(it.pids) - before) / done) * 1000;
    figures.note(name, `${each.toFixed(0)} us a request at ${rate}/s, ${spread(times)}`);
  }

  for (const [name, { router, done, failed }] of [
    ['one process', one],
    ['two workers', two],
  ]) {
    figures.equal(`${name}: requests that failed`, failed, 0);
    let samples = await metrics(router);
    await until('nothing in flight', async () => {
      samples = await metrics(router);
      return sumOf(samples, 'vllm_router_requests_in_flight') === 0;
    });
    figures.equal(`${name}: requests counted`, sumOf(samples, 'vllm_router_requests_total'), done);
    figures.equal(
      `${name}: durations counted`,
      sumOf(samples, 'vllm_router_request_duration_seconds_count'),
      done,
    );
    figures.equal(`${name}: requests received`, sumOf(samples, 'vllm:num_incoming_requests_total'), done);
  }
  for (const running of [one.router, two.router, engine]) await running.stop();
  return figures;
}
