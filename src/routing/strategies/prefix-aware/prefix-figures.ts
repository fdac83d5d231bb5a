import type { EngineAccount } from '../../../core/cost/engine-account.js';
import type { PrefixIndex } from '../../../core/prefix/prefix-index.js';
import type { StrategyFigure } from '../../routing-strategy.js';
import type { FleetAccounts } from './fleet-accounts.js';

/** What `/metrics` shows of the strategy. @param now monotonic milliseconds */
export function prefixFigures(
  accounts: FleetAccounts,
  index: PrefixIndex,
  now: number,
): readonly StrategyFigure[] {
  const engines = [...accounts.all()];
  const byEngine = (
    name: string,
    type: StrategyFigure['type'],
    help: string,
    of: (account: EngineAccount) => number,
  ): StrategyFigure => ({
    name,
    type,
    help,
    values: engines
      .map((account) => ({ labels: { engine: account.url }, value: of(account) }))
      .filter(({ value }) => Number.isFinite(value)),
  });
  return [
    {
      name: 'prefix_index_blocks',
      type: 'gauge',
      help: 'Blocks of prompts in the prefix index; one that two engines hold counts twice.',
      values: [{ labels: {}, value: index.blocks }],
    },
    {
      name: 'prefix_index_bytes',
      type: 'gauge',
      help: 'Memory of the prefix index in use.',
      values: [{ labels: {}, value: index.bytes }],
    },
    byEngine(
      'prefix_index_capacity_blocks',
      'gauge',
      'Blocks that the prefix cache of the engine is believed to hold at most.',
      (account) => accounts.capacityBlocks(account),
    ),
    byEngine(
      'prefix_index_engine_blocks',
      'gauge',
      'Blocks that the prefix cache of the engine is believed to hold.',
      ({ slot }) => index.holdings(slot),
    ),
    byEngine(
      'prefix_predicted_cached_tokens_total',
      'counter',
      'Prompt tokens predicted to be cached, of the answers that tell how many were.',
      ({ predictedTokens }) => predictedTokens,
    ),
    byEngine(
      'prefix_reported_cached_tokens_total',
      'counter',
      'Prompt tokens that were cached, of the answers that tell it.',
      ({ reportedTokens }) => reportedTokens,
    ),
    byEngine(
      'pending_prompt_tokens',
      'gauge',
      'Prompt tokens not believed to be cached that are on their way to their first token.',
      ({ pending }) => pending.at(now),
    ),
    byEngine(
      'engine_slowness',
      'gauge',
      'How slow the engine is beside the others of its model; 1 is as the median.',
      ({ pace, base }) => accounts.group(base).slowness(pace, now),
    ),
  ];
}
