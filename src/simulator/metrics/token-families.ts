import type { FamilyWriter } from './family-writer.js';
import { labelText, type Series } from './metric-text.js';

export function writeTokenCounters(writer: FamilyWriter): void {
  const { counters } = writer.figures;
  writer.counter('num_preemptions', 'Cumulative number of preemption from the engine.', counters.preemptions);
  writer.counter('prompt_tokens', 'Number of prefill tokens processed.', counters.promptTokens);
  if (writer.since('0.28')) writePromptSources(writer);
  writer.counter('generation_tokens', 'Number of generation tokens processed.', counters.generationTokens);
}

export function writeEnds(writer: FamilyWriter): void {
  const { finished, rejectedByRequests, rejectedByTokens } = writer.figures.counters;
  const { stop, length, abort, error } = finished;
  const newer = writer.since('0.28') ? { error, repetition: 0 } : {};
  writer.text.counter(
    'vllm:request_success',
    'Count of successfully processed requests.',
    Object.entries({ stop, length, abort, ...newer }).map(([reason, count]) =>
      writer.series({ finished_reason: reason }, count),
    ),
  );
  if (!writer.since('0.32')) return;
  // No `engine`: the caps are those of the whole server.
  const rejection = (reason: string, count: number): Series => [
    labelText({ model_name: writer.figures.modelName, reason }),
    count,
  ];
  writer.text.counter(
    'vllm:admission_rejections',
    'Number of admission attempts rejected by a queue limit, by reason.',
    [
      rejection('max_num_queued_reqs', rejectedByRequests),
      rejection('max_num_queued_tokens', rejectedByTokens),
    ],
  );
}

function writePromptSources(writer: FamilyWriter): void {
  const { counters, cachedTokens } = writer.figures;
  writer.text.counter('vllm:prompt_tokens_by_source', 'Number of prompt tokens by source.', [
    writer.series({ source: 'local_compute' }, counters.promptTokens - cachedTokens),
    writer.series({ source: 'local_cache_hit' }, cachedTokens),
    writer.series({ source: 'external_kv_transfer' }, 0),
  ]);
  const cached = 'Number of cached prompt tokens (local + external).';
  writer.counter('prompt_tokens_cached', cached, cachedTokens);
  if (!writer.since('0.32')) return;
  writer.text.counter(
    'vllm:prompt_tokens_cached_by_source',
    'Prefix-cache hit tokens by the cache tier that supplied them: device (local HBM), host (offloaded to ' +
      'DRAM), disk, p2p (transferred from another vLLM instance) or external_unspecified. Counted at ' +
      'admission; sums to vllm:prefix_cache_hits + vllm:external_prefix_cache_hits.',
    ['device', 'host', 'p2p', 'disk', 'external_unspecified'].map((source) =>
      writer.series({ source }, source === 'device' ? counters.prefixHits : 0),
    ),
  );
}
