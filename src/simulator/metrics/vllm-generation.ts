/** Releases of vLLM that differ in what they show, the oldest first. Releases between show what the older does. */
export const VLLM_GENERATIONS = ['0.8', '0.10', '0.28', '0.32'] as const;

export type VllmGeneration = (typeof VLLM_GENERATIONS)[number];

/** Whether `generation` is at least as new as `first`. */
export function since(generation: VllmGeneration, first: VllmGeneration): boolean {
  return VLLM_GENERATIONS.indexOf(generation) >= VLLM_GENERATIONS.indexOf(first);
}

/** The newest generation that is not newer than a version such as `0.11.2`; the oldest for older ones. */
export function generationOf(version: string): VllmGeneration {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const known = VLLM_GENERATIONS.filter((one) => major > 0 || Number(one.split('.')[1]) <= minor);
  return known.at(-1) ?? '0.8';
}
