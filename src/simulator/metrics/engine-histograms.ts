import { Histogram } from '../../core/histogram.js';
import type { Sequence } from '../model/sequence.js';
import {
  CHOICES_BUCKETS,
  FIRST_TOKEN_BUCKETS,
  ITERATION_TOKENS_BUCKETS,
  NEXT_TOKEN_BUCKETS,
  PREEMPTIONS_BUCKETS,
  REQUEST_BUCKETS,
  tokenBuckets,
} from './metric-buckets.js';

/** The histograms of an engine. Times are seconds of the model's clock. Memory is fixed: their buckets. */
export class EngineHistograms {
  readonly firstToken = new Histogram(FIRST_TOKEN_BUCKETS);
  readonly nextToken = new Histogram(NEXT_TOKEN_BUCKETS);
  readonly timePerOutputToken = new Histogram(NEXT_TOKEN_BUCKETS);
  readonly endToEnd = new Histogram(REQUEST_BUCKETS);
  readonly queue = new Histogram(REQUEST_BUCKETS);
  readonly inference = new Histogram(REQUEST_BUCKETS);
  readonly prefill = new Histogram(REQUEST_BUCKETS);
  readonly decode = new Histogram(REQUEST_BUCKETS);
  readonly iterationTokens = new Histogram(ITERATION_TOKENS_BUCKETS);
  readonly choices = new Histogram(CHOICES_BUCKETS);
  readonly preemptions = new Histogram(PREEMPTIONS_BUCKETS);
  readonly promptTokens: Histogram;
  readonly generationTokens: Histogram;
  readonly longestChoice: Histogram;
  readonly maxTokens: Histogram;
  readonly computedTokens: Histogram;

  constructor(maxModelLen: number) {
    const bounds = tokenBuckets(maxModelLen);
    this.promptTokens = new Histogram(bounds);
    this.generationTokens = new Histogram(bounds);
    this.longestChoice = new Histogram(bounds);
    this.maxTokens = new Histogram(bounds);
    this.computedTokens = new Histogram(bounds);
  }

  observeFinished(sequence: Sequence, now: number): void {
    const { spec, arrival, generated, cachedTokens } = sequence;
    const scheduled = sequence.scheduledAt ?? now;
    const first = sequence.firstTokenAt ?? now;
    const last = sequence.lastTokenAt ?? first;
    this.promptTokens.observe(spec.promptTokens.length);
    this.generationTokens.observe(generated);
    this.maxTokens.observe(spec.maxTokens);
    this.computedTokens.observe(spec.promptTokens.length - cachedTokens);
    this.preemptions.observe(sequence.preemptions);
    this.endToEnd.observe(now - arrival);
    this.queue.observe(scheduled - arrival);
    this.prefill.observe(first - scheduled);
    this.decode.observe(last - first);
    this.inference.observe(last - scheduled);
    this.timePerOutputToken.observe(generated > 1 ? (last - first) / (generated - 1) : 0);
  }
}
