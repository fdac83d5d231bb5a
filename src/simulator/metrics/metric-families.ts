import { cacheConfigLabels } from './cache-config.js';
import type { EngineFigures } from './engine-figures.js';
import { FamilyWriter } from './family-writer.js';
import { writeCountHistograms, writeSleepOperations, writeTimeHistograms } from './histogram-families.js';
import { labelText } from './metric-text.js';
import { writeCacheState, writeEstimates, writeSchedulerState } from './state-families.js';
import { writeEnds, writeTokenCounters } from './token-families.js';
import type { VllmGeneration } from './vllm-generation.js';

/** The families of one generation, in the order in which vLLM registers them. */
export function metricFamilies(generation: VllmGeneration, figures: EngineFigures): string {
  const writer = new FamilyWriter(generation, figures);
  writeEstimates(writer);
  writeSchedulerState(writer);
  writeCacheState(writer);
  writeTokenCounters(writer);
  writeEnds(writer);
  writeCountHistograms(writer);
  writeTimeHistograms(writer);
  if (figures.loraSeries.length > 0) {
    writer.text.gauge('vllm:lora_requests_info', 'Running stats on lora requests.', figures.loraSeries);
  }
  writer.text.gauge('vllm:cache_config_info', 'Information of the LLMEngine CacheConfig', [
    [labelText(cacheConfigLabels(figures.cache, generation)), 1],
  ]);
  writeSleepOperations(writer);
  return writer.text.toString();
}
