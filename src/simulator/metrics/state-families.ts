import type { FamilyWriter } from './family-writer.js';

/** Model FLOPs utilization: there since 0.32, at 0 unless it is switched on. */
export function writeEstimates(writer: FamilyWriter): void {
  if (!writer.since('0.32')) return;
  const purpose = 'per GPU (for Model Flops Utilization calculations).';
  const operations = 'Estimated number of floating point operations';
  writer.counter('estimated_flops_per_gpu', `${operations} ${purpose}`, 0);
  const bytes = 'Estimated number of bytes';
  writer.counter('estimated_read_bytes_per_gpu', `${bytes} read from memory ${purpose}`, 0);
  writer.counter('estimated_write_bytes_per_gpu', `${bytes} written to memory ${purpose}`, 0);
}

export function writeSchedulerState(writer: FamilyWriter): void {
  const { running, waiting, deferred } = writer.figures.gauges;
  writer.gauge('num_requests_running', 'Number of requests in model execution batches.', running);
  writer.gauge('num_requests_waiting', 'Number of requests waiting to be processed.', waiting);
  if (!writer.since('0.28')) return;
  writer.text.gauge(
    'vllm:num_requests_waiting_by_reason',
    "Number of waiting requests by reason. Reason labels: 'capacity' = waiting for scheduling capacity; " +
      "'deferred' = deferred by transient constraints (LoRA budget, KV transfer, blocked status). " +
      'Sum of all reasons equals vllm:num_requests_waiting.',
    [
      writer.series({ reason: 'capacity' }, waiting - deferred),
      writer.series({ reason: 'deferred' }, deferred),
    ],
  );
  const { sleepLevel } = writer.figures;
  writer.text.gauge(
    'vllm:engine_sleep_state',
    'Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is awake; ' +
      'weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep level 2.',
    ['awake', 'weights_offloaded', 'discard_all'].map((state, level) =>
      writer.series({ sleep_state: state }, sleepLevel === level ? 1 : 0),
    ),
  );
}

/**
 * Usage and hits of the KV cache. Up to 0.8 the names begin with `gpu_` and prefixes are counted in blocks;
 * 0.10 has both names, in tokens.
 */
export function writeCacheState(writer: FamilyWriter): void {
  const { counters, gauges, cache } = writer.figures;
  const { prefixQueries, prefixHits } = counters;
  if (!writer.since('0.28')) {
    const both = writer.since('0.10');
    const inUnits = (tokens: number): number => (both ? tokens : Math.floor(tokens / cache.blockSize));
    const instead = (name: string): string => (both ? `DEPRECATED: Use vllm:${name} instead.` : '');
    const unit = both ? 'tokens. ' : 'blocks.';
    writer.gauge(
      'gpu_cache_usage_perc',
      `GPU KV-cache usage. 1 means 100 percent usage.${instead('kv_cache_usage_perc')}`,
      gauges.kvUsage,
    );
    // The missing blank between the two words is vLLM's.
    const queried = both ? 'queriedtokens. ' : 'queried blocks.';
    writer.counter(
      'gpu_prefix_cache_queries',
      `GPU prefix cache queries, in terms of number of ${queried}${instead('prefix_cache_queries')}`,
      inUnits(prefixQueries),
    );
    writer.counter(
      'gpu_prefix_cache_hits',
      `GPU prefix cache hits, in terms of number of cached ${unit}${instead('prefix_cache_hits')}`,
      inUnits(prefixHits),
    );
    if (!both) return;
  }
  const queried = 'in terms of number of queried';
  const cached = 'in terms of number of cached';
  writer.gauge('kv_cache_usage_perc', 'KV-cache usage. 1 means 100 percent usage.', gauges.kvUsage);
  writer.counter('prefix_cache_queries', `Prefix cache queries, ${queried} tokens.`, prefixQueries);
  writer.counter('prefix_cache_hits', `Prefix cache hits, ${cached} tokens.`, prefixHits);
  if (!writer.since('0.28')) return;
  const source = 'from KV connector cross-instance cache sharing';
  writer.counter(
    'external_prefix_cache_queries',
    `External prefix cache queries ${source}, ${queried} tokens.`,
    0,
  );
  writer.counter('external_prefix_cache_hits', `External prefix cache hits ${source}, ${cached} tokens.`, 0);
  writer.counter('mm_cache_queries', `Multi-modal cache queries, ${queried} items.`, 0);
  writer.counter('mm_cache_hits', `Multi-modal cache hits, ${cached} items.`, 0);
}
