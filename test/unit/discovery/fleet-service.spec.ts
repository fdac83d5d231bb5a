import { Logger } from '@nestjs/common';
import type { Settings } from '../../../src/config/settings.schema.js';
import { SettingsStore } from '../../../src/config/settings-store.js';
import type { EngineSpec, ServedModel } from '../../../src/core/engine.js';
import type { Fleet } from '../../../src/core/fleet.js';
import { DiscoveryRegistry } from '../../../src/discovery/discovery-registry.js';
import { type DiscoveryStatus, EngineDiscovery } from '../../../src/discovery/engine-discovery.js';
import { FleetService } from '../../../src/discovery/fleet.service.js';
import { ModelProber } from '../../../src/discovery/model-prober.js';
import { StaticDiscovery } from '../../../src/discovery/providers/static.discovery.js';
import type { EngineGetOptions } from '../../../src/upstream/engine-get.js';
import { ManualTimers, settled } from '../../support/manual-timers.js';

type Answer = readonly ServedModel[] | Error | 'hangs';

/** Answers for engines by URL; one without an answer refuses. */
class ScriptedProber extends ModelProber {
  readonly answers = new Map<string, Answer>();
  readonly asked: { url: string; options: EngineGetOptions }[] = [];
  hanging = 0;

  override async probe(url: string, options: EngineGetOptions): Promise<readonly ServedModel[]> {
    this.asked.push({ url, options });
    const answer = this.answers.get(url) ?? Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    if (answer instanceof Error) throw answer;
    if (answer !== 'hangs') return answer;
    this.hanging++;
    return new Promise((_, reject) =>
      options.signal?.addEventListener('abort', () => {
        this.hanging--;
        reject(new Error('aborted'));
      }),
    );
  }

  timesAsked(url: string): number {
    return this.asked.filter((each) => each.url === url).length;
  }
}

/** A discovery that publishes when a test says so. */
class PushDiscovery extends EngineDiscovery {
  static readonly providerName: string = 'push';
  static readonly reads = ['k8sNamespace'] as const;
  static made: PushDiscovery[] = [];
  publish: (engines: readonly EngineSpec[]) => void = () => {};
  stopped = false;
  override status: DiscoveryStatus = { state: 'synced', reason: null, since: 5 };

  constructor(readonly settings: Settings) {
    super();
    PushDiscovery.made.push(this);
  }

  override async start(publish: (engines: readonly EngineSpec[]) => void): Promise<void> {
    if (this.settings.k8sNamespace === 'bad') throw new Error('--k8s-namespace bad does not exist');
    this.publish = publish;
  }

  override async stop(): Promise<void> {
    this.stopped = true;
  }
}

const served = (id: string, parent: string | null = null, more: object = {}): ServedModel => ({
  id,
  parent,
  card: { id, parent, object: 'model', max_model_len: 8192, ...more },
});
const [A, B, C] = ['http://a:8000', 'http://b:8000', 'http://c:8000'] as const;
const spec = (url: string, models?: string[]): EngineSpec => ({ id: url, url, ...(models && { models }) });

const defaults = {
  serviceDiscovery: 'static',
  staticBackends: null,
  staticModels: null,
  k8sNamespace: 'default',
  modelRefreshInterval: 30,
  backendHealthCheckTimeoutSeconds: 10,
};
const settingsWith = (over: Partial<Settings>): Settings => ({ ...defaults, ...over }) as Settings;

describe('FleetService', () => {
  let timers: ManualTimers;
  let prober: ScriptedProber;
  let service: FleetService;
  let changes: [Fleet, Fleet][];

  /** Starts a service; nothing that it asked has been answered yet. */
  async function start(over: Partial<Settings>): Promise<PushDiscovery> {
    service = new FleetService(
      new SettingsStore(settingsWith(over)),
      new DiscoveryRegistry([StaticDiscovery, PushDiscovery]),
      prober,
      timers,
    );
    changes = [];
    service.onChange((next, previous) => changes.push([next, previous]));
    await service.onModuleInit();
    return PushDiscovery.made.at(-1) as PushDiscovery;
  }

  async function reload(over: Partial<Settings>): Promise<void> {
    (await service.prepare(settingsWith(over))).commit();
  }

  const urls = (): string[] => service.current.engines.map(({ url }) => url);

  beforeEach(() => {
    timers = new ManualTimers();
    prober = new ScriptedProber();
    PushDiscovery.made = [];
    for (const level of ['error', 'warn', 'log', 'debug'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation(() => {});
    }
  });

  afterEach(async () => {
    await service.onApplicationShutdown();
    expect(timers.pending).toBe(0);
    expect(prober.hanging).toBe(0);
    jest.restoreAllMocks();
  });

  describe('with models from the settings', () => {
    const listed = { staticBackends: [A, B], staticModels: ['tiny', 'tiny'] };

    it('serves them at once, before any engine has been asked', async () => {
      prober.answers.set(A, 'hangs').set(B, 'hangs');
      await start(listed);
      expect(service.current.serving('tiny').map(({ url }) => url)).toEqual([A, B]);
      expect(service.current.modelCard('tiny')).toMatchObject({ created: 1_700_000_000, owned_by: 'vllm' });
    });

    it('adds what the engine tells of them, and their adapters, and no other name', async () => {
      prober.answers.set(A, [
        served('tiny'),
        served('lora', 'tiny'),
        served('secret'),
        served('deep', 'secret'),
      ]);
      await start(listed);
      await settled();
      expect(service.current.modelIds).toEqual(['lora', 'tiny']);
      expect(service.current.modelCard('tiny')).toMatchObject({ max_model_len: 8192 });
      expect(service.current.serving('lora').map(({ url }) => url)).toEqual([A]);
    });

    it('keeps them when the engine does not list them, or is dead', async () => {
      prober.answers.set(A, [served('something else')]);
      await start(listed);
      await timers.advance(60_000);
      expect(service.current.modelIds).toEqual(['tiny']);
      expect(service.current.serving('tiny')).toHaveLength(2);
    });
  });

  describe('with models to be learned', () => {
    it('shows an engine once it has named its models, each in its own time', async () => {
      prober.answers.set(A, 'hangs').set(B, [served('tiny'), served('lora', 'tiny')]);
      await start({ staticBackends: [A, B, C] });
      await settled();
      expect(urls()).toEqual([B]);
      expect(service.current.modelIds).toEqual(['lora', 'tiny']);
      expect(service.status).toMatchObject({ engines: 1, unknown: 2, provider: 'static' });
    });

    it('asks with the probe timeout of the settings', async () => {
      await start({ staticBackends: [A], backendHealthCheckTimeoutSeconds: 3 });
      expect(prober.asked[0]).toMatchObject({ url: A, options: { timeoutMs: 3_000 } });
    });

    it('asks a failing engine again after 0.5, 1, 2, 4 and then every 5 s at most, with jitter below that', async () => {
      timers.chance = 0.999_999;
      await start({ staticBackends: [A] });
      const at: number[] = [];
      for (let tenth = 1; tenth <= 200; tenth++) {
        const before = prober.timesAsked(A);
        await timers.advance(100);
        if (prober.timesAsked(A) > before) at.push(tenth / 10);
      }
      expect(at).toEqual([0.5, 1.5, 3.5, 7.5, 12.5, 17.5]);
      timers.chance = 0;
      await timers.advance(5_000);
      const before = prober.timesAsked(A);
      await timers.advance(10_000);
      expect(prober.timesAsked(A) - before).toBe(4);
    });

    it('begins with the short wait again when an engine fails after a success', async () => {
      await start({ staticBackends: [A] });
      await timers.advance(20_000);
      prober.answers.set(A, [served('tiny')]);
      await timers.advance(5_000);
      prober.answers.delete(A);
      const before = prober.timesAsked(A);
      while (prober.timesAsked(A) === before) await timers.advance(100);
      await timers.advance(500);
      expect(prober.timesAsked(A)).toBe(before + 2);
    });

    it('learns an engine that comes up late, within its back-off', async () => {
      await start({ staticBackends: [A] });
      await timers.advance(20_000);
      expect(urls()).toEqual([]);
      prober.answers.set(A, [served('tiny')]);
      await timers.advance(5_000);
      expect(urls()).toEqual([A]);
    });

    it('says once in the log that an engine gets no requests, and why', async () => {
      await start({ staticBackends: [A, B], staticModels: null });
      prober.answers.set(B, [served('tiny')]);
      await timers.advance(60_000);
      const lines = jest.mocked(Logger.prototype.warn).mock.calls.map(([line]) => String(line));
      expect(lines.filter((line) => line.includes(A))).toEqual([
        `engine ${A} gets no requests until it names its models: ECONNREFUSED`,
      ]);
    });

    it('follows adapters that are loaded and unloaded at run time', async () => {
      prober.answers.set(A, [served('tiny')]);
      await start({ staticBackends: [A] });
      await settled();
      prober.answers.set(A, [served('tiny'), served('lora', 'tiny')]);
      await timers.advance(30_000);
      expect(service.current.modelIds).toEqual(['lora', 'tiny']);
      prober.answers.set(A, [served('tiny')]);
      await timers.advance(30_000);
      expect(service.current.modelIds).toEqual(['tiny']);
    });

    it('keeps the last known models through failed refreshes', async () => {
      prober.answers.set(A, [served('tiny')]);
      await start({ staticBackends: [A] });
      await settled();
      const fleet = service.current;
      prober.answers.delete(A);
      await timers.advance(300_000);
      expect(service.current).toBe(fleet);
      expect(prober.timesAsked(A)).toBeGreaterThan(30);
    });

    it('asks at most 32 engines at a time, and all in the end', async () => {
      const many = Array.from({ length: 100 }, (_, index) => `http://e${index}:8000`);
      for (const url of many.slice(0, 40)) prober.answers.set(url, 'hangs');
      for (const url of many.slice(40)) prober.answers.set(url, [served('tiny')]);
      const push = await start({ serviceDiscovery: 'push' });
      push.publish(many.map((url) => spec(url)));
      await settled();
      expect(prober.hanging).toBe(32);
      expect(prober.asked).toHaveLength(32);
      push.publish(many.slice(20).map((url) => spec(url)));
      await timers.advance(0);
      expect(prober.hanging).toBe(20);
      expect(urls()).toHaveLength(60);
    });
  });

  describe('versions and identity', () => {
    it('makes no new fleet when nothing has really changed', async () => {
      prober.answers.set(A, [served('tiny', null, { created: 1, permission: [{ id: 'modelperm-1' }] })]);
      const push = await start({ serviceDiscovery: 'push' });
      push.publish([spec(A)]);
      await settled();
      const fleet = service.current;
      prober.answers.set(A, [served('tiny', null, { created: 2, permission: [{ id: 'modelperm-2' }] })]);
      await timers.advance(90_000);
      push.publish([{ id: A, url: A, labels: {} }]);
      expect(service.current).toBe(fleet);
      expect(fleet.version).toBe(1);
      expect(changes).toHaveLength(1);
      expect(fleet.modelCard('tiny')).toMatchObject({ created: 1 });
    });

    it('keeps the object of every engine that did not change, and tells listeners both fleets', async () => {
      const push = await start({ serviceDiscovery: 'push' });
      push.publish([spec(A, ['x']), spec(B, ['x'])]);
      const before = service.current;
      push.publish([spec(B, ['x']), spec(C, ['x']), { ...spec(A, ['x']), labels: { role: 'prefill' } }]);
      const after = service.current;
      expect(changes).toEqual([
        [before, expect.objectContaining({ version: 0 })],
        [after, before],
      ]);
      expect(after.version).toBe(2);
      expect(after.byId(B)).toBe(before.byId(B));
      expect(after.byId(A)).not.toBe(before.byId(A));
      expect(after.byId(A)?.labels).toEqual({ role: 'prefill' });
      expect(before.engines).toHaveLength(2);
    });

    it('removes an engine at once when it is published no more, and asks it no more', async () => {
      prober.answers.set(A, 'hangs');
      const push = await start({ serviceDiscovery: 'push' });
      push.publish([spec(A, ['x']), spec(B, ['x'])]);
      push.publish([spec(B, ['x'])]);
      expect(urls()).toEqual([B]);
      await timers.advance(60_000);
      expect(prober.timesAsked(A)).toBe(1);
      push.publish([]);
      expect(urls()).toEqual([]);
    });

    it('learns the models of a successor anew, though it has the address of the one before', async () => {
      prober.answers.set(A, [served('old')]);
      const push = await start({ serviceDiscovery: 'push' });
      push.publish([{ id: 'pod-1', url: A }]);
      await settled();
      expect(service.current.modelIds).toEqual(['old']);
      prober.answers.set(A, [served('new')]);
      push.publish([{ id: 'pod-2', url: A }]);
      expect(urls()).toEqual([]);
      await settled();
      expect(service.current.modelIds).toEqual(['new']);
    });

    it('survives a listener that throws, and forgets one that left', async () => {
      const push = await start({ serviceDiscovery: 'push' });
      const heard = jest.fn();
      service.onChange(() => {
        throw new Error('broken');
      });
      const leave = service.onChange(heard);
      push.publish([spec(A, ['x'])]);
      leave();
      push.publish([spec(B, ['x'])]);
      expect(heard).toHaveBeenCalledTimes(1);
      expect(urls()).toEqual([B]);
    });

    it('takes from a provider only what is an engine, once', async () => {
      const push = await start({ serviceDiscovery: 'push' });
      const odd = [
        null,
        { id: 7, url: B },
        { id: 'x' },
        { id: 'y', url: 'no url' },
      ] as unknown as EngineSpec[];
      push.publish([...odd, { id: A, url: `${A}/`, models: ['x'] }, { id: A, url: B, models: ['y'] }]);
      expect(service.current.engines).toEqual([
        { id: A, url: A, models: [{ id: 'x', parent: null }], labels: {} },
      ]);
    });
  });

  describe('synced', () => {
    it('waits for the first set, and for the first answer of each of its engines', async () => {
      prober.answers.set(A, [served('x')]).set(B, 'hangs');
      const push = await start({ serviceDiscovery: 'push' });
      await timers.advance(60_000);
      expect(service.synced).toBe(false);
      push.publish([spec(A), spec(B), spec(C)]);
      await settled();
      expect(service.synced).toBe(false);
      expect(service.status).toMatchObject({
        state: 'starting',
        reason: 'asking engines for their models, 1 left',
      });
      push.publish([spec(A), spec(C)]);
      expect(service.synced).toBe(true);
      expect(service.status).toEqual({
        state: 'synced',
        reason: null,
        since: 5,
        provider: 'push',
        engines: 1,
        unknown: 1,
      });
    });

    it('waits no longer than one probe may take', async () => {
      prober.answers.set(A, 'hangs');
      await start({ staticBackends: [A], backendHealthCheckTimeoutSeconds: 10 });
      await timers.advance(9_999);
      expect(service.synced).toBe(false);
      await timers.advance(1);
      expect(service.synced).toBe(true);
    });

    it('waits for engines with models from the settings too: they may have adapters', async () => {
      prober.answers.set(A, 'hangs');
      await start({ staticBackends: [A, B], staticModels: ['x', 'x'] });
      await settled();
      expect(service.synced).toBe(false);
      await timers.advance(10_000);
      expect(service.synced).toBe(true);
    });

    it('is true with an empty first set, and stays true', async () => {
      const push = await start({ serviceDiscovery: 'push' });
      push.publish([]);
      expect(service.synced).toBe(true);
      prober.answers.set(A, 'hangs');
      push.publish([spec(A)]);
      expect(service.synced).toBe(true);
      await reload({ serviceDiscovery: 'push', k8sNamespace: 'other' });
      expect(service.synced).toBe(true);
    });

    it('shows what the provider says of itself, even if it cannot', async () => {
      const push = await start({ serviceDiscovery: 'push' });
      push.publish([]);
      push.status = { state: 'degraded', reason: 'the API server is away', since: 77 };
      expect(service.status).toMatchObject({
        state: 'degraded',
        reason: 'the API server is away',
        since: 77,
      });
      Object.defineProperty(push, 'status', {
        get: () => {
          throw new Error('broken');
        },
      });
      expect(service.status).toMatchObject({ state: 'degraded', reason: 'push cannot tell its state' });
    });
  });

  describe('reload', () => {
    const listed = { staticBackends: [A, B], staticModels: ['x', 'x'] };

    it('does nothing when no discovery setting has changed', async () => {
      const push = await start({ serviceDiscovery: 'push' });
      push.publish([spec(A, ['x'])]);
      await reload({ serviceDiscovery: 'push', staticBackends: [C] });
      expect(PushDiscovery.made).toEqual([push]);
      expect(push.stopped).toBe(false);
    });

    it('adds and removes static engines, the others untouched', async () => {
      await start(listed);
      const kept = service.current.byId(B);
      await reload({ staticBackends: [B, C], staticModels: ['x', 'y'] });
      expect(urls()).toEqual([B, C]);
      expect(service.current.byId(B)).toBe(kept);
      expect(service.current.modelIds).toEqual(['x', 'y']);
      expect(changes).toHaveLength(2);
    });

    it('changes nothing before commit, and stops what it started when it is discarded', async () => {
      await start(listed);
      const change = await service.prepare(settingsWith({ serviceDiscovery: 'push' }));
      const [push] = PushDiscovery.made as [PushDiscovery];
      push.publish([spec(C, ['z'])]);
      expect(urls()).toEqual([A, B]);
      await change.discard();
      expect(push.stopped).toBe(true);
      expect(service.provider).toBe('static');
    });

    it('is refused when the next provider cannot start, and the one in force goes on', async () => {
      const push = await start({ serviceDiscovery: 'push' });
      push.publish([spec(A, ['x'])]);
      const refused = service.prepare(settingsWith({ serviceDiscovery: 'push', k8sNamespace: 'bad' }));
      await expect(refused).rejects.toThrow('--k8s-namespace bad does not exist');
      await expect(service.prepare(settingsWith({ serviceDiscovery: 'nope' }))).rejects.toThrow(
        'unknown service',
      );
      expect(PushDiscovery.made.at(-1)?.stopped).toBe(true);
      push.publish([spec(B, ['x'])]);
      expect(urls()).toEqual([B]);
    });

    it('keeps the known fleet until the next provider has published, then hears no more of the old one', async () => {
      await start(listed);
      await reload({ serviceDiscovery: 'push' });
      const [push] = PushDiscovery.made as [PushDiscovery];
      expect(urls()).toEqual([A, B]);
      expect(service.provider).toBe('push');
      push.publish([spec(C, ['x'])]);
      expect(urls()).toEqual([C]);
      await reload(listed);
      expect(push.stopped).toBe(true);
      push.publish([spec(C, ['z'])]);
      expect(urls()).toEqual([A, B]);
    });

    it('takes up at commit what the next provider published before it', async () => {
      await start(listed);
      const change = await service.prepare(settingsWith({ serviceDiscovery: 'push' }));
      PushDiscovery.made[0]?.publish([spec(A, ['x'])]);
      PushDiscovery.made[0]?.publish([spec(C, ['x'])]);
      change.commit();
      expect(urls()).toEqual([C]);
    });

    it('never leaves a model without engines while the next engines are asked for theirs', async () => {
      await start(listed);
      prober.answers.set(C, [served('x')]);
      const seen: string[][] = [];
      service.onChange((next) => seen.push(next.engines.map(({ url }) => url)));
      await reload({ staticBackends: [C], staticModels: null });
      await settled();
      expect(seen).toEqual([[C]]);
    });

    it('lets the engines before go after one probe timeout, answer or none', async () => {
      await start(listed);
      prober.answers.set(C, 'hangs');
      await reload({ staticBackends: [C], staticModels: null });
      await timers.advance(9_999);
      expect(urls()).toEqual([A, B]);
      await timers.advance(1);
      expect(urls()).toEqual([]);
    });
  });

  it('asks nobody and hears nothing after the shutdown', async () => {
    prober.answers.set(A, 'hangs');
    const push = await start({ serviceDiscovery: 'push' });
    push.publish([spec(A), spec(B)]);
    await settled();
    await service.onApplicationShutdown();
    const asked = prober.asked.length;
    push.publish([spec(C, ['x'])]);
    await timers.advance(120_000);
    expect(prober.asked).toHaveLength(asked);
    expect(urls()).toEqual([]);
  });
});
