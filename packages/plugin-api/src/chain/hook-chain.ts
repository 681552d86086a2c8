// The interface between the broker and the hooks of all plugins. A hook that no plugin has is undefined, so the hot
// path pays one test for it and nothing else.
import type { ConnectPacket, Will } from "@wrenmq/codec";
import type { Verdict } from "@wrenmq/protocol";
import type { ClientInfo } from "../client-info.ts";
import type {
  Action,
  AuthenticationExchange,
  Identity,
  MaybePromise,
  MessageTrace,
  ObserveHooks,
  PluginMessage,
  SubscriptionRequest,
  UserProperties,
} from "../hooks.ts";
import type { WhenGone } from "./attempt.ts";
import type { Opinion } from "./opinion.ts";

/** What decides whether a message is followed; the broker's own message will do, without a copy. */
export interface FollowedMessage {
  readonly properties: { readonly userProperties?: UserProperties | undefined } | undefined;
}

export interface TracingChain {
  /** Called for every message: nothing is made for it. */
  wants(message: FollowedMessage): boolean;
  begin(client: ClientInfo, message: PluginMessage): MessageTrace | undefined;
}

/**
 * What the broker calls. It never throws and never rejects: a hook that fails counts as a refusal (decide, transform)
 * or is logged.
 */
export interface HookChain {
  /** @param whenGone registers what to call when the client disconnects before there is an answer */
  authenticate(client: ClientInfo, password: Uint8Array | undefined, whenGone?: WhenGone): MaybePromise<Identity>;
  readonly authorizeConnect: ((client: ClientInfo) => MaybePromise<Verdict>) | undefined;
  /** undefined: no plugin decides about topics, everything is allowed */
  readonly authorize: ((client: ClientInfo, action: Action, topic: string) => MaybePromise<Verdict>) | undefined;
  readonly authenticationMethods: ReadonlyMap<string, (client: ClientInfo) => AuthenticationExchange>;
  readonly connect: ((client: ClientInfo, packet: ConnectPacket) => MaybePromise<ConnectPacket | Verdict>) | undefined;
  readonly publish: ((client: ClientInfo, message: PluginMessage) => MaybePromise<PluginMessage | Verdict>) | undefined;
  /** undefined: no plugin follows messages */
  readonly tracing: TracingChain | undefined;
  readonly subscribe:
    | ((client: ClientInfo, subscription: SubscriptionRequest) => MaybePromise<SubscriptionRequest | Verdict>)
    | undefined;
  readonly will: ((client: ClientInfo, will: Will) => MaybePromise<Will | Verdict>) | undefined;
  /** Each observer calls the hooks of that name of all plugins; undefined where there are none. */
  readonly observe: { readonly [Name in keyof ObserveHooks]: ObserveHooks[Name] | undefined };
  /** Of all plugins: filters of topics beginning with `$` to which clients may publish in any case. */
  readonly dollarTopics?: readonly string[];
  /** What each plugin that decides about topics says, in order. The calls have no other effect. */
  explain?(client: ClientInfo, action: Action, topic: string): MaybePromise<readonly Opinion[]>;
}
