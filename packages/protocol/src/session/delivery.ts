// One message for one session: what a queue and the window of messages in flight hold.
import type { QoS } from "@wrenmq/codec";
import type { Message } from "../message/message.ts";
import type { Seconds } from "../time.ts";

/** What makes one delivery differ from the message itself. */
export interface DeliveryOptions {
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
}

export class Delivery {
  readonly message: Message;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  /** Orders the deliveries of one session; 0 in a session that is not stored. */
  readonly seq: number;
  /** When it was put into its queue, in seconds since 1970; 0: not known. Whole seconds: a small integer costs no memory of its own. */
  queuedAt: Seconds = 0;

  constructor(
    message: Message,
    qos: 1 | 2,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] | undefined,
    seq: number,
  ) {
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.subscriptionIdentifiers = subscriptionIdentifiers;
    this.seq = seq;
  }
}
