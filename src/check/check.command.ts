import 'reflect-metadata';
import { SchedulerRegistry } from '@nestjs/schedule';
import { loadSettings, readPluginPaths } from '../config/load-settings.js';
import { readTextFileSync } from '../config/read-text-file.js';
import { SettingsStore } from '../config/settings-store.js';
import { checkText, hasProblems } from '../core/check/check-text.js';
import { engineFindings, type EngineReport, fleetFindings } from '../core/check/engine-findings.js';
import { type CheckedPart, fine, type Finding, warning } from '../core/check/finding.js';
import type { EngineSpec } from '../core/engine.js';
import { DiscoveryRegistry } from '../discovery/discovery-registry.js';
import { DISCOVERY_PROVIDERS } from '../discovery/providers/index.js';
import { loadPlugins, settingsSources } from '../plugins.js';
import { checkSecurityFiles } from '../security/check-files.js';
import { EngineAccess } from '../security/engine-access.js';
import { FollowedFiles } from '../security/followed-files.js';
import { askEngine } from './ask-engine.js';
import { machineFindings } from './check-machine.js';
import { findEngines } from './find-engines.js';

/** Engines that are asked at the same time. */
const AT_ONCE = 64;
/** Strategies that go by what is in prefix caches. */
const BY_PREFIX: ReadonlySet<string> = new Set(['prefixaware', 'kvaware', 'session']);

/** What the command needs of its surroundings. */
export interface CheckSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly output: { write(text: string): unknown };
  readonly colours: boolean;
  /** Told how far it is: a line that takes the place of the one before. */
  readonly progress: (text: string) => void;
}

/**
 * `vllm-router check [flags] [--json]`: looks at all that a router with these settings needs, and changes nothing.
 * @returns 0, or 1 when something keeps requests from being served
 * @throws {SettingsError} with every problem of the settings
 */
export async function checkCommand(argv: readonly string[], around: CheckSurroundings): Promise<number> {
  const json = argv.includes('--json');
  const flags = argv.filter((word) => word !== '--json');
  const { env } = around;
  const extensions = await loadPlugins(readPluginPaths(flags, env, readTextFileSync));
  const loaded = loadSettings({
    argv: flags,
    env,
    readFile: readTextFileSync,
    ...settingsSources(extensions),
  });
  const { settings } = loaded;
  checkSecurityFiles(settings);

  const found: Finding[] = loaded.warnings.map((text) => warning(text, 'leave it out, or mend it'));
  found.push(...(await machineFindings(settings)));
  const { routingLogic, serviceDiscovery } = settings;
  const about = { name: 'settings', findings: [fine(`${serviceDiscovery}, ${routingLogic}`), ...found] };

  around.progress('looking for engines');
  const providers = new DiscoveryRegistry([...DISCOVERY_PROVIDERS, ...extensions.discoveries]);
  const { engines, findings } = await findEngines(providers.get(serviceDiscovery), settings);

  const files = new FollowedFiles(new SettingsStore(settings), new SchedulerRegistry());
  const access = new EngineAccess(new SettingsStore(settings), files);
  const reports = await askAll(engines, access, around.progress);
  await files.onApplicationShutdown();
  around.progress('');

  const wishes = { wantsPrefixCache: BY_PREFIX.has(routingLogic) };
  const hidden = withoutKeys(engines.map(({ url }) => access.keyOf(url)));
  const ofEngines = reports.map((one): CheckedPart => ({
    name: one.url,
    findings: engineFindings(one, wishes).map(hidden),
  }));
  const parts: CheckedPart[] = [
    about,
    { name: 'discovery', findings },
    { name: 'engines', findings: fleetFindings(reports).map(hidden) },
  ];
  const all = [...parts, ...ofEngines];
  around.output.write(
    json ? `${JSON.stringify(all, null, 2)}\n` : checkText(parts, ofEngines, around.colours),
  );
  return hasProblems(all) ? 1 : 0;
}

/** An engine may say the key that it was sent: it is not to stand in what is printed. */
function withoutKeys(keys: readonly (string | null)[]): (finding: Finding) => Finding {
  const known = [...new Set(keys)].filter((key) => key !== null && key !== '') as string[];
  return (finding) => ({
    ...finding,
    what: known.reduce((text, key) => text.replaceAll(key, '***'), finding.what),
  });
}

async function askAll(
  engines: readonly EngineSpec[],
  access: EngineAccess,
  progress: (text: string) => void,
): Promise<EngineReport[]> {
  const reports: EngineReport[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < engines.length) {
      const at = next++;
      reports[at] = await askEngine(engines[at]!, access);
      progress(`${++done} of ${engines.length} engines asked`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, engines.length) }, work));
  return reports;
}
