import { createRequire } from 'node:module';
import type { CST, YAMLMap } from 'yaml';
import { itemsFromText, show } from './raw-values.js';
import { reasonOf, SettingsError } from './settings-error.js';

/** `yaml` is loaded for a YAML file alone. */
const require = createRequire(import.meta.url);
const loadYaml = (): typeof import('yaml') => require('yaml') as typeof import('yaml');

export type FileFormat = 'json' | 'yaml';

/** JSON by its name, else YAML, of which JSON is a part. */
export const formatOf = (path: string): FileFormat =>
  path.toLowerCase().endsWith('.json') ? 'json' : 'yaml';

/** Far more than there are settings. */
const MOST_KEYS = 200;

/**
 * The top-level keys of a settings file; null values are left out, so that they count as absent.
 * @throws {SettingsError} when the text is not one mapping in that format
 */
export function parseSettingsFile(text: string, format: FileFormat): Map<string, unknown> {
  let content: unknown;
  try {
    content = format === 'json' ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    throw new SettingsError([`not valid ${format.toUpperCase()}: ${reasonOf(error)}`]);
  }
  if (!isMapping(content)) {
    throw new SettingsError([
      `holds no settings; give one ${format.toUpperCase()} mapping of keys to values`,
    ]);
  }
  const entries = Object.entries(content).filter(([, value]) => value !== null);
  if (entries.length > MOST_KEYS) throw new SettingsError([`holds more than ${MOST_KEYS} keys`]);
  return new Map(entries);
}

/** Enough for 10,000 engines; a reload reads the file on the thread that serves requests. */
const YAML_LEXEMES = 100_000;
/** Deepest nesting of a settings file; none needs more than a few levels. */
const YAML_DEPTH = 32;

/**
 * The composer of `yaml` recurses, and V8 ends the process when a regular expression is compiled near the
 * end of the stack: nesting is bounded while the text is read, before anything recurses. Its own check
 * for repeated keys takes quadratic time.
 */
function parseYaml(text: string): unknown {
  const { Composer, Lexer, LineCounter, Parser, visit } = loadYaml();
  const lines = new LineCounter();
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let length = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++length > YAML_LEXEMES) throw new Error('it has too many entries');
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > YAML_DEPTH) throw new Error(`nested deeper than ${YAML_DEPTH} levels`);
  }
  tokens.push(...parser.end());
  const [document, another] = [
    ...new Composer({ logLevel: 'silent', uniqueKeys: false }).compose(tokens, true),
  ];
  const [problem] = document?.errors ?? [];
  if (problem) throw new Error(`${problem.message} at line ${lines.linePos(problem.pos[0]).line}`);
  if (another) throw new Error('it holds more than one document');
  if (!document) return null;
  visit(document, { Map: (_key, map) => refuseRepeatedKeys(map) });
  // Bounds what a few nested aliases can expand to.
  return document.toJS({ maxAliasCount: 50 });
}

function refuseRepeatedKeys(map: YAMLMap): void {
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const name = String(loadYaml().isScalar(key) ? key.value : key);
    if (seen.has(name)) throw new Error(`the key ${show(name)} stands there twice`);
    seen.add(name);
  }
}

/**
 * Turns production-stack's YAML form of `static_models`, a mapping of model names to
 * `{static_backends, static_model_type, static_model_label}`, into the flat lists of the JSON form.
 * Other content is left as it is.
 * @throws {SettingsError} when an entry of the mapping is not of that form
 */
export function flattenStaticModels(content: ReadonlyMap<string, unknown>): Map<string, unknown> {
  const flat = new Map(content);
  const models = content.get('static_models');
  if (!isMapping(models)) return flat;

  const problems: string[] = [];
  if (content.has('static_backends')) {
    problems.push(
      'static_backends stands beside a static_models mapping; give the URLs in the mapping alone',
    );
  }
  const urls: unknown[] = [];
  const names: string[] = [];
  const types: string[] = [];
  for (const [model, entry] of Object.entries(models)) {
    const name = `static_models[${show(model)}]`;
    if (!isMapping(entry)) {
      problems.push(`${name} is not a mapping; give static_backends in it`);
      continue;
    }
    const { static_backends: backends, static_model_type: type, static_model_label: _label, ...rest } = entry;
    const list: unknown = itemsFromText(backends);
    if (!Array.isArray(list) || list.length === 0)
      problems.push(`${name} has no static_backends; give a list of URLs`);
    else {
      urls.push(...list);
      names.push(...list.map(() => model));
      types.push(...list.map(() => (typeof type === 'string' ? type : '')));
    }
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) problems.push(`${name} has the unknown key ${show(unknown)}`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  flat.set('static_backends', urls);
  flat.set('static_models', names);
  if (types.some((type) => type !== '')) flat.set('static_model_types', types);
  return flat;
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
