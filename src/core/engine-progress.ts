import type { EngineStats } from './prometheus-text.js';

/** What one read of an engine's `/metrics` told of its progress. */
export interface ProgressReading {
  /** Counts the reads of one engine, so that none is heard twice. */
  readonly number: number;
  /** When it ended, monotonic milliseconds of the process that hears of it. */
  readonly at: number;
  /** Something that is HTTP came back in time. */
  readonly answered: boolean;
  /** Tokens and steps that the engine has counted; null: it tells of none. Without an answer, as it told before. */
  readonly counted: number | null;
  /** Prompt tokens that it computes in a second, by its own figures; null while it has computed none. */
  readonly prefillRate: number | null;
}

/** What is on its way to one engine, as one sweep finds it. Requests of which nothing is computed are no proof. */
export interface WaitingRequests {
  /** Attempts that wait for bytes of the engine. */
  waiting: number;
  /** Those among them for which the engine has to compute something. */
  computed: number;
  /** Streams among those that have begun. */
  streaming: number;
  /** Bytes of the largest body of those that have not begun. */
  promptBytes: number;
  /** When the oldest of them was sent, and when the engine last sent a byte of something computed. */
  oldest: number;
  lastByteAt: number;
}

/**
 * `idle`: nobody waits for it. `moving`: it makes progress. `suspect`: silent for a while, its figures are to be read.
 * `stalled`: it has made no progress for the time allowed. `frozen`: the same, and it does not even answer.
 */
export type ProgressVerdict = 'idle' | 'moving' | 'suspect' | 'stalled' | 'frozen';

/** Silence after which the figures of an engine are read again and again, milliseconds. */
export const suspectAfter = (timeoutMs: number): number => Math.min(5_000, timeoutMs / 4);
/** Time between two such reads. */
export const readEvery = (timeoutMs: number): number => Math.min(2_000, timeoutMs / 10);
/** Longest wait for one of them. */
export const readWithin = (timeoutMs: number): number => Math.min(5_000, timeoutMs / 4);

/** Reads in a row without an answer, and with the same counters, before they prove anything. */
const READS = 2;
/** A body has fewer tokens than a third of its bytes, also where characters have three. */
const BYTES_PER_TOKEN = 3;
/** Tokens of the longest prompt that is reckoned with: larger bodies hold images or sound. */
const LONGEST_PROMPT = 131_072;
/** Slower engines than this are not known, prompt tokens a second. */
const SLOWEST_PREFILL = 100;
/** How many times longer than reckoned a prompt may take. */
const PATIENCE = 2;
/** An engine that has computed nothing yet may compile its kernels first: so many times the timeout. */
const COLD = 3;

/** What counts as progress among the figures of an engine: `previous` numbers the read. */
export function progressReading(
  stats: EngineStats | null,
  answered: boolean,
  previous: ProgressReading | null,
  at: number,
): ProgressReading {
  const number = (previous?.number ?? 0) + 1;
  if (!answered) {
    const { counted = null, prefillRate = null } = previous ?? {};
    return { number, at, answered, counted, prefillRate };
  }
  const { promptTokens = null, generationTokens = null, iterations = 0 } = stats ?? {};
  const tells = promptTokens !== null || generationTokens !== null;
  const counted = tells ? (promptTokens ?? 0) + (generationTokens ?? 0) + iterations : null;
  const computed = (promptTokens ?? 0) - (stats?.prefixCacheHits ?? 0);
  const seconds = stats?.prefillSeconds ?? 0;
  return {
    number,
    at,
    answered,
    counted,
    prefillRate: computed > 0 && seconds > 0 ? computed / seconds : null,
  };
}

/**
 * Whether one engine makes progress: a byte of something computed on any of its attempts, or a read of its figures in
 * which a counter has moved. That an engine answers `/health` or `/metrics`, accepts connections or sends the head of
 * a stream proves nothing: in vLLM another process than the one that computes does all that.
 *
 * - An engine that used to tell its counters and answers nothing at all, twice in a row, is frozen: no computation
 *   keeps vLLM's API server from answering.
 * - One that answers, with counters that stand still, may compute a long prompt. Tokens are counted when the whole prompt
 *   has been computed. Steps (`vllm:iteration_tokens_total`) are counted each, but in older versions only those that had an
 *   output (`Scheduler.update_from_output` sent nothing otherwise). So it is given twice the time in which it would
 *   compute the longest prompt that waits, at the rate that it tells itself: uncached prompt tokens by
 *   `vllm:request_prefill_time_seconds`.
 * - One without counters is judged by its streams alone: one that has begun and is silent. A long answer that is not
 *   streamed looks the same whether the engine lives or not.
 */
export class EngineProgress {
  #lastAt = -Infinity;
  /** Since when somebody waits without a pause; null: nobody does. */
  #waitingSince: number | null = null;
  #heard = 0;
  #counted: number | null = null;
  #countedAt = -Infinity;
  /** Reads in this silence, in a row, without an answer, and with counters that had not moved. */
  #unanswered = 0;
  #still = 0;
  #tells = false;
  #prefillRate: number | null = null;
  #frozen = false;

  /** When it last made progress, monotonic milliseconds. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** The engine made progress. */
  progressed(at: number): void {
    if (at <= this.#lastAt) return;
    this.#lastAt = at;
    this.#unanswered = this.#still = 0;
    this.#frozen = false;
  }

  /** Takes in the newest read of its figures; true when it had not been heard before. */
  read(reading: ProgressReading): boolean {
    const { number, at, answered, counted } = reading;
    if (number === this.#heard) return false;
    this.#heard = number;
    this.#tells = counted !== null;
    const since = this.#since;
    if (!answered) {
      this.#still = 0;
      if (at > since) this.#unanswered++;
      return true;
    }
    this.#unanswered = 0;
    this.#prefillRate = reading.prefillRate;
    // A process that was stopped goes on where it stood.
    if (this.#frozen) this.progressed(at);
    // What has moved since before the silence may have moved before it.
    else if (this.#countedAt < since || counted === null) this.#still = 0;
    else if (counted === this.#counted) this.#still++;
    else this.progressed(at);
    this.#counted = counted;
    this.#countedAt = at;
    return true;
  }

  /**
   * Judges by what a sweep has found; to be asked at each of them.
   * @param timeoutMs `--stall-timeout`
   */
  judge(found: WaitingRequests, now: number, timeoutMs: number): ProgressVerdict {
    this.progressed(found.lastByteAt);
    if (found.waiting === 0) this.#waitingSince = null;
    else this.#waitingSince ??= found.oldest;
    if (this.#frozen) return 'frozen';
    if (found.waiting === 0) return 'idle';
    const silence = now - this.#since;
    if (silence < suspectAfter(timeoutMs)) return 'moving';
    if (silence < timeoutMs) return 'suspect';
    if (this.#tells && this.#unanswered >= READS) {
      this.#frozen = true;
      return 'frozen';
    }
    const proved = this.#tells ? found.computed > 0 && this.#still >= READS : found.streaming > 0;
    return proved && silence >= this.#allowed(found.promptBytes, timeoutMs) ? 'stalled' : 'suspect';
  }

  get #since(): number {
    return Math.max(this.#lastAt, this.#waitingSince ?? -Infinity);
  }

  /** How long its silence may last while it answers reads, milliseconds. */
  #allowed(promptBytes: number, timeoutMs: number): number {
    const tokens = Math.min(promptBytes / BYTES_PER_TOKEN, LONGEST_PROMPT);
    const prompt = (PATIENCE * 1_000 * tokens) / (this.#prefillRate ?? SLOWEST_PREFILL);
    const least = this.#tells && this.#prefillRate === null ? COLD * timeoutMs : timeoutMs;
    return Math.max(least, prompt);
  }
}
