import { type CompatibleSources, writeCompatibleMetrics } from './compatible-metrics.js';
import { MetricWriter } from './metric-writer.js';
import { writeOwnMetrics } from './own-metrics.js';

/** An answer to `GET /metrics`. */
export interface RenderedMetrics {
  readonly contentType: string;
  readonly text: string;
}

/** A registry of prom-client, as far as it is read. */
interface Rendering {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** Writes all families, in the Prometheus text format 0.0.4: those of engines, then those of the registries. */
export async function renderMetrics(
  sources: CompatibleSources,
  own: Rendering,
  process: Rendering,
): Promise<RenderedMetrics> {
  const writer = new MetricWriter();
  await writeCompatibleMetrics(writer, sources);
  await writeOwnMetrics(writer, sources.lifetime, sources.figures);
  const texts = await Promise.all([own.metrics(), process.metrics()]);
  return { contentType: own.contentType, text: writer.text() + texts.join('') };
}
