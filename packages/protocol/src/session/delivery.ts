// One message for one session: what a queue and the window of messages in flight hold.
import type { QoS } from "@wrenmq/codec";
import type { Message } from "../message/message.ts";
import type { Seconds } from "../time.ts";

/** What makes one delivery differ from the message itself. */
export interface DeliveryOptions {
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  /**
   * The shared subscription (`$share/…`) in which its session was chosen; absent: it goes to the session's own
   * subscriptions; null: not known, as it was read from the store.
   */
  readonly sharedFilter?: string | null | undefined;
}

export class Delivery {
  readonly message: Message;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  /** Orders the deliveries of one session; 0 in a session that is not stored. */
  readonly seq: number;
  readonly sharedFilter: string | null | undefined;
  /** When it was put into its queue, in seconds since 1970; 0: not known. Whole seconds: a small integer costs no memory of its own. */
  queuedAt: Seconds = 0;

  constructor(
    message: Message,
    qos: 1 | 2,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | undefined,
    seq: number,
    sharedFilter?: string | null,
  ) {
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.subscriptionIdentifiers = subscriptionIdentifiers;
    this.seq = seq;
    this.sharedFilter = sharedFilter;
  }
}
