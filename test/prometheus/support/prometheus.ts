export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus that scrapes. */
export interface Prometheus {
  query(expression: string): Promise<Series[]>;
  alerts(): Promise<{ annotations: Record<string, string> }[]>;
  targets(): Promise<{ labels: Record<string, string>; health: string; lastError: string }[]>;
  stop(): Promise<void>;
}

interface Module {
  promtool(...args: readonly string[]): string;
  startPrometheus(jobs: Readonly<Record<string, readonly string[]>>): Promise<Prometheus>;
}

/** What the shows have for the same. */
export const { promtool, startPrometheus } = require('../../../show/prometheus.mjs') as Module;
