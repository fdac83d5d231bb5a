import { Injectable } from '@nestjs/common';
import type { LivePast, LiveView } from '../core/live/live-view.js';
import { LiveSource } from '../dashboard/live-source.js';
import { PrimaryLink } from './primary-link.js';

/** What the live page shows, as the primary tells it of all workers. */
@Injectable()
export class RelayedLive extends LiveSource {
  constructor(private readonly link: PrimaryLink) {
    super();
  }

  override view(): Promise<LiveView> {
    return this.link.ask('view');
  }

  override past(): Promise<LivePast> {
    return this.link.ask('past');
  }
}
