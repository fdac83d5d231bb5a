import { PayloadTooLargeException, UnsupportedMediaTypeException } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RouterError } from '../core/errors.js';
import { accessibleTo } from '../security/route-access.js';
import type { BodyIntake, Intake } from './body-intake.js';
import { RequestBody } from './request-body.js';

/** Fastify route configuration that marks the routes whose bodies are taken as they come. */
export const RELAYED = { vllmRouterRelayed: true, ...accessibleTo('client') } as const;

type Done = (error: Error | null, body?: unknown) => void;
type StreamParser = (request: FastifyRequest, payload: FastifyRequest['raw'], done: Done) => void;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by `RELAYED`. */
    vllmRouterRelayed?: boolean;
  }
}

const isRelayed = (request: FastifyRequest): boolean =>
  request.routeOptions.config.vllmRouterRelayed === true;

/** Reads a whole text for the routes of a host application, within its own body limit. */
function readText(request: FastifyRequest, payload: FastifyRequest['raw'], done: Done): void {
  const limit = request.routeOptions.bodyLimit ?? 1024 * 1024;
  const chunks: Buffer[] = [];
  let size = 0;
  payload.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  });
  payload.on('error', (error) => done(error));
  payload.on('end', () => {
    if (size <= limit) done(null, Buffer.concat(chunks).toString('utf8'));
    else done(new PayloadTooLargeException('Request body is too large'));
  });
}

/**
 * Makes Fastify hand the bodies of our routes to `intake`, whatever their content type. Other routes of a
 * host application keep what Fastify does by default: JSON parsed, text as text, 415 for the rest.
 */
export function takeBodies(fastify: FastifyInstance, intake: BodyIntake): void {
  const json = fastify.getDefaultJsonParser('error', 'error');
  const own = (others: StreamParser): StreamParser => {
    return (request, payload, done) => {
      if (!isRelayed(request)) others(request, payload, done);
      // Fastify knows the parser's error alone; ours needs the client's API shape, so it travels as a body.
      else intake.receive(payload, (body) => done(null, body));
    };
  };
  fastify.removeContentTypeParser(['application/json', 'text/plain']);
  fastify.addContentTypeParser(
    'application/json',
    own((request, payload, done) =>
      readText(request, payload, (error, text) => {
        if (error) done(error);
        else void json(request, text as string, done);
      }),
    ),
  );
  fastify.addContentTypeParser('text/plain', own(readText));
  if (fastify.hasContentTypeParser('*')) return;
  fastify.addContentTypeParser(
    '*',
    own((_request, _payload, done) => done(new UnsupportedMediaTypeException())),
  );
}

/**
 * What was received for one of our routes. In a host application with `rawBody: true` its own parsers
 * take JSON and forms, and leave the bytes.
 */
export function bodyOf(request: FastifyRequest): Intake | undefined {
  const { body, rawBody } = request as { body?: unknown; rawBody?: Buffer };
  if (body instanceof RequestBody || body instanceof RouterError) return body;
  if (rawBody === undefined || rawBody.length === 0) return undefined;
  const whole = new RequestBody(null, null);
  whole.add(rawBody);
  return whole;
}
