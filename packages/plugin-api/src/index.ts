// Everything that a plugin needs, with what it needs of the packages below, so that it depends on this package alone.
export { type ConnectPacket, type Packet, type QoS, ReasonCode, type Will } from "@wrenmq/codec";
export { ALLOWED, DENIED, isAllowed, type StoredMessage, type Verdict } from "@wrenmq/protocol";
export type { Attempt, AttemptSignal, WhenGone } from "./chain/attempt.ts";
export { compileHooks } from "./chain/compile-hooks.ts";
export type { FollowedMessage, HookChain } from "./chain/hook-chain.ts";
export { type CompileOptions, DEFAULT_HOOK_TIMEOUT, type HookFailure, type HookTimers } from "./chain/hook-guard.ts";
export type { NamedHooks } from "./chain/named-hooks.ts";
export { isGranted, type Opinion } from "./chain/opinion.ts";
export type { ClientInfo, PeerCertificate, SessionInfo } from "./client-info.ts";
export { definePlugin, type PluginFactory } from "./define-plugin.ts";
export type {
  Action,
  AuthenticationExchange,
  AuthenticationStep,
  DecideHooks,
  Decision,
  DropReason,
  DropSide,
  Hooks,
  Identity,
  MaybePromise,
  MessageTrace,
  MessageTracing,
  ObserveHooks,
  PluginMessage,
  SubscriptionRequest,
  TransformHooks,
  UserProperties,
} from "./hooks.ts";
export { networkOf } from "./network-of.ts";
export type { Logger, Plugin, PluginContext, PluginDefinition, PluginProblem, PublishOptions } from "./plugin.ts";
export { PluginError, type PluginErrorCode } from "./plugin-error.ts";
export type { StandardResult, StandardSchema } from "./standard-schema.ts";
