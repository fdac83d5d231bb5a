import type { AttemptCause } from '../attempt-failure.js';
import type { ServedModel } from '../engine.js';
import { readEngineStats } from '../prometheus-text.js';
import { type Finding, fine, problem, warning } from './finding.js';

/** What one GET to an engine brought: an answer, or why there is none. */
export type Asked =
  | { readonly status: number; readonly text: string }
  | { readonly cause: AttemptCause; readonly reason: string };

/** What an engine said when it was asked. */
export interface EngineReport {
  readonly url: string;
  /** Names that the settings say it serves; null: they say none. */
  readonly configured: readonly string[] | null;
  /** A key was sent along. */
  readonly sentKey: boolean;
  readonly health: Asked;
  readonly models: Asked;
  /** Read from `models`; null where that is no list. */
  readonly served: readonly ServedModel[] | null;
  readonly metrics: Asked;
  readonly version: Asked;
}

/** What an engine is asked for. */
export interface EngineWishes {
  /** The strategy goes by what is in prefix caches. */
  readonly wantsPrefixCache: boolean;
}

const NAMES_SHOWN = 5;

/** What is to be said of an engine: its troubles, or one line that it is well. */
export function engineFindings(report: EngineReport, wishes: EngineWishes): Finding[] {
  const { health } = report;
  if ('cause' in health) return [unreached(report.url, health.cause, health.reason)];
  if (health.status >= 500) return [unwell(health.status)];
  const findings = [...modelFindings(report), ...metricFindings(report, wishes)];
  return findings.length > 0 ? findings : [fine(`${versionOf(report.version)}serves ${namesOf(report)}`)];
}

function unreached(url: string, cause: AttemptCause, reason: string): Finding {
  const { protocol } = new URL(url);
  switch (cause) {
    case 'refused':
      return problem(
        `nothing listens there (${reason})`,
        'start the engine, or mend its address; an engine listens only when its model is loaded, which takes minutes',
      );
    case 'unresolved':
      return problem(
        `its name is not known (${reason})`,
        'mend the name; in Kubernetes a Service of another namespace is service.namespace.svc',
      );
    case 'connect_timeout':
    case 'first_byte_timeout':
    case 'total_timeout':
      return problem(
        'it does not answer in time',
        'look for a firewall or a network policy between here and there, then at the log of the engine: its core may stand still',
      );
    case 'tls':
      return problem(
        `its certificate is not trusted (${reason})`,
        'give the CA that signed it with --engine-ssl-ca-certs; the host in the URL must be one that the certificate names',
      );
    case 'garbage':
    case 'reset':
      return problem(
        `it does not speak ${protocol === 'https:' ? 'TLS' : 'HTTP'} there (${reason})`,
        protocol === 'https:' ? 'is it an http:// engine?' : 'is it an https:// engine, or another program?',
      );
    default:
      return problem(`it cannot be asked (${reason})`, 'look at the log of the engine');
  }
}

const unwell = (status: number): Finding =>
  problem(
    `/health answers ${status}: it cannot serve`,
    'look at the log of the engine; a core that has died needs a restart',
  );

function modelFindings({ models, served, configured, sentKey }: EngineReport): Finding[] {
  if ('cause' in models) return [problem(`/v1/models: ${models.reason}`, 'look at the log of the engine')];
  if (models.status === 401 || models.status === 403) {
    return [
      sentKey
        ? problem(
            'it refuses the key that it was given',
            'mend VLLM_API_KEY, or its line in --engine-api-key-file',
          )
        : problem(
            'it wants a key',
            'set VLLM_API_KEY, or give the key of each engine with --engine-api-key-file',
          ),
    ];
  }
  if (served === null) {
    return [
      problem(
        `/v1/models answers ${models.status} and no list of models`,
        'is it a vLLM engine? mend its address',
      ),
    ];
  }
  const names = new Set(served.map(({ id }) => id));
  const missing = (configured ?? []).filter((name) => !names.has(name));
  return missing.map((name) =>
    problem(
      `it does not serve '${name}' but ${listed([...names])}`,
      'mend --static-models, or leave it out: the models are then learned from the engines',
    ),
  );
}

function metricFindings({ metrics }: EngineReport, { wantsPrefixCache }: EngineWishes): Finding[] {
  if ('cause' in metrics || metrics.status !== 200 || !metrics.text.includes('vllm:')) {
    const why = 'cause' in metrics ? metrics.reason : `it answers ${metrics.status} without figures of vLLM`;
    return [
      warning(
        `/metrics: ${why}`,
        'its queue and its cache are not known; the router goes by what it sends itself. Start it without --disable-log-stats',
      ),
    ];
  }
  const findings: Finding[] = [];
  if (readEngineStats(metrics.text).awake === false) {
    findings.push(
      warning('it sleeps', 'it gets no requests before it is woken: POST /wake_up at the engine'),
    );
  }
  if (
    wantsPrefixCache &&
    /^vllm:cache_config_info\{[^\n]*enable_prefix_caching="(?:False|false)"/m.test(metrics.text)
  ) {
    findings.push(
      warning(
        'its prefix cache is off',
        'start it with --enable-prefix-caching, or take a strategy that does not go by the cache',
      ),
    );
  }
  return findings;
}

/** What is to be said of all engines together. */
export function fleetFindings(reports: readonly EngineReport[]): Finding[] {
  const lengths = new Map<string, Set<number>>();
  const counts = new Map<string, number>();
  for (const { served } of reports) {
    for (const { id, card } of served ?? []) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
      const length = card?.['max_model_len'];
      if (typeof length === 'number') lengths.set(id, (lengths.get(id) ?? new Set()).add(length));
    }
  }
  const findings = [...lengths]
    .filter(([, of]) => of.size > 1)
    .map(([id, of]) =>
      warning(
        `engines of '${id}' take different lengths: ${[...of].sort((a, b) => a - b).join(', ')} tokens`,
        'give them the same --max-model-len: a long prompt is refused by whichever engine it meets that is too short',
      ),
    );
  if (counts.size === 0) return findings;
  const told = [...counts].slice(0, NAMES_SHOWN).map(([id, count]) => `'${id}' on ${count}`);
  const more = counts.size > NAMES_SHOWN ? `, ${counts.size - NAMES_SHOWN} more` : '';
  return [fine(`models: ${told.join(', ')}${more}`), ...findings];
}

function namesOf({ served }: EngineReport): string {
  return listed((served ?? []).map(({ id }) => id));
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).map((name) => `'${name}'`);
  const more = names.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function versionOf(version: Asked): string {
  if ('cause' in version || version.status !== 200) return '';
  const told = /"version"\s*:\s*"([^"]{1,40})"/.exec(version.text)?.[1];
  return told === undefined ? '' : `vLLM ${told}, `;
}
