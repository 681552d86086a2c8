// The interfaces through which a session reports: to the broker that serves it, and to the store.
import type { DropReason } from "../counters.ts";
import type { Message } from "../message/message.ts";
import type { Delivery, DeliveryOptions } from "./delivery.ts";
import type { OutboundState } from "./outbound-transitions.ts";

/** Reports what happens to messages. Functions that are not needed are undefined. */
export interface SessionEventsOf<Session> {
  dropped(session: Session, message: Message, reason: DropReason): void;
  /** @param waited did it wait in the queue? */
  readonly delivered:
    | ((session: Session, message: Message, options: DeliveryOptions, waited: boolean) => void)
    | undefined;
  /** It waits in the queue from now on. */
  readonly queued?: ((session: Session, message: Message, options: DeliveryOptions) => void) | undefined;
  readonly acknowledged: ((session: Session, packetId: number) => void) | undefined;
  /** The queue has passed its bound and publishers wait from now on: call `stopHolding` when that takes too long. */
  congested(session: Session): void;
  /** A session that did not keep up has sent half of its queue; `dropped` messages were lost meanwhile. */
  caughtUp(session: Session, dropped: number): void;
  /**
   * Do the access rules still allow a message that was queued before they changed? undefined: not known yet; call
   * `pump` when it is.
   */
  mayReceive(session: Session, message: Message): boolean | undefined;
}

/** Records the facts of a stored session. */
export interface FactSinkOf<Session> {
  /** May a queued message be put in flight now? Without it: always. For a new one `seq` is Infinity. */
  mayStart?(session: Session, seq: number): boolean;
  enqueued(session: Session, delivery: Delivery, packetId: number): void;
  advanced(session: Session, delivery: Delivery, packetId: number, state: OutboundState): void;
  settled(session: Session, delivery: Delivery): void;
  held(session: Session, packetId: number, isTold: boolean): void;
  released(session: Session, packetId: number): void;
}
