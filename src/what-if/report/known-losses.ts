/** Where the router's own policy loses and why it may. */
export interface KnownLoss {
  readonly workload: string;
  readonly load: number;
  readonly other: string;
  readonly reason: string;
}

/** Losses that the policy check lets pass. */
const KNOWN_LOSSES: readonly KnownLoss[] = [];

/** Why a loss is known; null when it is not. */
export function knownReason(
  workload: string,
  load: number,
  other: string,
  known: readonly KnownLoss[] = KNOWN_LOSSES,
): string | null {
  const found = known.find(
    (loss) => loss.workload === workload && loss.load === load && loss.other === other,
  );
  return found?.reason ?? null;
}
