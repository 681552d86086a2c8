// Every hook a plugin may implement, in three kinds with three contracts:
//
//   decide     answer or not         undefined = no opinion; any refusal denies; at least one yes is needed
//   transform  change or refuse      return the changed thing, a refusal, or undefined to leave it
//   observe    watch                 returns nothing, never awaited; what it throws is logged and counted
//
// A decide or transform hook may return a promise: only that one client waits for it.
import type { ConnectPacket, Packet, QoS, ReasonCode, RetainHandling, UserProperties, Will } from "@wrenmq/codec";
import type { DropReason, StoredMessage, Verdict } from "@wrenmq/protocol";
import type { Attempt } from "./chain/attempt.ts";
import type { ClientInfo, SessionInfo } from "./client-info.ts";

export type MaybePromise<T> = T | Promise<T>;

/** true: allowed; false: not authorized (0x87); undefined: this plugin has no opinion. */
export type Decision = boolean | Verdict | undefined;

/** A yes of `authenticate`, with what the credentials say about the client. */
export interface Identity extends Verdict {
  /** Replaces the user name of CONNECT. */
  readonly username?: string | undefined;
  /** Epoch milliseconds at which the credentials expire and the client is disconnected. */
  readonly expiresAt?: number | undefined;
  /**
   * Merged into `client.attributes`; use a name of your own as key. One name has a meaning: `anonymous: true` says that
   * no credentials were checked; it stays only when every plugin that said yes says so.
   */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
}

export type Action = "publish" | "subscribe" | "receive";

/** A message as plugins get it; `payload` is a copy that the plugin may keep. */
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

/** One step of enhanced authentication. [MQTT5 4.12] */
export type AuthenticationStep =
  | { readonly status: "continue"; readonly data?: Uint8Array }
  | { readonly status: "success"; readonly data?: Uint8Array; readonly identity?: Partial<Identity> }
  | { readonly status: "failure"; readonly reasonCode?: ReasonCode; readonly reasonString?: string };

/** One exchange with one client, beginning with its CONNECT or re-authentication. */
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
  /**
   * May this authenticated client connect (bans, quotas)? For refusals only: when no plugin has an opinion the client
   * is admitted.
   */
  authorizeConnect(client: ClientInfo): MaybePromise<Decision>;
  /**
   * May the client publish to the topic, subscribe to the filter, or receive a message of the topic? The answer is
   * cached per connection, action and topic until the rules change (`context.rulesChanged()`).
   */
  authorize(client: ClientInfo, action: Action, topic: string): MaybePromise<Decision>;
}

export interface TransformHooks {
  /** Called before the CONNECT packet is used for anything else. */
  connect(client: ClientInfo, packet: ConnectPacket): MaybePromise<ConnectPacket | Verdict | undefined>;
  /** After authorisation, before the message is retained and routed. */
  publish(client: ClientInfo, message: PluginMessage): MaybePromise<PluginMessage | Verdict | undefined>;
  subscribe(
    client: ClientInfo,
    subscription: SubscriptionRequest,
  ): MaybePromise<SubscriptionRequest | Verdict | undefined>;
  /** Called for the will of a CONNECT. */
  will(client: ClientInfo, will: Will): MaybePromise<Will | Verdict | undefined>;
}

/**
 * Follows single messages through the broker, for tracing. Messages that are not followed cost one test, and no copy is made
 * of them.
 */
export interface MessageTracing {
  /** The fraction of messages that is followed, 0 to 1. */
  readonly ratio: number;
  /** Messages with a user property of this name are followed too, whatever the ratio says. */
  readonly userProperty?: string | undefined;
  /**
   * A PUBLISH of a client has passed every check and is about to be routed.
   * @returns undefined: this message is not followed after all
   */
  begin(client: ClientInfo, message: PluginMessage): MessageTrace | undefined;
}

/** One message that is followed. It is called in the same turn in which it was begun, until `end`. */
export interface MessageTrace {
  /** Replace the user properties of the message. They do so for every subscriber, and for other brokers. */
  readonly userProperties?: UserProperties | undefined;
  /** The PUBLISH to a client is on its way. */
  delivered(clientId: string, qos: number): void;
  /** The message waits in the queue of a session. */
  queued(clientId: string): void;
  dropped(clientId: string, reason: DropReason): void;
  /**
   * The message has been given to every session of this broker; one whose plugins have not answered yet gets it later.
   * @param reasonCode 0x00, 0x10 (nobody subscribes) or a refusal; undefined: the acknowledgement waits
   */
  end(reasonCode: ReasonCode | undefined): void;
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
  /** A PUBLISH has arrived; nothing has been checked. */
  received(client: ClientInfo, message: PluginMessage): void;
  /** A PUBLISH has passed every check and has been routed. */
  published(client: ClientInfo | undefined, message: PluginMessage): void;
  delivered(client: ClientInfo, message: PluginMessage, qos: QoS): void;
  /** The subscriber has acknowledged (QoS 1: PUBACK; QoS 2: PUBCOMP). */
  acknowledged(client: ClientInfo, packetId: number): void;
  /**
   * A message was not delivered to a client, or was refused.
   * @param clientId with the side `subscriber` the client that did not get it; with `publisher` the client whose
   * message was refused, "" where the server published it
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
  /**
   * Enhanced authentication methods by name: called for each CONNECT, and for each re-authentication, with that method.
   * [MQTT5 4.12]
   */
  readonly authenticationMethods?: Readonly<Record<string, (client: ClientInfo) => AuthenticationExchange>>;
  /**
   * Topic filters that begin with `$`, such as `$shadow/#`: topics that the plugin answers. Clients may publish to them also
   * where the broker refuses other topics of this kind (its option `dollarTopics`), if the access rules allow it.
   */
  readonly dollarTopics?: readonly string[];
  /** Follows single messages through the broker. */
  readonly tracing?: MessageTracing;
  /**
   * Releases the plugin's connections, files and threads. Called after `brokerStopping`, when the broker stops and when
   * another set of plugins replaces this one; of the other hooks only `brokerStopped` is called after it.
   */
  close?(): MaybePromise<void>;
};

export type { UserProperties };

/** Which client the identifier of `dropped` names. */
export type DropSide = "subscriber" | "publisher";
