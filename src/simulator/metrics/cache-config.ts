import type { Labels } from './metric-text.js';
import type { VllmGeneration } from './vllm-generation.js';

export interface CacheFacts {
  readonly blockSize: number;
  readonly blocks: number;
  readonly maxModelLen: number;
  readonly prefixCaching: boolean;
}

/** Fields that every generation has, with the values that vLLM gives a plain start. */
function always({ blockSize, blocks, prefixCaching }: CacheFacts): Labels {
  return {
    engine: '0',
    block_size: String(blockSize),
    cache_dtype: 'auto',
    enable_prefix_caching: prefixCaching ? 'True' : 'False',
    is_attention_free: 'False',
    num_cpu_blocks: 'None',
    num_gpu_blocks: String(blocks),
    num_gpu_blocks_override: 'None',
    sliding_window: 'None',
  };
}

const UNTIL_0_10: Labels = {
  calculate_kv_scales: 'False',
  cpu_offload_gb: '0',
  gpu_memory_utilization: '0.9',
  prefix_caching_hash_algo: 'builtin',
  swap_space: '4',
  swap_space_bytes: '4294967296',
};

const SINCE_0_28: Labels = {
  gpu_memory_utilization: '0.92',
  kv_cache_memory_bytes: 'None',
  kv_offloading_backend: 'native',
  kv_offloading_size: 'None',
  kv_sharing_fast_prefill: 'False',
  mamba_block_size: 'None',
  mamba_cache_dtype: 'auto',
  mamba_cache_mode: 'none',
  mamba_page_size_padded: 'None',
  mamba_ssm_cache_dtype: 'float32',
  prefix_caching_hash_algo: 'sha256',
  user_specified_block_size: 'True',
};

const SINCE_0_32: Labels = {
  _block_size_resolved: 'True',
  cache_hit_alignment_tokens: 'None',
  enable_mamba_shared_prefix_checkpoint: 'False',
  hash_block_size: 'None',
  kv_cache_dtype_skip_layers: '[]',
  kv_cache_layout: 'None',
  prefix_cache_retention_interval: '0',
  prefix_match_unit: 'None',
  replayssm_buffer_len: '16',
  skip_page_size_padded: 'None',
  swa_bounded_replay: 'True',
  use_kda_recoverssm: 'False',
  use_replayssm: 'False',
};

/** The labels of `vllm:cache_config_info`: every field of vLLM's CacheConfig, as text. */
export function cacheConfigLabels(facts: CacheFacts, generation: VllmGeneration): Labels {
  if (generation === '0.8' || generation === '0.10') return { ...always(facts), ...UNTIL_0_10 };
  const tokens = facts.blocks * facts.blockSize;
  const concurrency = tokens / facts.maxModelLen;
  const sizes = {
    kv_cache_size_tokens: String(tokens),
    kv_cache_max_concurrency: Number.isInteger(concurrency) ? `${concurrency}.0` : String(concurrency),
  };
  if (generation === '0.28') return { ...always(facts), ...SINCE_0_28, ...sizes };
  const effective = { effective_attention_block_size: String(facts.blockSize) };
  return { ...always(facts), ...SINCE_0_28, ...SINCE_0_32, ...sizes, ...effective };
}
