import { randomUUID } from 'node:crypto';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, internalError, refusedByFramework, routeNotFound, RouterError } from '../core/errors.js';
import { sanitiseRequestId } from '../core/request-id.js';
import { apiShape } from '../core/request-reader.js';

/** Answers whatever a controller throws in the shape that clients of the API expect. */
@Catch()
export class RouterErrorFilter implements ExceptionFilter {
  readonly #log = new Logger(RouterErrorFilter.name);

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent) return;
    const error = this.#known(thrown);
    const id = sanitiseRequestId(request.headers['x-request-id'] as string | undefined) ?? randomUUID();
    if (error.status === 401) void reply.header('www-authenticate', 'Bearer');
    if (error.retryAfter !== null) void reply.header('retry-after', String(error.retryAfter));
    void reply
      .status(error.status)
      .header('x-request-id', id)
      .header('content-type', 'application/json')
      .send(errorBody(error, apiShape(request.url.split('?', 1)[0]!), id));
  }

  #known(thrown: unknown): RouterError {
    if (thrown instanceof RouterError) return thrown;
    const status =
      thrown instanceof HttpException ? thrown.getStatus() : (thrown as { statusCode?: unknown })?.statusCode;
    if (status === 404) return routeNotFound();
    if (typeof status === 'number' && status >= 400 && status < 500) {
      return refusedByFramework((thrown as Error).message, status);
    }
    this.#log.error(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    return internalError();
  }
}
