import type { FamilyWriter } from './family-writer.js';

export function writeCountHistograms(writer: FamilyWriter): void {
  const { histograms } = writer.figures;
  const prefill = 'Number of prefill tokens processed.';
  const generation = 'Number of generation tokens processed.';
  writer.histogram('request_prompt_tokens', prefill, histograms.promptTokens);
  writer.histogram('request_generation_tokens', generation, histograms.generationTokens);
  // A histogram in spite of its name.
  writer.histogram(
    'iteration_tokens_total',
    'Histogram of number of tokens per engine_step.',
    histograms.iterationTokens,
  );
  writer.histogram(
    'request_max_num_generation_tokens',
    'Histogram of maximum number of requested generation tokens.',
    histograms.longestChoice,
  );
  writer.histogram('request_params_n', 'Histogram of the n request parameter.', histograms.choices);
  const maxTokens = 'Histogram of the max_tokens request parameter.';
  writer.histogram('request_params_max_tokens', maxTokens, histograms.maxTokens);
}

export function writeTimeHistograms(writer: FamilyWriter): void {
  const { histograms } = writer.figures;
  const firstToken = 'Histogram of time to first token in seconds.';
  writer.histogram('time_to_first_token_seconds', firstToken, histograms.firstToken);
  if (writer.since('0.28')) {
    const between = 'Histogram of inter-token latency in seconds.';
    writer.histogram('inter_token_latency_seconds', between, histograms.nextToken);
    writer.histogram(
      'request_time_per_output_token_seconds',
      'Histogram of time_per_output_token_seconds per request.',
      histograms.timePerOutputToken,
    );
  } else {
    const between = 'Histogram of time per output token in seconds.';
    writer.histogram('time_per_output_token_seconds', between, histograms.nextToken);
  }
  const whole = 'Histogram of e2e request latency in seconds.';
  writer.histogram('e2e_request_latency_seconds', whole, histograms.endToEnd);
  const phase = (name: string): string => `Histogram of time spent in ${name} phase for request.`;
  writer.histogram('request_queue_time_seconds', phase('WAITING'), histograms.queue);
  writer.histogram('request_inference_time_seconds', phase('RUNNING'), histograms.inference);
  writer.histogram('request_prefill_time_seconds', phase('PREFILL'), histograms.prefill);
  writer.histogram('request_decode_time_seconds', phase('DECODE'), histograms.decode);
  if (writer.since('0.32')) {
    const preemptions = 'Histogram of the number of times a request was preempted.';
    writer.histogram('request_num_preemptions', preemptions, histograms.preemptions);
  }
  if (!writer.since('0.28')) return;
  writer.histogram(
    'request_prefill_kv_computed_tokens',
    'Histogram of new KV tokens computed during prefill (excluding cached tokens).',
    histograms.computedTokens,
  );
}

/** What appears only once there was a sleep or a wake-up. */
export function writeSleepOperations(writer: FamilyWriter): void {
  const operations = [...writer.figures.sleepOperations];
  if (operations.length === 0 || !writer.since('0.32')) return;
  writer.text.histogram(
    'vllm:sleep_mode_operation_duration_seconds',
    'Duration of one sleep-mode operation.',
    operations.map(([operation, durations]) => [{ operation }, durations] as const),
  );
  writer.text.gauge(
    'vllm:sleep_mode_operations_in_flight',
    'Sleep-mode operations currently awaited.',
    operations.map(([operation]) => [`operation="${operation}"`, 0] as const),
  );
}
