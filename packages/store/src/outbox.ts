// What brokers that act as one remember of messages on their way between them: the sender what it has to send until all
// have it, the receiver up to where it has it. Two stores cannot commit together: a number that both know stands in.
import type { StoredMessage } from "@wrenmq/protocol";

/** For whom a message in the outbox is. */
export type OutboxTarget =
  /** Another broker, by its number among those that act as one. */
  | ({ readonly kind: "member"; readonly member: number } & ForwardedTo)
  /** Every broker: their number has changed since, and the sessions that `homes` names may be anywhere. */
  | ({ readonly kind: "everywhere" } & ForwardedTo)
  /** Not known yet: it is to be routed when all brokers have said what they want. */
  | { readonly kind: "unrouted" }
  /** A session of this broker, which a plugin has not yet allowed or refused to receive the message. */
  | {
      readonly kind: "session";
      readonly clientId: string;
      readonly qos: 1 | 2;
      readonly retain: boolean;
      readonly subscriptionIdentifiers: readonly number[] | undefined;
      /** The shared subscription for which it was chosen: others get the message when it has ended. */
      readonly sharedFilter: string | undefined;
    };

interface ForwardedTo {
  /** Subscribers there. */
  readonly plain: boolean;
  /** Shared subscriptions for which it was chosen. */
  readonly groups: readonly string[];
  /** When the topic's retained message was set; 0: it is not to be retained. */
  readonly retainedAt: number;
  /** Only for sessions of whom all of these hold. */
  readonly homes: readonly Homes[];
}

/** Its home was broker `home` when there were `count`. */
export interface Homes {
  readonly home: number;
  readonly count: number;
}

/** A message that is kept until everybody it is for has it. */
export interface OutboxEntry {
  /** Grows with each entry of the store and is never used again. */
  readonly number: number;
  /** Of the process that made the entry: its numbers mean nothing without. See `OriginRecord`. */
  readonly run: number;
  /** The message's number in this store: queues may refer to the same message. */
  readonly messageId: number;
  /** The client and the packet identifier that are acknowledged when everybody has the message; 0: nobody waits. */
  readonly clientId: string;
  readonly packetId: number;
  readonly targets: readonly OutboxTarget[];
}

export interface OutboxMessage {
  readonly entry: OutboxEntry;
  readonly message: StoredMessage;
}

/** When the retained message of a topic was set or cleared, as brokers that act as one agree on: later ones are larger. */
export interface RetainedStamp {
  readonly topic: string;
  readonly setAt: number;
  /** False: there is none since. */
  readonly isSet: boolean;
}

/** Up to where this broker has taken what another one had in its outbox. */
export interface OriginRecord {
  /** Identity of the other broker's store, and the run of its process: chosen by chance at each start, so that numbers cannot
   * be mistaken for others, whatever the other's disk has lost. */
  readonly store: string;
  readonly run: number;
  /** The highest number taken. Numbers come in order: all below it have been taken, too. */
  readonly taken: number;
}

export function originKey({ store, run }: Pick<OriginRecord, "store" | "run">): string {
  return `${run} ${store}`;
}
