import type { PreparedChange, Reconfigurable } from '../config/reconfigurable.js';
import type { Settings } from '../config/settings.schema.js';

/**
 * Has every part prepare for `next`, all at once, each for `timeoutMs` at most. When one cannot, what the
 * others have built is discarded, also what is built later than that.
 * @throws {Error} the first failure, in the order of `parts`
 */
export async function prepareAll(
  parts: readonly Reconfigurable[],
  next: Settings,
  timeoutMs: number,
): Promise<readonly PreparedChange[]> {
  const preparing = parts.map((part) => Promise.resolve().then(() => part.prepare(next)));
  const settled = await Promise.allSettled(preparing.map((one) => within(one, timeoutMs)));
  const failure = settled.find((result) => result.status === 'rejected');
  if (!failure) return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));

  for (const one of preparing) void one.then((change) => change.discard()).catch(() => {});
  throw failure.reason;
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it was not ready within ${timeoutMs / 1000} seconds`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
