import type { Engine } from '../../core/engine.js';
import type { EngineStats } from '../../core/prometheus-text.js';
import type { EngineView } from '../../simulator/virtual/virtual-engine.js';

/** The name that all simulated engines serve. */
export const SIMULATED_MODEL = 'model';

/** Engines as a router would know them; their URLs are in the order of their numbers. */
export function simulatedFleet(count: number): Engine[] {
  const digits = String(count).length;
  return Array.from({ length: count }, (_, index) => {
    const url = `http://engine-${String(index + 1).padStart(digits, '0')}:8000`;
    return { id: url, url, models: [{ id: SIMULATED_MODEL, parent: null }], labels: {} };
  });
}

/** What the engine's `/metrics` would say at this moment. */
export function statsOf({ model }: EngineView): EngineStats {
  const { counters, profile } = model;
  return {
    running: model.running,
    waiting: model.waiting,
    swapped: null,
    kvCacheUsage: model.kvUsage,
    prefixCacheQueries: counters.prefixQueries,
    prefixCacheHits: counters.prefixHits,
    prefixCacheHitRate: counters.prefixQueries > 0 ? counters.prefixHits / counters.prefixQueries : null,
    awake: true,
    promptTokens: counters.promptTokens,
    generationTokens: counters.generationTokens,
    blockSize: profile.blockSize,
    numGpuBlocks: profile.blocks,
  };
}
