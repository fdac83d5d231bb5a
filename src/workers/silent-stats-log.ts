import { Injectable } from '@nestjs/common';
import { StatsLogService } from '../stats/stats-log.service.js';

/** A worker writes no statistics: the primary writes those of all workers. */
@Injectable()
export class SilentStatsLog extends StatsLogService {
  override start(): void {}
}
