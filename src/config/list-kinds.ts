import { z } from 'zod';
import { itemsFromText } from './raw-values.js';
import type { Setting, SettingAbout } from './setting-kinds.js';

interface ListRules {
  readonly item: z.ZodType<string>;
  readonly allowed: string;
  readonly valueName: string;
  readonly repeatable?: boolean;
}

/** As many as the engines that one discovery may bring. */
const MOST_ITEMS = 10_000;

const itemsSchema = (item: z.ZodType<string>) =>
  z.array(z.unknown()).max(MOST_ITEMS, `more than ${MOST_ITEMS} items are not allowed`).pipe(z.array(item));

export function list(about: SettingAbout, rules: ListRules): Setting<readonly string[]> {
  const { item, ...rest } = rules;
  return {
    ...about,
    ...rest,
    kind: 'list',
    schema: z.preprocess(itemsFromText, itemsSchema(item)),
    default: [],
  };
}

/** An empty list counts as not given. */
export function optionalList(about: SettingAbout, rules: ListRules): Setting<readonly string[] | null> {
  const { item, ...rest } = rules;
  const read = (raw: unknown): unknown => {
    const items = itemsFromText(raw);
    return Array.isArray(items) && items.length === 0 ? null : items;
  };
  return {
    ...about,
    ...rest,
    kind: 'list',
    schema: z.preprocess(read, itemsSchema(item).nullable()),
    default: null,
  };
}
