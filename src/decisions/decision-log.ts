import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { SettingsError } from '../config/settings-error.js';
import { SettingsStore } from '../config/settings-store.js';
import type { DecisionRecord } from '../core/decision.js';
import type { PromptBlocks } from '../core/prompt-blocks.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { AppendedFile } from './appended-file.js';
import { LogRotation } from './log-rotation.js';
import { RouterRun } from './router-run.js';

/** Names of blocks that a line has. */
const MOST_BLOCKS = 2_048;
/** Characters that may wait for the disk. */
const MAX_WAITING = 8 * 1024 * 1024;
/** Version of the format, see docs/decision-log.md. */
const FORMAT = 1;

/**
 * Whether the file of `--decision-log` can be written.
 * @throws {SettingsError} when it cannot
 */
export function checkDecisionLog(path: string): void {
  try {
    AppendedFile.check(path);
  } catch (error) {
    throw new SettingsError([
      `--decision-log ${JSON.stringify(path)} cannot be written: ${(error as Error).message}`,
    ]);
  }
}

/** Renames the file of `--decision-log` at `size` bytes; for one process of a router. */
export function rotationOf(path: string, size: number): LogRotation {
  const log = new Logger('DecisionLog');
  return new LogRotation(path, size, (error) =>
    log.error(`${path} cannot be renamed: ${error.message}; it grows beyond --decision-log-size`),
  );
}

/** Writes one line for each request that has ended, where `--decision-log` asks for it. */
@Injectable()
export class DecisionLog implements OnApplicationShutdown {
  readonly #log = new Logger(DecisionLog.name);
  readonly #file: AppendedFile | null = null;
  readonly #rotation: LogRotation | null = null;
  readonly #head: string = '';

  /** @throws {SettingsError} when the file cannot be written */
  constructor(settings: SettingsStore, run: RouterRun, metrics: RouterMetrics) {
    const { decisionLog: path, decisionLogSize } = settings.current;
    if (path === null) return;
    checkDecisionLog(path);
    const dropped = metrics.countsDroppedDecisions();
    this.#file = new AppendedFile(path, MAX_WAITING, {
      dropped: (lines) => dropped(lines),
      failing: (error) => this.#log.error(`${path} cannot be written: ${error.message}; lines are dropped`),
    });
    const worker = run.worker === null ? '' : `"worker":${run.worker},`;
    this.#head = `{"v":${FORMAT},"run":"${run.name}",${worker}`;
    // The workers of one router share the file, and their primary watches over its size.
    if (run.worker === null) {
      this.#rotation = rotationOf(path, decisionLogSize);
      this.#rotation.start();
    }
  }

  get on(): boolean {
    return this.#file !== null;
  }

  /** Takes the record of a request that has ended. */
  write(record: DecisionRecord, prompt: PromptBlocks | null): void {
    const { unit, size, blockSize, names } = prompt ?? NO_PROMPT;
    const blocks: string[] = [];
    for (let at = 0; at < Math.min(names.length, MOST_BLOCKS); at++) blocks.push(names[at]!.toString(36));
    const ofPrompt = {
      unit,
      block_size: blockSize,
      prompt_size: size,
      block_count: prompt === null ? null : names.length,
      blocks,
    };
    this.#file?.add(this.#head + JSON.stringify({ ...record, ...ofPrompt }).slice(1));
  }

  async onApplicationShutdown(): Promise<void> {
    this.#rotation?.stop();
    await this.#file?.close();
  }
}

const NO_PROMPT = { unit: null, size: null, blockSize: null, names: new Float64Array(0) };
