export function smuggledBehind(name: string): string;
export function refusedRequests(path: string): readonly (readonly [name: string, bytes: string])[];
export function understoodRequests(
  path: string,
): readonly (readonly [name: string, bytes: string, bodies: readonly string[]])[];
export function hostileBodies(): readonly (readonly [name: string, body: string, status: number])[];
export function disguisedPaths(): readonly string[];
