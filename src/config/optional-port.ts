import { z } from 'zod';
import { numberFromText } from './raw-values.js';
import type { Setting, SettingAbout } from './setting-kinds.js';

/** A port, 0 for a free one; empty text counts as not given. */
export function optionalPort(about: SettingAbout): Setting<number | null> {
  const read = (raw: unknown): unknown =>
    typeof raw === 'string' && raw.trim() === '' ? null : numberFromText(raw);
  return {
    ...about,
    kind: 'int',
    schema: z.preprocess(read, z.number().int().min(0).max(65_535).nullable()),
    default: null,
    allowed: 'a whole number from 0 to 65535',
    valueName: 'port',
  };
}
