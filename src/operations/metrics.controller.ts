import { Controller, Get, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { accessibleTo } from '../security/route-access.js';

/** `GET /metrics` in the Prometheus text format. */
@Controller()
export class MetricsController {
  constructor(private readonly metrics: RouterMetrics) {}

  @Get('metrics')
  @RouteConfig(accessibleTo('admin'))
  async show(@Res() reply: FastifyReply): Promise<void> {
    const { contentType, text } = await this.metrics.render();
    await reply.header('content-type', contentType).send(text);
  }
}
