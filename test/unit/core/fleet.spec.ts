import type { Engine, ServedModel } from '../../../src/core/engine.js';
import { Fleet } from '../../../src/core/fleet.js';

const model = (id: string, card?: Record<string, unknown>, parent: string | null = null): ServedModel =>
  card ? { id, parent, card: { id, parent, ...card } } : { id, parent };
const engine = (url: string, models: readonly ServedModel[], id = url): Engine => ({
  id,
  url,
  models,
  labels: {},
});

const b = engine('http://b:8000', [model('llama'), model('mixtral')]);
const a = engine('http://a:8000', [model('llama')]);

describe('Fleet', () => {
  it('finds engines by id and by model, sorted by URL', () => {
    const fleet = Fleet.of([b, a], 3);
    expect(fleet.version).toBe(3);
    expect(fleet.engines).toEqual([a, b]);
    expect(fleet.byId('http://b:8000')).toBe(b);
    expect(fleet.byId('http://c:8000')).toBeUndefined();
    expect(fleet.serving('llama')).toEqual([a, b]);
    expect(fleet.serving('mixtral')).toEqual([b]);
    expect(fleet.modelIds).toEqual(['llama', 'mixtral']);
  });

  it('returns the same array for the same model, for an unknown one too', () => {
    const fleet = Fleet.of([a, b], 1);
    expect(fleet.serving('llama')).toBe(fleet.serving('llama'));
    for (const unknown of ['nope', '', '__proto__', 'constructor', 'toString']) {
      expect(fleet.serving(unknown)).toEqual([]);
      expect(fleet.serving(unknown)).toBe(fleet.serving('nope'));
      expect(fleet.modelCard(unknown)).toBeUndefined();
    }
  });

  it('cannot be edited, and does not follow the array that it was made from', () => {
    const engines = [a];
    const fleet = Fleet.of(engines, 1);
    engines.push(b);
    expect(fleet.engines).toEqual([a]);
    for (const list of [fleet.engines, fleet.serving('llama'), fleet.serving('nope'), fleet.modelIds]) {
      expect(() => (list as unknown[]).push(b)).toThrow(TypeError);
    }
    expect(() => Object.assign(fleet, { version: 9 })).toThrow(TypeError);
  });

  it('lists an engine once for a model that it names twice, and keeps two processes of one URL apart', () => {
    const twice = engine('http://a:8000', [model('llama'), model('llama')]);
    expect(Fleet.of([twice], 1).serving('llama')).toEqual([twice]);
    const [old, successor] = [
      engine('http://a:8000', [model('x')], 'pod-1'),
      engine('http://a:8000', [model('x')], 'pod-2'),
    ];
    expect(Fleet.of([successor, old], 1).serving('x')).toEqual([old, successor]);
  });

  it('begins empty, with version 0', () => {
    expect(Fleet.empty).toMatchObject({ version: 0, engines: [], modelIds: [] });
    expect(Fleet.empty.modelCards()).toEqual([]);
  });
});

describe('model cards', () => {
  it('merges the engines: one card for each name, adapters with their parent, engine fields kept', () => {
    const card = { object: 'model', created: 5, owned_by: 'vllm', root: '/models/tiny', max_model_len: 8192 };
    const adapter = { object: 'model', created: 6, owned_by: 'vllm', root: '/lora', max_model_len: null };
    const fleet = Fleet.of(
      [
        engine('http://b:8000', [
          model('tiny', { ...card, max_model_len: 4096 }),
          model('lora1', adapter, 'tiny'),
        ]),
        engine('http://a:8000', [model('tiny', card)]),
      ],
      1,
    );
    expect(fleet.modelCards()).toEqual([
      { id: 'lora1', parent: 'tiny', ...adapter },
      { id: 'tiny', parent: null, ...card },
    ]);
    expect(fleet.modelCard('lora1')).toEqual({ id: 'lora1', parent: 'tiny', ...adapter });
  });

  it('prefers an engine that has told a card over one that comes first without', () => {
    const fleet = Fleet.of([a, engine('http://z:8000', [model('llama', { max_model_len: 7 })])], 1);
    expect(fleet.modelCard('llama')).toMatchObject({ max_model_len: 7 });
  });

  it('makes a card in the shape of vLLM for a name that no engine has told of, created when first seen', () => {
    const first = Fleet.empty.next([a], 100);
    const later = first.next([a, b], 200).next([b], 300);
    expect(first.version).toBe(1);
    expect(later.version).toBe(3);
    expect(later.modelCards()).toEqual([
      { id: 'llama', object: 'model', created: 100, owned_by: 'vllm', root: null, parent: null },
      { id: 'mixtral', object: 'model', created: 200, owned_by: 'vllm', root: null, parent: null },
    ]);
    expect(later.next([], 400).next([a], 500).modelCard('llama')).toMatchObject({ created: 500 });
  });
});
