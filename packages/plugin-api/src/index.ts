export type { ClientInfo, PeerCertificate, SessionInfo } from "./client-info.ts";
export type { HookChain } from "./hook-chain.ts";
export type {
  Action,
  AuthenticationExchange,
  AuthenticationStep,
  DecideHooks,
  Decision,
  DropReason,
  Hooks,
  Identity,
  MaybePromise,
  ObserveHooks,
  PluginMessage,
  SubscriptionRequest,
  TransformHooks,
} from "./hooks.ts";
export type { Logger, Plugin, PluginContext, PluginDefinition, PublishOptions } from "./plugin.ts";
export type { StandardResult, StandardSchema } from "./standard-schema.ts";
