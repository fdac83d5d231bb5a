import { FIRST_EJECTION, LONGEST_EJECTION } from '../../../../src/core/health/ejection-length.js';
import { EngineHealth, SLOW_START, SUSPICION } from '../../../../src/core/health/engine-health.js';
import { FAILURE_RULES, type HealthCause, type Proof } from '../../../../src/core/health/failure-rules.js';
import { type HealthState, isUsable, STATES } from '../../../../src/core/health/health-state.js';
import { FAILURES_IN_A_ROW } from '../../../../src/core/health/recent-outcomes.js';

/** An engine and its time; chance is 0, so that ejections have their whole length. */
class Patient {
  readonly health = new EngineHealth();
  now = 1_000_000;
  chance = 0;
  room = true;

  get state(): HealthState {
    return this.health.state(this.now);
  }

  get mayTry(): boolean {
    return this.health.mayTry(this.now);
  }

  pass(ms: number): this {
    this.now += ms;
    return this;
  }

  /** Of what was sent just now, unless told otherwise. */
  fail(cause: HealthCause, sentAt = this.now): boolean {
    const context = { room: () => this.room, random: () => this.chance };
    return this.health.failed(cause, sentAt, this.now, context);
  }

  answer(proof: Proof = 'output', sentAt = this.now): boolean {
    return this.health.answered(proof, sentAt, this.now);
  }

  /** Until its ejection is over. */
  serveTime(): this {
    this.now = this.health.ejection.until;
    return this;
  }
}

const causes = Object.keys(FAILURE_RULES) as HealthCause[];
const ofWeight = (weight: string): HealthCause[] =>
  causes.filter((cause) => FAILURE_RULES[cause].weight === weight);
const ejectedFor = (cause: HealthCause): Patient => {
  const patient = new Patient();
  while (!patient.fail(cause)) patient.pass(1);
  return patient.pass(1);
};

it('begins ready, with nothing to remember', () => {
  const { health, state, mayTry, now } = new Patient();
  expect([state, mayTry, health.isForgettable(now), health.isLimited(now), health.share(now)]).toEqual([
    ...['ready', true, true, false],
    1,
  ]);
});

describe('a failure', () => {
  it.each(ofWeight('sure'))('%s ejects at once, also where there is no room', (cause) => {
    const patient = new Patient();
    patient.room = false;
    expect([patient.fail(cause), patient.state, patient.mayTry]).toEqual([true, 'ejected', false]);
  });

  it.each(ofWeight('once'))('%s ejects at once, where there is room', (cause) => {
    const patient = new Patient();
    patient.room = false;
    expect([patient.fail(cause), patient.state]).toEqual([false, 'suspect']);
    patient.room = true;
    expect([patient.fail(cause), patient.state]).toEqual([true, 'ejected']);
  });

  it.each(ofWeight('counts'))('%s ejects after the third in a row', (cause) => {
    const patient = new Patient();
    for (let n = 1; n < FAILURES_IN_A_ROW; n++) {
      expect([patient.pass(1_000).fail(cause), patient.state, patient.mayTry]).toEqual([
        false,
        'suspect',
        true,
      ]);
    }
    expect([patient.fail(cause), patient.state]).toEqual([true, 'ejected']);
  });

  it.each(ofWeight('none'))('%s says nothing', (cause) => {
    const patient = new Patient();
    for (let n = 0; n < 100; n++) expect(patient.fail(cause)).toBe(false);
    expect([patient.state, patient.health.isForgettable(patient.now)]).toEqual(['ready', true]);
  });

  it('is forgotten after ten seconds, and by an answer no longer in a row', () => {
    const patient = new Patient();
    patient.fail('http_5xx');
    patient.fail('http_5xx');
    patient.answer('output', 0);
    expect([patient.fail('http_5xx'), patient.fail('http_5xx'), patient.state]).toEqual([
      false,
      false,
      'suspect',
    ]);
    patient.pass(SUSPICION);
    expect([patient.state, patient.health.isForgettable(patient.now)]).toEqual(['ready', true]);
  });

  it('is still in a row when mere contact was in between, but for causes that contact cures', () => {
    const ill = new Patient();
    for (let n = 0; n < 2; n++) {
      ill.fail('http_5xx');
      ill.answer('contact');
    }
    expect(ill.fail('http_5xx')).toBe(true);
    const far = new Patient();
    for (let n = 0; n < 10; n++) {
      expect(far.pass(2_500).fail('unreachable')).toBe(false);
      far.answer('contact');
    }
  });

  it('is one of ten in a row where many others are served', () => {
    const patient = new Patient();
    for (let n = 0; n < 1_000; n++) {
      // One in ten, and at times four or nine in a row.
      const row = n % 300 === 299 ? 9 : n % 100 === 99 ? 4 : 1;
      for (let m = 0; m < row; m++) expect(patient.fail('http_5xx')).toBe(false);
      for (let m = 0; m < 9; m++) patient.answer('output', 0);
      patient.pass(50);
    }
    for (let n = 1; n < 10; n++) expect(patient.fail('http_5xx')).toBe(false);
    expect(patient.fail('http_5xx')).toBe(true);
  });

  it('of half of the last ten outcomes ejects, of fewer or older ones not', () => {
    const half = new Patient();
    const ejected = Array.from({ length: 10 }, (_, n) => {
      if (n % 2 === 1) return half.answer('output', 0);
      return half.pass(10).fail('reset');
    });
    expect(ejected).toEqual(Array(10).fill(false));
    // The eleventh outcome is the sixth failure.
    expect(half.fail('reset')).toBe(true);
    const third = new Patient();
    for (let n = 0; n < 300; n++) {
      if (n % 3 === 0) expect(third.pass(10).fail('reset')).toBe(false);
      else third.answer('output', 0);
    }
    const slow = new Patient();
    for (let n = 0; n < 100; n++) {
      expect(slow.pass(2_500).fail('reset')).toBe(false);
      slow.answer('output', 0);
    }
  });
});

describe('an engine that is spared, since enough others are out', () => {
  it('gets requests as often as it serves them, a tenth at least, while it is suspect', () => {
    const patient = new Patient();
    patient.room = false;
    for (let n = 0; n < 4; n++) patient.fail('http_5xx');
    expect([patient.state, patient.mayTry, patient.health.isLimited(patient.now)]).toEqual([
      'suspect',
      true,
      true,
    ]);
    expect(patient.health.share(patient.now)).toBe(0.1);
    for (let n = 0; n < 4; n++) patient.answer();
    expect(patient.health.share(patient.now)).toBe(0.5);
    expect([
      patient.pass(SUSPICION).health.share(patient.now),
      patient.health.isLimited(patient.now),
    ]).toEqual([1, false]);
  });
});

describe('an ejection', () => {
  it('lasts five seconds, twice as long each time that the probe fails, a minute at most', () => {
    const patient = ejectedFor('http_5xx');
    const lengths: number[] = [];
    for (let n = 0; n < 6; n++) {
      const { at, until } = patient.health.ejection;
      lengths.push(until - at);
      patient.serveTime();
      expect([patient.state, patient.mayTry]).toEqual(['probing', true]);
      expect(patient.health.sent(patient.now)).toBe(true);
      const sentAt = patient.now;
      expect([patient.pass(500).mayTry, patient.fail('http_5xx', sentAt), patient.state]).toEqual([
        ...[false, true],
        'ejected',
      ]);
    }
    expect(lengths).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    expect([FIRST_EJECTION, LONGEST_EJECTION]).toEqual([5_000, 60_000]);
  });

  it('is up to a fifth shorter by chance', () => {
    const patient = new Patient();
    patient.chance = 0.999_999;
    patient.fail('refused');
    const { at, until } = patient.health.ejection;
    expect(until - at).toBeCloseTo(4_000, 1);
  });

  it('is as long as the first again when the engine has been back for a minute, and longer before', () => {
    const length = (patient: Patient): number => patient.health.ejection.until - patient.health.ejection.at;
    const soon = ejectedFor('refused');
    soon.answer();
    soon.pass(59_000).fail('refused');
    expect(length(soon)).toBe(10_000);
    const late = ejectedFor('refused');
    late.answer();
    late.pass(60_000).fail('refused');
    expect(length(late)).toBe(5_000);
  });

  it('is not prolonged by failures of what was sent before, or beside the probe', () => {
    const patient = new Patient();
    const [early, { until }] = [patient.now, ejectedFor('reset').health.ejection];
    while (!patient.fail('reset')) patient.pass(1);
    for (let n = 0; n < 100; n++) expect(patient.fail('reset', early)).toBe(false);
    expect(patient.health.ejection.until).toBe(until);
    patient.serveTime().health.sent(patient.now);
    expect(patient.fail('reset', early)).toBe(false);
    expect(patient.state).toBe('probing');
  });

  it('is kept up by sure signs that come later, without growing', () => {
    const patient = ejectedFor('refused');
    for (let n = 0; n < 20; n++)
      expect([patient.pass(4_000).fail('refused'), patient.state]).toEqual([false, 'ejected']);
    expect(patient.health.ejection.until).toBe(patient.now + FIRST_EJECTION);
    expect(patient.health.ejection.inARow).toBe(1);
  });

  it('for what a client may have brought about has the cause of a sure sign that comes later', () => {
    const patient = ejectedFor('http_5xx');
    patient.fail('refused');
    expect([patient.health.cause, patient.health.surelyOut]).toEqual(['refused', true]);
    patient.fail('http_5xx');
    expect(patient.health.cause).toBe('refused');
  });

  it.each(causes.filter((cause) => FAILURE_RULES[cause].weight !== 'none'))(
    'for %s ends by its cure alone',
    (cause) => {
      const byContact = ejectedFor(cause);
      const ended = FAILURE_RULES[cause].cure === 'contact';
      expect([byContact.answer('contact'), byContact.state]).toEqual([ended, ended ? 'ready' : 'ejected']);
      const byOutput = ejectedFor(cause);
      expect([byOutput.answer('output'), byOutput.state]).toEqual([true, 'ready']);
    },
  );

  it('does not end by an answer to what was sent before it began', () => {
    const patient = ejectedFor('refused');
    const { at } = patient.health.ejection;
    expect([patient.answer('output', at - 1), patient.answer('output', at), patient.state]).toEqual([
      ...[false, false],
      'ejected',
    ]);
    expect(patient.answer('output', at + 0.001)).toBe(true);
  });
});

describe('probing', () => {
  const probing = (): Patient => ejectedFor('http_5xx').serveTime();

  it('lets one request through, and no second before it has ended', () => {
    const patient = probing();
    const sentAt = patient.now;
    expect([patient.health.sent(sentAt), patient.pass(1).mayTry, patient.health.sent(patient.now)]).toEqual([
      ...[true, false],
      false,
    ]);
    expect([patient.pass(3_600_000).mayTry, patient.state]).toEqual([false, 'probing']);
    patient.health.ended(sentAt + 1);
    expect(patient.mayTry).toBe(false);
    patient.health.ended(sentAt);
    expect([patient.mayTry, patient.state]).toEqual([true, 'probing']);
  });

  it('ends by an answer, at once', () => {
    const patient = probing();
    patient.health.sent(patient.now);
    expect([patient.answer(), patient.state, patient.mayTry]).toEqual([true, 'ready', true]);
  });

  it('goes on after an answer that proves too little, and after a failure that says nothing', () => {
    const patient = probing();
    patient.health.sent(patient.now);
    expect([patient.answer('contact'), patient.state, patient.mayTry]).toEqual([false, 'probing', true]);
    patient.pass(1).health.sent(patient.now);
    patient.fail('busy');
    patient.health.ended(patient.now);
    expect([patient.state, patient.mayTry]).toEqual(['probing', true]);
  });

  it('is not begun by a request that is sent for want of a better engine before', () => {
    const patient = ejectedFor('http_5xx');
    expect(patient.health.sent(patient.now)).toBe(false);
    expect([patient.fail('http_5xx'), patient.serveTime().mayTry]).toEqual([false, true]);
  });
});

describe('the return', () => {
  it('is a slow start: a tenth of the requests at first, all after ten seconds', () => {
    const patient = ejectedFor('refused');
    patient.answer();
    const shares = [0, 500, 1_000, 2_500, 1_000, 5_000].map((ms) =>
      patient.pass(ms).health.share(patient.now),
    );
    expect(shares).toEqual([0.1, 0.1, 0.15, 0.4, 0.5, 1]);
    expect([SLOW_START, patient.health.isLimited(patient.now)]).toEqual([10_000, false]);
    expect(patient.health.isForgettable(patient.now)).toBe(false);
    expect(patient.health.isForgettable(patient.pass(50_000).now)).toBe(true);
  });

  it('is not undone by failures of what was sent before it', () => {
    const patient = new Patient();
    const early = patient.now;
    patient.pass(10).fail('refused');
    patient.pass(10).answer();
    for (let n = 0; n < 10; n++) expect(patient.fail('refused', early)).toBe(false);
    expect(patient.state).toBe('ready');
    // These two are seen now, whatever request they end.
    expect(patient.pass(1).fail('dead', early)).toBe(true);
  });

  it('begins with a clean sheet', () => {
    const patient = ejectedFor('http_5xx');
    patient.answer();
    for (let n = 1; n < FAILURES_IN_A_ROW; n++) expect(patient.fail('http_5xx')).toBe(false);
    expect(patient.fail('http_5xx')).toBe(true);
  });
});

describe('sleep', () => {
  it('is told by the engine, and ends when it tells otherwise, or nothing', () => {
    for (const awake of [false, null]) {
      const patient = new Patient();
      expect(patient.health.slept(true, patient.now)).toBe(true);
      expect([patient.state, patient.mayTry, patient.health.slept(true, patient.now)]).toEqual([
        ...['asleep', false],
        false,
      ]);
      patient.pass(100_000);
      expect([patient.health.slept(awake, patient.now), patient.state, patient.mayTry]).toEqual([
        ...[true, 'ready'],
        true,
      ]);
      expect(patient.health.share(patient.now)).toBe(0.1);
    }
  });

  it('ends by an output for what was sent after it began', () => {
    const patient = new Patient();
    patient.health.slept(true, patient.now);
    patient.pass(1_000);
    patient.answer('output', patient.now - 1_000);
    patient.answer('contact');
    expect(patient.state).toBe('asleep');
    patient.answer('output');
    expect(patient.state).toBe('ready');
  });

  it('does not hide that the engine is ejected once it is over', () => {
    const patient = ejectedFor('http_5xx');
    patient.health.slept(true, patient.now);
    expect(patient.state).toBe('asleep');
    patient.health.slept(false, patient.now);
    expect(patient.state).toBe('ejected');
  });
});

describe('draining', () => {
  it('lets no request in, whatever else there is, and is over at its time', () => {
    const patient = new Patient();
    patient.health.drain(patient.now + 1_000);
    patient.answer();
    expect([patient.state, patient.mayTry]).toEqual(['draining', false]);
    expect([patient.pass(1_000).state, patient.mayTry]).toEqual(['gone', false]);
    patient.health.drain(null);
    expect([patient.state, patient.mayTry]).toEqual(['ready', true]);
  });
});

describe('what another process tells', () => {
  it('of an ejection counts as one here', () => {
    const patient = new Patient();
    patient.health.learnEjection('http_5xx', patient.now, patient.now + 20_000, 3);
    expect([patient.state, patient.mayTry, patient.health.cause]).toEqual(['ejected', false, 'http_5xx']);
    patient.serveTime().health.sent(patient.now);
    patient.fail('http_5xx');
    const { at, until } = patient.health.ejection;
    expect(until - at).toBe(40_000);
  });

  it('of an ejection before the return that is known here is no news', () => {
    const patient = ejectedFor('refused');
    patient.answer();
    patient.health.learnEjection('refused', patient.now - 1, patient.now + 5_000, 1);
    expect(patient.state).toBe('ready');
  });

  it('of its probe keeps others from sending one for five seconds', () => {
    const patient = ejectedFor('http_5xx').serveTime();
    patient.health.learnProbe(patient.now);
    expect([patient.mayTry, patient.pass(4_999).mayTry, patient.pass(1).mayTry]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('of a return counts when its request was sent after the ejection', () => {
    const patient = ejectedFor('http_5xx');
    patient.health.learnReturn(patient.health.ejection.at - 1, patient.now);
    expect(patient.state).toBe('ejected');
    patient.health.learnReturn(patient.now, patient.now);
    expect([patient.state, patient.health.share(patient.now)]).toEqual(['ready', 0.1]);
  });
});

it('takes new requests in the states that say so', () => {
  expect(STATES.filter(isUsable)).toEqual(['ready', 'suspect', 'probing']);
  expect(isUsable('gone')).toBe(false);
});
