// What the acknowledgement of one PUBLISH waits for. The caller of `Router.publish` owns it and reuses it for the next
// message; the router fills it. For most messages it stays empty, and nothing is allocated.
import type { BatchWaiter, ForwardBatch, ForwardTicket } from "@wrenmq/cluster";
import { DeliveryResult, type Session } from "@wrenmq/protocol";

export class PublishWaits {
  /** Is there nothing to wait for? */
  isEmpty: boolean = true;
  /** A fact of the message was recorded and may not be durable yet. */
  recorded: boolean = false;
  /** A peer does not read as fast as it is sent to. */
  peerBackpressure: boolean = false;
  /** Deliveries that wait for a plugin; each resolves with the session if it became congested. */
  authorizations: Promise<Session | undefined>[] | undefined = undefined;
  /** Sessions whose queues are over their bound. */
  readonly congested: Session[] = [];
  /** The answers of peers that have not arrived yet. */
  forwarded: ForwardTicket | ForwardBatch | undefined = undefined;
  /** Can wait for several messages together; undefined: each gets a ticket of its own. */
  readonly batchWaiter: BatchWaiter | undefined;
  /** The session of the publisher; undefined: no client waits for an acknowledgement. */
  readonly session: Session | undefined;
  /** Of a QoS 2 message, which is held from now on; 0: none is held. Set by the caller. */
  packetId: number = 0;
  /**
   * Does the publisher send the message again until it is acknowledged, so that it may come twice? Set by the caller.
   */
  isSentAgain: boolean = false;

  constructor(batchWaiter?: BatchWaiter, session?: Session) {
    this.batchWaiter = batchWaiter;
    this.session = session;
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
