import fc from 'fast-check';

/** Any character there is, no half of a surrogate pair; those of ASCII and of two bytes come often. */
const anyCharacter = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

/**
 * Any text at all. As fast-check's own strings of the unit "binary", which builds a table of all characters first: a
 * second of CPU and a hundred megabytes, in each spec anew.
 */
export const anyText = (bounds: Pick<fc.StringConstraints, 'minLength' | 'maxLength'> = {}) =>
  fc.string({ ...bounds, unit: anyCharacter });
