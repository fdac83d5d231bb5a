import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { AdmissionService } from './admission/admission.service.js';
import { SilenceWatch } from './silence-watch.js';

/** Counts the requests under way against `--max-concurrent-requests`. */
@Injectable()
export class RequestLimit {
  /** Requests that the other processes on the port have in flight, as they told last. */
  ofOthers = 0;

  constructor(
    private readonly settings: SettingsStore,
    private readonly watch: SilenceWatch,
    private readonly admission: AdmissionService,
  ) {}

  /** Whether no further request may be taken. */
  get reached(): boolean {
    const { maxConcurrentRequests: most } = this.settings.current;
    return most > 0 && this.watch.size + this.admission.held + this.ofOthers >= most;
  }
}
