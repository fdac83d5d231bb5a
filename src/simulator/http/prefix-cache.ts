/** Words in a block, as `--block-size 32` counts tokens. */
const BLOCK_WORDS = 32;

/** Blocks that the engine keeps; the least recently used go first. */
export const CACHE_BLOCKS = 4096;

/** Prompts beyond this many blocks are not looked at further. */
const LOOKED_AT_BLOCKS = 512;

/** Which prompt prefixes the engine has seen, in chained full blocks, for the prefix cache metrics. */
export class PrefixCache {
  private readonly blocks = new Set<string>();
  queries = 0;
  hits = 0;

  /** Counts a prompt and remembers its blocks; `scope` keeps the prompts of adapters apart. */
  add(scope: string, text: string, tokens: number): void {
    this.queries += tokens;
    const words = text.split(/\s+/, LOOKED_AT_BLOCKS * BLOCK_WORDS);
    let chain = scope;
    let hit = true;
    for (let end = BLOCK_WORDS; end <= words.length; end += BLOCK_WORDS) {
      chain = hashOf(`${chain} ${words.slice(end - BLOCK_WORDS, end).join(' ')}`);
      hit = this.blocks.delete(chain) && hit;
      // At least one token of a prompt is always computed.
      if (hit && end < tokens) this.hits += BLOCK_WORDS;
      this.blocks.add(chain);
    }
    for (const oldest of this.blocks) {
      if (this.blocks.size <= CACHE_BLOCKS) break;
      this.blocks.delete(oldest);
    }
  }
}

/** Two 32-bit FNV-1a hashes with different seeds, as one string. */
function hashOf(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x1000193;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  return `${low >>> 0}.${high >>> 0}`;
}
