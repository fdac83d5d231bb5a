/** `problem`: something that keeps requests from being served; `warning`: something that may, or that costs. */
export type FindingLevel = 'ok' | 'warning' | 'problem';

/** One thing that was looked at. */
export interface Finding {
  readonly level: FindingLevel;
  readonly what: string;
  /** What mends it; null where nothing is to be done. */
  readonly todo: string | null;
}

/** Findings about one thing: the settings, the discovery, one engine. */
export interface CheckedPart {
  readonly name: string;
  readonly findings: readonly Finding[];
}

export const fine = (what: string): Finding => ({ level: 'ok', what, todo: null });
export const warning = (what: string, todo: string): Finding => ({ level: 'warning', what, todo });
export const problem = (what: string, todo: string): Finding => ({ level: 'problem', what, todo });
