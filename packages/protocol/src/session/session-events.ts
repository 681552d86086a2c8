// Who is told what becomes of a session and its messages: the broker that serves it, and the store that keeps it.
import type { DropReason } from "../counters.ts";
import type { Message } from "../message/message.ts";
import type { Delivery } from "./delivery.ts";
import type { OutboundState } from "./outbound-transitions.ts";

/** Told what happens to messages. Functions that nobody needs are undefined. */
export interface SessionEventsOf<Session> {
  dropped(session: Session, message: Message, reason: DropReason): void;
  readonly delivered: ((session: Session, message: Message, qos: number) => void) | undefined;
  readonly acknowledged: ((session: Session, packetId: number) => void) | undefined;
  /** The queue has passed its bound and publishers wait from now on: `stopHolding` is to be called when that takes too long. */
  congested(session: Session): void;
  /** A session that did not keep up has worked off half of its queue; `dropped` messages did not reach it meanwhile. */
  caughtUp(session: Session, dropped: number): void;
  /** Do the access rules still allow a message that was queued before they changed? undefined: known later, `pump` again then. */
  mayReceive(session: Session, message: Message): boolean | undefined;
}

/** Remembers the facts of a session that is stored. */
export interface FactSinkOf<Session> {
  /** May a queued message be put in flight now? Without it: always. For a new one `seq` is Infinity. */
  mayStart?(session: Session, seq: number): boolean;
  enqueued(session: Session, delivery: Delivery, packetId: number): void;
  advanced(session: Session, delivery: Delivery, packetId: number, state: OutboundState): void;
  settled(session: Session, delivery: Delivery): void;
  held(session: Session, packetId: number, isTold: boolean): void;
  released(session: Session, packetId: number): void;
}
