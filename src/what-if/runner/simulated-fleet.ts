import type { Engine } from '../../core/engine.js';
import type { EngineStats } from '../../core/prometheus-text.js';
import type { EngineProfile } from '../../simulator/model/engine-profile.js';
import type { EngineView } from '../../simulator/virtual/virtual-engine.js';

/** The name that all simulated engines serve. */
export const SIMULATED_MODEL = 'model';

/** The label that tells how slow an engine is beside the median one, for policies that are told. */
export const SLOWNESS_LABEL = 'slowness';

/** Engines as a router would know them; their URLs are in the order of their numbers. */
export function simulatedFleet(profiles: readonly EngineProfile[]): Engine[] {
  const digits = String(profiles.length).length;
  const steps = profiles.map(({ stepSeconds }) => stepSeconds).sort((a, b) => a - b);
  const median = steps[steps.length >> 1] ?? 0;
  return profiles.map(({ stepSeconds }, index) => {
    const url = `http://engine-${String(index + 1).padStart(digits, '0')}:8000`;
    const slowness = median > 0 ? stepSeconds / median : 1;
    return {
      ...{ id: url, url, models: [{ id: SIMULATED_MODEL, parent: null }] },
      labels: { [SLOWNESS_LABEL]: String(slowness) },
    };
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
