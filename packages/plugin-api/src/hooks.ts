// Every hook a plugin may implement, in three kinds with three contracts:
//
//   decide     answer or abstain     undefined = no opinion; any refusal denies; at least one yes is needed
//   transform  change or refuse      return the changed thing, a refusal, or undefined to leave it
//   observe    watch                 returns nothing, never awaited; what it throws is logged and counted
//
// A decide or transform hook may return a promise: only that one client waits for it.
import type { ConnectPacket, Packet, QoS, ReasonCode, RetainHandling, UserProperties, Will } from "@wrenmq/codec";
import type { DropReason, StoredMessage, Verdict } from "@wrenmq/protocol";
import type { Attempt } from "./chain/attempt.ts";
import type { ClientInfo, SessionInfo } from "./client-info.ts";

export type MaybePromise<T> = T | Promise<T>;

/** true and false are short for "allowed" and "not authorized". undefined: this plugin has no opinion. */
export type Decision = boolean | Verdict | undefined;

/** A yes of `authenticate` may carry what the credentials say about the client. */
export interface Identity extends Verdict {
  /** Replaces the user name of the CONNECT packet. */
  readonly username?: string | undefined;
  /** Epoch milliseconds: when the credentials run out the client is disconnected. */
  readonly expiresAt?: number | undefined;
  /**
   * Merged into `client.attributes`; use a name of your own as key. One name has a meaning: `anonymous: true` says that
   * nobody checked who the client is; it stays only when every plugin that said yes says so.
   */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
}

export type Action = "publish" | "subscribe" | "receive";

/** One message in the hands of a plugin; `payload` is a copy that the plugin may keep. */
export type PluginMessage = Pick<StoredMessage, "topic" | "payload" | "qos" | "retain" | "properties"> & {
  readonly publisher: string;
};

export interface SubscriptionRequest {
  readonly topicFilter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: RetainHandling;
}

/** One step of enhanced authentication (MQTT 5.0, section 4.12). */
export type AuthenticationStep =
  | { readonly status: "continue"; readonly data?: Uint8Array }
  | { readonly status: "success"; readonly data?: Uint8Array; readonly identity?: Partial<Identity> }
  | { readonly status: "failure"; readonly reasonCode?: ReasonCode; readonly reasonString?: string };

/** One exchange with one client, from its CONNECT (or re-authentication) on. */
export interface AuthenticationExchange {
  next(data: Uint8Array | undefined): MaybePromise<AuthenticationStep>;
}

export type { DropReason };

export interface DecideHooks {
  /** User name and password of CONNECT. `password` must not be kept or logged. */
  authenticate(
    client: ClientInfo,
    password: Uint8Array | undefined,
    attempt: Attempt,
  ): MaybePromise<boolean | Identity | undefined>;
  /** May this authenticated client connect at all (bans, quotas)? Denials only: abstaining everywhere lets it in. */
  authorizeConnect(client: ClientInfo): MaybePromise<Decision>;
  /**
   * May the client publish to the topic, subscribe to the filter, or be sent a message of the topic? The answer is kept
   * per connection, action and topic until the rules change (`context.rulesChanged()`).
   */
  authorize(client: ClientInfo, action: Action, topic: string): MaybePromise<Decision>;
}

export interface TransformHooks {
  /** Before anything else looks at the CONNECT packet. */
  connect(client: ClientInfo, packet: ConnectPacket): MaybePromise<ConnectPacket | Verdict | undefined>;
  /** After authorisation, before the message is retained and routed. */
  publish(client: ClientInfo, message: PluginMessage): MaybePromise<PluginMessage | Verdict | undefined>;
  subscribe(
    client: ClientInfo,
    subscription: SubscriptionRequest,
  ): MaybePromise<SubscriptionRequest | Verdict | undefined>;
  /** When the will is set, at CONNECT. */
  will(client: ClientInfo, will: Will): MaybePromise<Will | Verdict | undefined>;
}

export interface ObserveHooks {
  brokerStarting(): void;
  brokerStarted(): void;
  brokerStopping(): void;
  brokerStopped(): void;
  connected(client: ClientInfo): void;
  disconnected(client: ClientInfo, reasonCode: ReasonCode): void;
  /** A CONNECT was refused. */
  refused(client: ClientInfo, verdict: Verdict): void;
  subscribed(client: ClientInfo, subscription: SubscriptionRequest, reasonCode: ReasonCode): void;
  unsubscribed(client: ClientInfo, topicFilter: string): void;
  /** A PUBLISH came in, before it is checked. */
  received(client: ClientInfo, message: PluginMessage): void;
  /** A PUBLISH passed every check and went to the router. */
  published(client: ClientInfo | undefined, message: PluginMessage): void;
  delivered(client: ClientInfo, message: PluginMessage, qos: QoS): void;
  /** The subscriber acknowledged (QoS 1: PUBACK; QoS 2: PUBCOMP). */
  acknowledged(client: ClientInfo, packetId: number): void;
  /**
   * A message did not reach somebody.
   * @param clientId with the side `subscriber` the client that did not get it; with `publisher` the client whose message
   * was refused, "" where the server published it
   */
  dropped(clientId: string, message: PluginMessage, reason: DropReason, side: DropSide): void;
  retained(message: PluginMessage): void;
  retainedCleared(topic: string): void;
  sessionCreated(session: SessionInfo): void;
  sessionResumed(session: SessionInfo): void;
  sessionTakenOver(session: SessionInfo): void;
  sessionEnded(session: SessionInfo, reason: "expired" | "clean" | "otherUser" | "removed"): void;
  packetReceived(client: ClientInfo | undefined, packet: Packet): void;
  packetSent(client: ClientInfo | undefined, packet: Packet): void;
}

export type Hooks = Partial<DecideHooks & TransformHooks & ObserveHooks> & {
  /** Enhanced authentication methods by name: called for each CONNECT (and re-authentication) that names one. */
  readonly authenticationMethods?: Readonly<Record<string, (client: ClientInfo) => AuthenticationExchange>>;
  /**
   * Gives back what the plugin holds: connections, files, threads. Called after `brokerStopping`, when the broker stops
   * and when another set of plugins takes over; no other hook of this plugin is called afterwards but `brokerStopped`.
   */
  close?(): MaybePromise<void>;
};

export type { UserProperties };

/** Whose client identifier `dropped` gives. */
export type DropSide = "subscriber" | "publisher";
