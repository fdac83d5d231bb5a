/** The key is kept for this tab alone, and goes with it. */
const NAME = 'vllm-router-admin-key';
let kept: string | null = null;

export function adminKey(): string | null {
  try {
    kept ??= sessionStorage.getItem(NAME);
  } catch {
    // A browser may forbid storage; then the key lives as long as the page.
  }
  return kept;
}

export function keepAdminKey(key: string | null): void {
  kept = key;
  try {
    if (key === null) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, key);
  } catch {
    // See above.
  }
}
