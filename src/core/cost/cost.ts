/**
 * A token that waits makes those wait too that come before the queue is empty again: 1 / (1 - utilisation) in all
 * (the busy period of a queue), which is 4 on an engine that computes prompts three quarters of its time.
 */
const WAITING_TOGETHER = 4;
const LEAST_WAIT_WEIGHT = 4;
const MOST_WAIT_WEIGHT = 64;
/** Of an H100 with a model of 8B and answers of 200 tokens; about right within a factor of two on other GPUs. */
const USUAL_SEQUENCE = 450;
const LEAST_SEQUENCE = 64;
const MOST_SEQUENCE = 8_000;
/** Beyond it a learned rate is no longer exact enough to tell one crowded engine from another. */
const MOST_PREFILL_SHARE = 0.9;
/** Time to the first token that is reckoned with where the operator names none, seconds. */
export const USUAL_TTFT_TARGET = 2;

/** What the parts of a cost weigh for one model, see `costOf`. */
export interface CostWeights {
  /** w: what one token of waiting weighs beside one token by which a running answer is delayed; 4 to 64. */
  readonly wait: number;
  /** d: prompt tokens that weigh as much as one more decoding sequence; 64 to 8,000. */
  readonly sequence: number;
}

/** What weights are derived from. */
export interface WeightSources {
  /** Mean length of an answer, tokens. */
  readonly output: number;
  /** Seconds within which the first token is to come. */
  readonly ttftTarget: number;
  /** Seconds within which each further token is to come. */
  readonly tpotTarget: number;
  /** What one more request in flight adds to the time of each token, seconds; null while not known. */
  readonly slope: number | null;
  /** Prompt tokens that an engine computes in a second; null while not known. */
  readonly prefillRate: number | null;
}

/**
 * The weights follow from the unit of the cost: the share of latency budgets that a choice uses up.
 *
 * A token of prefill takes 1 / rate seconds. While it waits, the request spends that of its budget to the first token,
 * T; each running answer of `output` tokens that it holds up spends it of its budget for all further tokens,
 * output x t. So the first weighs (output x t) / T of the second, times those who wait together: w. One more sequence
 * makes every token of an answer later by the slope b, in all by output x b seconds, in which the engine would compute
 * output x b x rate tokens: d.
 */
export function costWeights({
  output,
  ttftTarget,
  tpotTarget,
  slope,
  prefillRate,
}: WeightSources): CostWeights {
  const wait = (WAITING_TOGETHER * output * tpotTarget) / ttftTarget;
  const sequence = slope === null || prefillRate === null ? USUAL_SEQUENCE : output * slope * prefillRate;
  return {
    wait: within(wait, LEAST_WAIT_WEIGHT, MOST_WAIT_WEIGHT),
    sequence: within(sequence, LEAST_SEQUENCE, MOST_SEQUENCE),
  };
}

/**
 * How much longer a token of prefill delays a running answer where the engine spends a share of its time on prompts:
 * while that token is computed more prompts come, which are computed before the answer goes on as well, in all
 * 1 / (1 - share) as much (the busy period of a queue). From 1 on an engine without prompts to 10 on one with nothing
 * else.
 *
 * @param intake uncached prompt tokens that the engine was sent, tokens a second
 * @param rate that it computes, tokens a second
 */
export function crowding(intake: number, rate: number): number {
  return 1 / (1 - (rate > 0 ? within(intake / rate, 0, MOST_PREFILL_SHARE) : 0));
}

/**
 * What it costs to send a request to an engine, in prompt tokens by which running answers are delayed: its own wait
 * for what is pending and for itself, weighed by w; and what its prompt and its decoding take from each of those in
 * flight. All of it `slowness` times, since a slow engine takes that much longer.
 *
 * @param uncached prompt tokens that the engine would have to compute for the request
 * @param pending uncached prompt tokens that were sent to it before and have not brought their first token
 * @param inFlight requests in flight on it
 * @param slowness 1 for an engine that is as fast as the median of its model
 * @param loading prompt tokens that it could compute in the time that loading the request's adapter takes; 0 for none
 * @param crowded see `crowding`
 */
export function costOf(
  { wait, sequence }: CostWeights,
  uncached: number,
  pending: number,
  inFlight: number,
  slowness: number,
  loading = 0,
  crowded = 1,
): number {
  const own = uncached + loading;
  return slowness * (wait * (pending + own) + inFlight * (own * crowded + sequence));
}

function within(value: number, least: number, most: number): number {
  return value >= least ? Math.min(value, most) : least;
}
