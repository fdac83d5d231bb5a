/** What other packages build on: the router as a Nest module, and the contracts of its parts. */
export { RouterModule, type RouterModuleOptions } from './router.module.js';
export type { Settings } from './config/settings.schema.js';
export { SettingsError } from './config/settings-error.js';
export {
  RoutingStrategy,
  type RankContext,
  type StrategyClass,
  type StrategyFigure,
  type StrategyShare,
} from './routing/routing-strategy.js';
export type { PromptBlocks, PromptSource } from './core/prompt-blocks.js';
export type { EngineStats } from './core/prometheus-text.js';
export { EngineDiscovery, type DiscoveryStatus } from './discovery/engine-discovery.js';
export type { DiscoveryProvider } from './discovery/discovery-provider.js';
export type { Engine, EngineSpec, ServedModel } from './core/engine.js';
export type { Candidate, CostTerms, Ranked, Ranking, Signals } from './core/ranking.js';
export type { ApiShape, RequestFacts } from './core/request-facts.js';
export type { AttemptEvent, AttemptOutcome, TokenUsage } from './core/attempt-event.js';
export type { Plugin, PluginApi, PluginFactory } from './plugins.js';
