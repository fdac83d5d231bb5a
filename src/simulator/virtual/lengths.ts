import { normal } from './seeded-random.js';

/** How many tokens prompts or answers have. */
export type Lengths =
  | { readonly kind: 'fixed'; readonly tokens: number }
  | { readonly kind: 'uniform'; readonly least: number; readonly most: number }
  /** As those of chats: many short, a few very long. `spread` is the deviation of the logarithm. */
  | {
      readonly kind: 'lognormal';
      readonly median: number;
      readonly spread: number;
      readonly least: number;
      readonly most: number;
    };

/** One length, a whole number of tokens. */
export function drawLength(lengths: Lengths, random: () => number): number {
  if (lengths.kind === 'fixed') return lengths.tokens;
  const { least, most } = lengths;
  if (lengths.kind === 'uniform') return least + Math.floor(random() * (most - least + 1));
  const length = Math.round(lengths.median * Math.exp(lengths.spread * normal(random)));
  return Math.min(most, Math.max(least, length));
}
