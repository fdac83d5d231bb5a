import type { ProfileName } from '../simulator/model/engine-profile.js';

/** What a user feels as prompt and fluent, in seconds. */
export interface Targets {
  /** Time to first token, at most. */
  readonly ttft: number;
  /** Time per token after the first one, on average over one answer, at most. */
  readonly tpot: number;
}

/** Targets that suit the pace of a profile: an L4 alone takes longer than the H100's targets allow. */
export const TARGETS: Readonly<Record<ProfileName, Targets>> = {
  'h100-8b': { ttft: 2, tpot: 0.05 },
  'l4-8b': { ttft: 4, tpot: 0.15 },
  cpu: { ttft: 2, tpot: 0.05 },
  instant: { ttft: 2, tpot: 0.05 },
};
