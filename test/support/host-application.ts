import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { RouterModule, type RouterModuleOptions } from '../../src/router.module.js';
import { until } from './until.js';

export interface HostApplication {
  readonly url: string;
  /** Cuts what is still connected. */
  close(): Promise<void>;
}

/**
 * An application of somebody else that mounts the router, in which Fastify and Nest find the routes; resolves once
 * the router knows its engines.
 */
export async function startHostApplication(options: RouterModuleOptions): Promise<HostApplication> {
  @Module({ imports: [RouterModule.forRoot(options)] })
  class HostModule {}
  const app = await NestFactory.create<NestFastifyApplication>(HostModule, new FastifyAdapter(), {
    bodyParser: false,
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  await until(async () => (await fetch(`${url}/ready`)).ok);
  const close = async (): Promise<void> => {
    app.getHttpServer().closeAllConnections();
    await app.close();
  };
  return { url, close };
}

/** What a host application gives the router to send to these engines, in the order in which they stand. */
export function settingsFor(engines: readonly { readonly url: string; readonly model: string }[]) {
  return {
    serviceDiscovery: 'static',
    staticBackends: engines.map(({ url }) => url),
    staticModels: engines.map(({ model }) => model),
  } satisfies RouterModuleOptions['settings'];
}
