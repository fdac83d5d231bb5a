import type { EngineProfile } from './engine-profile.js';
import type { Sequence } from './sequence.js';

/**
 * How long a step takes that computes what is planned of each sequence, by the formula of `EngineProfile`.
 *
 * @param overlap whether only the longer one of prefill and decodes counts
 */
export function stepSeconds(profile: EngineProfile, running: readonly Sequence[], overlap = false): number {
  let prefill = 0;
  let attended = 0;
  let decodes = 0;
  let read = 0;
  for (const sequence of running) {
    const { planned, computed } = sequence;
    if (planned === 0) continue;
    if (sequence.decodes) {
      decodes++;
      read += computed + 1;
    } else {
      prefill += planned;
      attended += planned * computed + (planned * (planned + 1)) / 2;
    }
  }
  if (overlap) {
    return (
      profile.stepSeconds +
      Math.max(
        profile.prefillSecondsPerToken * prefill + profile.attentionSeconds * attended,
        profile.decodeSecondsPerSequence * decodes + profile.kvReadSecondsPerToken * read,
      )
    );
  }
  return (
    profile.stepSeconds +
    profile.prefillSecondsPerToken * prefill +
    profile.attentionSeconds * attended +
    profile.decodeSecondsPerSequence * decodes +
    profile.kvReadSecondsPerToken * read
  );
}
