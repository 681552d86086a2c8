// Records of messages in transit between brokers that act as one: the sender stores what it has to send until all have
// it, the receiver up to which number it has them. Two stores cannot commit together, so a number that both have makes
// up for it.
import type { StoredMessage } from "@wrenmq/protocol";

/** The receivers of a message in the outbox. */
export type OutboxTarget =
  /** Another broker, by its number among those that act as one. */
  | ({ readonly kind: "member"; readonly member: number } & ForwardedTo)
  /**
   * Every broker: the number of brokers has changed since, and the sessions that `homes` names may be at any of them.
   */
  | ({ readonly kind: "everywhere" } & ForwardedTo)
  /** Unknown: it will be routed when all brokers have sent their subscriptions. */
  | { readonly kind: "unrouted" }
  /** A session of this broker for which a plugin has not decided yet. */
  | {
      readonly kind: "session";
      readonly clientId: string;
      readonly qos: 1 | 2;
      readonly retain: boolean;
      readonly subscriptionIdentifiers: readonly number[] | undefined;
      /**
       * The shared subscription for which the session was chosen: other members get the message if the session has
       * ended.
       */
      readonly sharedFilter: string | undefined;
    };

interface ForwardedTo {
  /** Ordinary subscribers there. */
  readonly plain: boolean;
  /** Shared subscriptions for which it was chosen. */
  readonly groups: readonly string[];
  /** When the topic's retained message was set; 0: it is not to be retained. */
  readonly retainedAt: number;
  /** Only for sessions for which all of these hold. */
  readonly homes: readonly Homes[];
}

/** The session's home was broker `home` when there were `count`. */
export interface Homes {
  readonly home: number;
  readonly count: number;
}

/** A message that is stored until all its receivers have it. */
export interface OutboxEntry {
  /** Grows with each entry of the store and is never used again. */
  readonly number: number;
  /** The run of the process that has made the entry, which its numbers belong to. See `OriginRecord`. */
  readonly run: number;
  /** The message's identifier in this store: queues may refer to the same message. */
  readonly messageId: number;
  /** The client and the packet identifier to acknowledge when all receivers have the message; 0: none. */
  readonly clientId: string;
  readonly packetId: number;
  readonly targets: readonly OutboxTarget[];
}

export interface OutboxMessage {
  readonly entry: OutboxEntry;
  readonly message: StoredMessage;
}

/**
 * When the retained message of a topic was set or cleared, in an order that all brokers share: later ones are larger.
 */
export interface RetainedStamp {
  readonly topic: string;
  readonly setAt: number;
  /** False: it was cleared. */
  readonly isSet: boolean;
}

/** Up to which number this broker has taken messages from another broker's outbox. */
export interface OriginRecord {
  /**
   * Identity of the other broker's store, and the run of its process. Both are random, so that numbers cannot be
   * mistaken for others, whatever the other disk has lost.
   */
  readonly store: string;
  readonly run: number;
  /** The highest number taken. Numbers come in order: all lower ones have been taken too. */
  readonly taken: number;
}

export function originKey({ store, run }: Pick<OriginRecord, "store" | "run">): string {
  return `${run} ${store}`;
}
