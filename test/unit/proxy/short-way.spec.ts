import 'reflect-metadata';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Module, type Provider, ValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, ModulesContainer } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { invalidKey, type RouterError } from '../../../src/core/errors.js';
import { API_ROUTES } from '../../../src/proxy/api-routes.js';
import type { BodyIntake, Intake } from '../../../src/proxy/body-intake.js';
import type { ProxyService } from '../../../src/proxy/proxy.service.js';
import { RequestBody } from '../../../src/proxy/request-body.js';
import type { HeadCheck } from '../../../src/proxy/head-check.js';
import { ShortWay } from '../../../src/proxy/short-way.js';

/** A short way of an application whose modules hold these providers. */
async function shortWayOf(inRoot: readonly Provider[], inFeature: readonly Provider[]): Promise<ShortWay> {
  @Module({ providers: [...inFeature] })
  class FeatureModule {}
  const app = await Test.createTestingModule({ imports: [FeatureModule], providers: [...inRoot] }).compile();
  const way = new ShortWay({} as BodyIntake, {} as ProxyService, {} as HeadCheck, app.get(ModulesContainer));
  await app.close();
  return way;
}

describe('the short way', () => {
  it.each<[string, Provider]>([
    ['guard', { provide: APP_GUARD, useValue: { canActivate: () => true } }],
    ['interceptor', { provide: APP_INTERCEPTOR, useValue: { intercept: () => undefined } }],
    ['pipe', { provide: APP_PIPE, useFactory: () => ({ transform: (value: unknown) => value }) }],
  ])('is closed when any module has a global %s', async (_name, provider) => {
    expect((await shortWayOf([provider], [])).open).toBe(false);
    expect((await shortWayOf([], [provider])).open).toBe(false);
  });

  it('is open without one, whatever else there is', async () => {
    const others: Provider[] = [
      { provide: APP_FILTER, useValue: { catch: () => undefined } },
      { provide: 'other', useValue: 1 },
      { provide: ValidationPipe, useValue: {} },
    ];
    expect((await shortWayOf([], [])).open).toBe(true);
    expect((await shortWayOf(others, others)).open).toBe(true);
  });

  describe('takes', () => {
    const received: IncomingMessage[] = [];
    const handled: unknown[][] = [];
    const body = new RequestBody(null, null);
    const intake = {
      receive: (request: IncomingMessage, done: (body: Intake) => void) => {
        received.push(request);
        done(body);
      },
    };
    let refusal: RouterError | null = null;
    const proxy = { handle: (...given: unknown[]) => void handled.push(given) };
    const way = new ShortWay(
      intake as unknown as BodyIntake,
      proxy as unknown as ProxyService,
      { refusal: () => refusal } as unknown as HeadCheck,
      new ModulesContainer(),
    );
    const response = {} as ServerResponse;
    const socket = {} as Socket;
    const asks = (method: string, url: string): boolean =>
      way.take({ method, url, socket } as unknown as IncomingMessage, response);

    beforeEach(() => {
      received.length = 0;
      handled.length = 0;
      refusal = null;
    });

    it('a request without a key, and hands on the refusal in place of its body', () => {
      refusal = invalidKey();
      const request = { method: 'POST', url: '/v1/completions', socket } as unknown as IncomingMessage;
      expect(way.take(request, response)).toBe(true);
      expect(received).toEqual([]);
      expect(handled).toEqual([[request, response, refusal, 'api']]);
    });

    it.each(API_ROUTES.map((route) => `/${route}`))('POST %s, and hands its body on', (url) => {
      const request = { method: 'POST', url, socket } as unknown as IncomingMessage;
      expect(way.take(request, response)).toBe(true);
      expect(received).toEqual([request]);
      expect(handled).toEqual([[request, response, body, 'api']]);
    });

    it.each([
      ['POST', '/v1/chat/completions?x=1'],
      ['POST', '/v1/chat/completions?'],
      ['POST', '/v1/chat/completions/'],
      ['POST', '//v1/chat/completions'],
      ['POST', '/V1/chat/completions'],
      ['POST', '/v1/chat%2Fcompletions'],
      ['POST', 'http://host/v1/chat/completions'],
      ['POST', '/root/v1/chat/completions'],
      ['POST', 'v1/chat/completions'],
      ['POST', '/v1/models'],
      ['POST', '/'],
      ['GET', '/v1/chat/completions'],
      ['HEAD', '/v1/chat/completions'],
      ['OPTIONS', '/v1/chat/completions'],
      ['PUT', '/v1/chat/completions'],
    ])('%s %s not, and does nothing with it', (method, url) => {
      expect(asks(method, url)).toBe(false);
      expect([received, handled]).toEqual([[], []]);
    });
  });
});
