import { Injectable } from '@nestjs/common';
import { HealthProbe } from '../health/health-probe.js';

/** The primary asks engines for their health, once for all workers. */
@Injectable()
export class SilentHealthProbe extends HealthProbe {
  override start(): void {}
}
