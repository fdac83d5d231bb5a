import { Injectable } from '@nestjs/common';

/** Whether the router is going down. Unready comes first, so that nobody sends new requests; then none are taken. */
@Injectable()
export class DrainState {
  #leaving = false;
  #draining = false;

  /** The router has been told to stop: `/ready` says no, requests are still served. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** New requests are refused; those under way go on. */
  get draining(): boolean {
    return this.#draining;
  }

  leave(): void {
    this.#leaving = true;
  }

  drain(): void {
    this.#leaving = true;
    this.#draining = true;
  }
}
