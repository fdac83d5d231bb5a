import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Logger, Module } from '@nestjs/common';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { loadSettings, LoadedSettings } from '../../../src/config/load-settings.js';
import { readTextFileSync } from '../../../src/config/read-text-file.js';
import { Reconfigurable, type PreparedChange } from '../../../src/config/reconfigurable.js';
import { SettingsStore } from '../../../src/config/settings-store.js';
import type { Settings } from '../../../src/config/settings.schema.js';
import { DynamicConfigModule } from '../../../src/dynamic-config/dynamic-config.module.js';
import { DynamicConfigService } from '../../../src/dynamic-config/dynamic-config.service.js';
import { contentHash, FileWatchService } from '../../../src/dynamic-config/file-watch.service.js';
import { ReloadListener, type ReloadOutcome } from '../../../src/dynamic-config/reload-listener.js';
import { STATIC } from '../config/load.js';

class Part extends Reconfigurable {
  readonly journal: string[] = [];
  failure: Error | null = null;
  onCommit: () => void = () => {};

  override async prepare(next: Settings): Promise<PreparedChange> {
    this.journal.push(`prepare ${next.routingLogic}`);
    if (this.failure) throw this.failure;
    return {
      commit: () => {
        this.journal.push(`commit ${next.routingLogic}`);
        this.onCommit();
      },
      discard: async () => void this.journal.push('discard'),
    };
  }
}

const ROUNDROBIN = '{"service_discovery":"static","routing_logic":"roundrobin"}';
const SESSION = '{"service_discovery":"static","routing_logic":"session","session_key":"u"}';

describe('dynamic configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dynamic-'));
  const path = join(folder, 'router.json');
  const write = (text: string): void => writeFileSync(path, text);
  let errors: jest.SpyInstance;

  beforeEach(() => {
    errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    jest.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => rmSync(folder, { recursive: true }));

  async function start(text: string | null, argv = STATIC) {
    if (text === null) rmSync(path, { force: true });
    else write(text);
    const loaded = loadSettings({
      argv: [...argv, '--dynamic-config-json', path],
      env: {},
      readFile: readTextFileSync,
    });
    const store = new SettingsStore(loaded.settings);
    const watch = new FileWatchService(new SchedulerRegistry());
    const parts = [new Part(), new Part()] as const;
    const outcomes: ReloadOutcome[] = [];
    const service = new DynamicConfigService(loaded, store, watch, parts, {
      onReload: (outcome) => void outcomes.push(outcome),
    });
    service.onApplicationBootstrap();
    return { service, store, watch, parts, outcomes, end: () => service.onApplicationShutdown() };
  }

  it('starts with what the start has applied and leaves it alone', async () => {
    const { service, watch, outcomes, parts, end } = await start(ROUNDROBIN);
    expect(service.state).toMatchObject({
      enabled: true,
      appliedHash: contentHash(ROUNDROBIN),
      lastError: null,
    });
    expect(service.state.applied).toMatchObject({ routing_logic: 'roundrobin', k8s_port: null });
    await watch.look();
    await watch.look();
    expect(outcomes).toEqual(['unchanged', 'unchanged']);
    expect(parts[0].journal).toEqual([]);
    await end();
  });

  it('prepares every part, then commits all of them with the store already new', async () => {
    const { service, store, watch, parts, outcomes, end } = await start(ROUNDROBIN);
    const seen: string[] = [];
    parts[0].onCommit = () => void seen.push(store.current.routingLogic);
    write(SESSION);
    await watch.look();
    expect(outcomes).toEqual(['applied']);
    for (const part of parts) expect(part.journal).toEqual(['prepare session', 'commit session']);
    expect(seen).toEqual(['session']);
    expect(store.current).toMatchObject({ routingLogic: 'session', sessionKey: 'u' });
    expect(service.state).toMatchObject({ appliedHash: contentHash(SESSION), lastError: null });
    await end();
  });

  it('keeps everything when one part cannot, discards the others, and tries again', async () => {
    const { service, store, watch, parts, outcomes, end } = await start(ROUNDROBIN);
    parts[1].failure = new Error('discovery could not start');
    write(SESSION);
    await watch.look();
    await watch.look();
    expect(parts[0].journal).toEqual(['prepare session', 'discard', 'prepare session', 'discard']);
    expect(store.current.routingLogic).toBe('roundrobin');
    expect(service.state.lastError?.message).toBe('discovery could not start');
    expect(service.state.applied).toMatchObject({ routing_logic: 'roundrobin' });
    expect(outcomes).toEqual(['rejected', 'rejected']);
    expect(errors).toHaveBeenCalledTimes(1);
    parts[1].failure = null;
    await watch.look();
    expect(outcomes.at(-1)).toBe('applied');
    expect(service.state.lastError).toBeNull();
    await end();
  });

  it('rejects wrong content once, until it changes', async () => {
    const { service, store, watch, parts, outcomes, end } = await start(ROUNDROBIN);
    write('{"service_discovery":"static"}');
    await watch.look();
    await watch.look();
    expect(outcomes).toEqual(['rejected', 'unchanged']);
    expect(errors).toHaveBeenCalledTimes(1);
    expect(errors.mock.calls[0]?.[0]).toBe(
      `dynamic file ${JSON.stringify(path)} rejected, the settings in force stay: ` +
        'routing_logic is missing; give roundrobin, session, prefixaware, kvaware, leastload, loadaware, poweroftwo or random',
    );
    expect(service.state.lastError?.message).toContain('routing_logic is missing');
    expect(parts[0].journal).toEqual([]);

    unlinkSync(path);
    await watch.look();
    expect(service.state.lastError?.message).toContain('cannot be read: ENOENT');
    write('{"service_discovery":"static"}');
    await watch.look();
    expect(service.state.lastError?.message).toContain('routing_logic is missing');

    write(ROUNDROBIN);
    await watch.look();
    expect(service.state.lastError).toBeNull();
    expect(outcomes).toEqual(['rejected', 'unchanged', 'rejected', 'unchanged', 'applied']);
    expect(store.current.routingLogic).toBe('roundrobin');
    await end();
  });

  it('serves by the flags while the file is missing, and takes it when it comes', async () => {
    const { service, store, watch, outcomes, end } = await start(null);
    expect(service.state).toMatchObject({ enabled: true, applied: null, appliedHash: null, appliedAt: null });
    expect(service.state.lastError?.message).toContain('cannot be read: ENOENT');
    await watch.look();
    expect(outcomes).toEqual(['unchanged']);
    write(SESSION);
    await watch.look();
    expect(store.current.routingLogic).toBe('session');
    expect(service.state.lastError).toBeNull();
    await end();
  });

  it('counts a bad file of the start as dealt with', async () => {
    const { service, watch, outcomes, end } = await start('{');
    await watch.look();
    expect(outcomes).toEqual(['unchanged']);
    expect(service.state.lastError?.message).toMatch(/^not valid JSON/);
    await end();
  });

  it('does not let a part that throws on commit keep the others from the change', async () => {
    const { store, watch, parts, outcomes, end } = await start(ROUNDROBIN);
    parts[0].onCommit = () => {
      throw new Error('broken');
    };
    write(SESSION);
    await watch.look();
    expect(parts[1].journal).toContain('commit session');
    expect([store.current.routingLogic, outcomes]).toEqual(['session', ['applied']]);
    await end();
  });

  it('drops a change that is ready after the end', async () => {
    const { store, watch, parts, end } = await start(ROUNDROBIN);
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => {
      jest.spyOn(parts[1], 'prepare').mockImplementation(async () => {
        resolve();
        await held;
        return {
          commit: () => parts[1].journal.push('commit'),
          discard: async () => void parts[1].journal.push('discard'),
        };
      });
    });
    write(SESSION);
    const looking = watch.look();
    await reached;
    const ended = end();
    release();
    await Promise.all([looking, ended]);
    expect(parts[1].journal).toEqual(['discard']);
    expect(store.current.routingLogic).toBe('roundrobin');
  });

  it('is off without a dynamic file', async () => {
    const loaded = loadSettings({ argv: STATIC, env: {}, readFile: readTextFileSync });
    const watch = new FileWatchService(new SchedulerRegistry());
    const service = new DynamicConfigService(loaded, new SettingsStore(loaded.settings), watch, [], {
      onReload: () => {},
    });
    service.onApplicationBootstrap();
    expect(service.state).toEqual({
      enabled: false,
      applied: null,
      appliedHash: null,
      appliedAt: null,
      lastError: null,
    });
    await service.onApplicationShutdown();
  });

  it('is wired by its module', async () => {
    @Injectable()
    class Listener extends ReloadListener {
      override onReload(): void {}
    }
    write(ROUNDROBIN);
    const loaded = loadSettings({
      argv: [...STATIC, '--dynamic-config-json', path],
      env: {},
      readFile: readTextFileSync,
    });
    @Module({
      providers: [
        Listener,
        Part,
        { provide: LoadedSettings, useValue: loaded },
        { provide: SettingsStore, useValue: new SettingsStore(loaded.settings) },
      ],
      exports: [Listener, Part, LoadedSettings, SettingsStore],
    })
    class Host {}
    const app = await Test.createTestingModule({
      imports: [
        ScheduleModule.forRoot(),
        DynamicConfigModule.register({ imports: [Host], parts: [Part], listener: Listener }),
      ],
    }).compile();
    await app.init();
    const schedulers = app.get(SchedulerRegistry, { strict: false });
    expect(schedulers.getIntervals()).toHaveLength(1);
    write(SESSION);
    await app.get(FileWatchService, { strict: false }).look();
    expect(app.get(Part, { strict: false }).journal).toEqual(['prepare session', 'commit session']);
    expect(app.get(DynamicConfigService, { strict: false }).state.lastError).toBeNull();
    await app.close();
    expect(schedulers.getIntervals()).toHaveLength(0);
  });
});
