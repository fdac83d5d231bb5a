import type { StrategyFigure } from '../core/strategy-figure.js';
import { type CompatibleSources, writeCompatibleMetrics } from './compatible-metrics.js';
import { labels, MetricWriter } from './metric-writer.js';
import { writeOwnMetrics } from './own-metrics.js';

/** An answer to `GET /metrics`. */
export interface RenderedMetrics {
  readonly contentType: string;
  readonly text: string;
}

/** All that is written without a registry. */
export interface MetricFigures extends CompatibleSources {
  /** What the routing strategy shows. */
  readonly strategy: readonly StrategyFigure[];
}

/** A registry of prom-client, as far as it is read. */
interface Rendering {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** Writes all families, in the Prometheus text format 0.0.4: those of engines, then those of the registries. */
export async function renderMetrics(
  sources: MetricFigures,
  own: Rendering,
  process: Rendering,
): Promise<RenderedMetrics> {
  const writer = new MetricWriter();
  await writeCompatibleMetrics(writer, sources);
  await writeOwnMetrics(writer, sources);
  for (const { name, type, help, values } of sources.strategy) {
    writer.family(`vllm_router_${name}`, type, help);
    for (const { labels: pairs, value } of values) writer.sample(labels(pairs), value);
    await writer.breathe();
  }
  const texts = await Promise.all([own.metrics(), process.metrics()]);
  return { contentType: own.contentType, text: writer.text() + texts.join('') };
}
