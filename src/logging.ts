import type { LoggerService } from '@nestjs/common';
import { pino, type Logger as Pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Settings } from './config/settings.schema.js';

/** Nest's own start-up chatter, of use to nobody but with `--log-level debug`. */
const FRAMEWORK = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
  'Scheduler',
]);

/**
 * Structured logs on standard output: one JSON object a line, or lines to read.
 * @param worker number of this process among those of one port, which each line then tells
 */
export function createLogger(
  settings: Pick<Settings, 'logFormat' | 'logLevel'>,
  worker?: number,
): LoggerService {
  const options = {
    level: settings.logLevel,
    base: worker === undefined ? null : { worker },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  const text = (): ReturnType<typeof PinoPretty> =>
    PinoPretty({
      sync: true,
      colorize: process.stdout.isTTY,
      translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
      messageKey: 'message',
      ignore: 'context,worker',
      messageFormat: `${worker === undefined ? '' : `worker ${worker} `}{context} - {message}`,
    });
  const logger =
    settings.logFormat === 'json'
      ? pino({ ...options, formatters: { level: (level) => ({ level }) } })
      : pino(options, text());
  return new PinoLogs(logger);
}

/** Nest's logger contract on pino. The last argument of Nest's calls is the context. */
class PinoLogs implements LoggerService {
  constructor(private readonly logger: Pino) {}

  log(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    this.#write(typeof context === 'string' && FRAMEWORK.has(context) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  #write(
    level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace',
    message: unknown,
    rest: unknown[],
  ): void {
    const context = typeof rest.at(-1) === 'string' ? (rest.at(-1) as string) : 'vllm-router';
    if (message instanceof Error) this.logger[level]({ context, err: message }, message.message);
    else this.logger[level]({ context }, String(message));
  }
}
