// Made up text and JSON that is nearer to trouble than chance alone.
import fc from 'fast-check';

/** Any character, no half of a surrogate pair. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

export const anyText = (maxLength = 64) => fc.string({ unit: character, maxLength });

/** Keys that have led others astray. */
export const oddKey = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  '0',
  '\u2028',
);

/** JSON of any shape in which these keys come often. */
export const jsonWith = (keys, depth = 4) =>
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: depth, withCrossShrink: true },
      fc.oneof(fc.constantFrom(null, true, false, '', 0, -0, 1e308, -1, 2 ** 53), anyText(24), fc.double()),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('object'),
    ),
    object: fc
      .array(
        fc.tuple(
          fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...keys) }, { weight: 1, arbitrary: oddKey }),
          tie('value'),
        ),
        { maxLength: 6 },
      )
      .map((entries) => Object.assign(Object.create(null), Object.fromEntries(entries))),
  })).object;

/** Bytes cut at any places. */
export function cutAt(bytes, cuts) {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces = [];
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    if (end > from) pieces.push(bytes.subarray(from, end));
    from = Math.max(from, end);
  }
  return pieces;
}

/** Fails a property with a sentence. */
export function must(holds, what) {
  if (!holds) throw new Error(what);
}
