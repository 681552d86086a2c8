// What the acknowledgement of one PUBLISH has to wait for. The caller of `Router.publish` owns it and uses it again for
// the next message; the router fills it. For most messages it stays empty, and nothing is allocated.
import type { BatchWaiter, ForwardBatch, ForwardTicket } from "@wrenmq/cluster";
import { DeliveryResult, type Session } from "@wrenmq/protocol";

export class PublishWaits {
  /** Is there nothing to wait for? */
  isEmpty: boolean = true;
  /** A fact of the message was recorded, and may not be durable yet. */
  recorded: boolean = false;
  /** A peer does not take as much as it is sent. */
  peerBackpressure: boolean = false;
  /** Deliveries that wait for a plugin, each with the session that became congested by it. */
  authorizations: Promise<Session | undefined>[] | undefined = undefined;
  /** Sessions whose queues are over their bound. */
  readonly congested: Session[] = [];
  /** Peers that have not answered yet. */
  forwarded: ForwardTicket | ForwardBatch | undefined = undefined;
  /** Who can wait for several messages together; undefined: each gets a ticket of its own. */
  readonly batchWaiter: BatchWaiter | undefined;

  constructor(batchWaiter?: BatchWaiter) {
    this.batchWaiter = batchWaiter;
  }

  clear(): void {
    this.isEmpty = true;
    this.recorded = false;
    this.peerBackpressure = false;
    this.authorizations = undefined;
    if (this.congested.length > 0) this.congested.length = 0;
    this.forwarded = undefined;
  }

  /** @param result bits of `DeliveryResult` */
  delivered(session: Session, result: number): void {
    this.isEmpty = false;
    if ((result & DeliveryResult.Recorded) !== 0) this.recorded = true;
    if ((result & DeliveryResult.Congested) !== 0) this.congested.push(session);
  }

  factRecorded(): void {
    this.isEmpty = false;
    this.recorded = true;
  }

  authorizes(delivery: Promise<Session | undefined>): void {
    this.isEmpty = false;
    this.authorizations ??= [];
    this.authorizations.push(delivery);
  }

  forwardedTo(peers: ForwardTicket | ForwardBatch): void {
    this.isEmpty = false;
    this.forwarded = peers;
  }

  peersAreCongested(): void {
    this.isEmpty = false;
    this.peerBackpressure = true;
  }
}
