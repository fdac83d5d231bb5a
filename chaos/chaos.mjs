// One run: engines, router and clients are started, the schedule is played, and all answers are judged.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd, ROOT, Running, until } from '../show/processes.mjs';
import { Clients } from './client.mjs';
import { ChaosEngine } from './engine.mjs';
import { Judge } from './judge.mjs';
import { leftBehind } from './left-behind.mjs';
import { outcomeOf } from './outcome.mjs';
import { RequestMaker } from './requests.mjs';
import { ChaosRouter, fleetFile } from './router.mjs';
import { describe, makeSchedule, modelsOf } from './schedule.mjs';

/** A client waits so long for the end of its answer: the router's --total-timeout and what the machine adds. */
const BOUND_MS = 50_000;
const MOST_OPEN = 200;
/** A token after 20 ms and one each 10 ms, so that answers are met in their middle. */
const PACE = ['--ttft', '20', '--itl', '10'];

export class Chaos {
  #engines = [];
  #hostile = null;
  #router;
  #clients;
  #maker;
  #open = new Set();
  #lifts = new Set();
  #fleet = { gone: [], hostile: false, strategy: 'roundrobin' };
  #startedAt = 0;
  #lagMs = 0;
  played = [];

  /** @param {{ seed: number, minutes: number, engines: number, rate: number, continues: boolean, flags: string[],
   *   phaseSeconds?: number, mostTokens?: number, say: (line: string) => void, verbose: boolean }} wish */
  constructor(wish) {
    this.wish = wish;
  }

  async run() {
    const schedule = makeSchedule(this.wish);
    await this.#start();
    const watch = setInterval(() => this.#router.look(), 500);
    try {
      await this.#play(schedule);
      await Promise.all(this.#lifts);
      await Promise.all(this.#open);
      this.#clients.close();
      const leaks = await leftBehind(this.#router, this.#engines);
      return await this.#result(schedule, leaks);
    } finally {
      clearInterval(watch);
      this.#clients.close();
      await this.#router.process.stop();
      await Promise.all(this.#engines.map((engine) => engine.stop()));
      await this.#hostile.process.stop();
    }
  }

  async #start() {
    const { engines, flags, continues } = this.wish;
    const folder = mkdtempSync(join(tmpdir(), 'vllm-router-chaos-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const ports = await freePorts(engines + 1);
    const serves = Object.entries(modelsOf(engines));
    this.#engines = ports.slice(1).map((port, index) => {
      const models = serves.filter(([, serving]) => serving.includes(index)).map(([model]) => model);
      // Every second one drains when it is told to end; the others leave their requests hanging.
      const ending = index % 2 === 0 ? [] : ['--shutdown-timeout', '3'];
      return new ChaosEngine({ index, port, models, flags: [...PACE, ...ending] });
    });
    await Promise.all(this.#engines.map((engine) => engine.start()));
    const models = serves.map(([model]) => model);
    const argv = [join(ROOT, 'chaos', 'hostile-engine.mjs'), String(ports[0]), models.join(',')];
    this.#hostile = {
      process: new Running(process.execPath, argv),
      url: `http://127.0.0.1:${ports[0]}`,
      models,
    };
    await this.#hostile.process.says(/"url":/);
    this.#router = new ChaosRouter(folder);
    const own = continues ? ['--stream-failover', 'continue'] : [];
    await this.#router.start(this.#fleetFile(), [...own, ...flags]);
    this.#router.countAtFirst();
    this.#clients = new Clients(this.#router.port, BOUND_MS);
    this.#maker = new RequestMaker(this.wish);
  }

  #fleetFile() {
    const { gone, hostile, strategy } = this.#fleet;
    const here = this.#engines.filter(({ index }) => !gone.includes(index));
    return fleetFile(hostile ? [...here, this.#hostile] : here, strategy);
  }

  async #play({ ms, events }) {
    this.#startedAt = performance.now();
    const end = this.#startedAt + ms;
    const queue = [...events];
    let told = 0;
    while (performance.now() < end) {
      if (this.#router.process.ended !== null) return;
      const now = performance.now() - this.#startedAt;
      while (queue.length > 0 && queue[0].at <= now) this.#happen(queue.shift());
      // Where the machine cannot keep up, the next ones come later, and are the same.
      while (this.#maker.nextAt <= now && this.#open.size < MOST_OPEN) this.#send();
      if (now > told + 10_000) {
        told = now;
        this.#progress(now, ms);
      }
      const due = Math.max(this.#maker.nextAt, this.#open.size < MOST_OPEN ? 0 : now + 20);
      const next = Math.min(queue[0]?.at ?? ms, due, ms) + this.#startedAt;
      await sleep(Math.max(0, next - performance.now()));
      this.#lagMs = Math.max(this.#lagMs, performance.now() - next);
    }
  }

  #progress(now, ms) {
    const bad = this.played.filter(({ outcome: { kind } }) => /false|wrong|twice|hang/.test(kind)).length;
    const whole = this.played.filter(({ outcome: { kind } }) => kind === 'whole').length;
    const at = `${Math.round(now / 1000)} of ${Math.round(ms / 1000)} s`;
    this.wish.say(
      `${at}: ${this.played.length} requests, ${whole} whole, ${bad} corrupt, ${this.#open.size} under way`,
    );
  }

  #send() {
    const asked = this.#maker.next();
    const one = this.#clients.play(asked).then((came) => {
      const outcome = outcomeOf(asked, came);
      // A whole answer needs no second look, and ten minutes of them would fill the memory.
      if (outcome.kind === 'whole' || outcome.kind === 'left') came.body = came.body.subarray(0, 0);
      asked.body = asked.expected = asked.prompt = null;
      this.played.push({ asked, came, outcome });
      this.#open.delete(one);
    });
    this.#open.add(one);
  }

  #happen(event) {
    const at = `${((performance.now() - this.#startedAt) / 1000).toFixed(1)} s`;
    if (event.type === 'phase') {
      const { kind, length, anchors } = event.phase;
      this.wish.say(`${at}: ${kind} for ${Math.round(length / 1000)} s, good: ${anchors.join(' ')}`);
    } else {
      if (this.wish.verbose) this.wish.say(`  ${at} ${describe(event)}`);
      const task = event.type === 'fault' ? this.#fault(event) : this.#reload(event);
      const done = task.catch((error) => this.wish.say(`  ${describe(event)}: ${error.message}`));
      this.#lifts.add(done);
      void done.finally(() => this.#lifts.delete(done));
    }
  }

  async #fault({ engine: index, what, for: ms }) {
    const engine = this.#engines[index];
    // An engine that takes long to start is not hit again before it is there.
    if (engine.faulty.open) return;
    const began = engine.begin(what).catch(() => undefined);
    await sleep(ms);
    await began;
    await engine.lift(what);
  }

  async #reload({ broken, ...fleet }) {
    if (broken !== undefined) return this.#router.put(broken);
    this.#fleet = fleet;
    const wanted = this.#fleetFile();
    for (const engine of this.#engines) if (fleet.gone.includes(engine.index)) engine.absent.begin();
    this.#router.put(wanted);
    await until('the router follows its file', async () => this.#router.follows(wanted), 10_000);
    if (this.#fleet !== fleet) return undefined;
    for (const engine of this.#engines) if (!fleet.gone.includes(engine.index)) engine.absent.end();
    return undefined;
  }

  async #result(schedule, leaks) {
    const figures =
      this.#router.process.ended === null ? await this.#router.figures().catch(() => null) : null;
    await sleep(200);
    this.#router.look();
    const crash = this.#router.process.ended ?? (figures === null ? 'no answer to /metrics' : null);
    const judge = new Judge(this.#engines, this.#hostile, this.wish.continues, this.#router.decisions());
    judge.learn(this.played);
    for (const one of this.played) one.verdict = judge.judge(one.asked, one.came, one.outcome);
    const { stray } = this.#clients;
    return {
      schedule,
      played: this.played,
      decisions: judge.decisions,
      leaks,
      stray,
      crash,
      disasters: this.#router.disasters,
      figures,
      lagMs: this.#lagMs,
      startedAt: this.#startedAt,
      log: this.#router.process.output,
    };
  }
}

/** Ports that were free a moment ago; engines are started on them again and again. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
