/**
 * What engines of other makes, or of other times, do differently, to see whether a result hangs on it. The
 * defaults are those of vLLM V1.
 */
export interface EngineStructure {
  /**
   * False: a sequence joins only when its whole answer will find room, and then nothing ever has to make room.
   * True by default.
   */
  readonly preempts?: boolean;
  /**
   * Whether the blocks of a sequence that had to make room can be found again until they are used anew; false:
   * they are forgotten at once, and it is computed from its begin. True by default.
   */
  readonly keepsPreempted?: boolean;
  /** Which end of a sequence is used anew first after its end. `leaf` by default. */
  readonly evicts?: 'leaf' | 'root';
  /** Whether prefill and decodes of a step follow each other or overlap. `sum` by default. */
  readonly stepTime?: 'sum' | 'longest';
  /**
   * From when on other sequences can find a block: when its step is planned, so that the same step shares it,
   * or when it is computed. `planned` by default.
   */
  readonly caches?: 'planned' | 'computed';
}
