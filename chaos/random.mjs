// Chance that can be repeated: the same seed gives the same numbers on every machine.

/** Mulberry32: 32 bits of state, made for tests and not for secrets. */
export class Random {
  #state;

  /** @param {number} seed @param {string} stream a name, so that two uses of one seed do not disturb each other */
  constructor(seed, stream = '') {
    let state = seed >>> 0;
    for (const character of stream) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0;
    this.#state = state;
  }

  /** 0 to 1, 1 left out. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  chance(share) {
    return this.next() < share;
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min, max) {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** As `whole`, where small numbers are as likely as large ones by their order of magnitude. */
  logWhole(min, max) {
    return Math.round(min * (max / min) ** this.next());
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  /** One of the keys of `{ key: weight }`. */
  weighted(weights) {
    const entries = Object.entries(weights);
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return entries.at(-1)[0];
  }

  /** Milliseconds to the next of events that come `perSecond` times a second, at random. */
  gap(perSecond) {
    return (-Math.log(1 - this.next()) * 1_000) / perSecond;
  }

  shuffled(list) {
    const out = [...list];
    for (let at = out.length - 1; at > 0; at -= 1) {
      const other = this.whole(0, at);
      [out[at], out[other]] = [out[other], out[at]];
    }
    return out;
  }
}
