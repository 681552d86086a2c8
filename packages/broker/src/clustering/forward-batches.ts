// Successive messages of one publisher to one peer share a ticket: most messages between brokers are such.
import { type BatchWaiter, type ClusterBus, ForwardBatch, type ForwardTarget, type Peer } from "@wrenmq/cluster";
import type { Message } from "@wrenmq/protocol";
import type { PublishWaits } from "../routing/publish-waits.ts";

/** For the peer's ordinary subscribers, and not retained: the target of most messages. */
export const PLAIN: ForwardTarget = { plain: true, groups: undefined, retainedAt: 0 };

export class ForwardBatches {
  readonly #bus: ClusterBus;
  /** The last batch, and its peer: the next message can join it if nothing else was sent since. */
  #batch: ForwardBatch | undefined;
  #peer: Peer | undefined;

  constructor(bus: ClusterBus) {
    this.#bus = bus;
  }

  /** Something else is sent: no message may join the last batch. */
  end(): void {
    this.#batch = undefined;
  }

  forward(message: Message, peer: Peer, waiter: BatchWaiter, isWantedHere: boolean, waits: PublishWaits): void {
    let batch: ForwardBatch | undefined;
    if (message.qos > 0) {
      batch = this.#batch;
      if (
        batch?.isOpen !== true ||
        batch.waiter !== waiter ||
        this.#peer !== peer ||
        batch.peersOnly === isWantedHere
      ) {
        batch = new ForwardBatch(waiter, !isWantedHere);
        this.#batch = batch;
        this.#peer = peer;
      }
      waits.forwardedTo(batch);
    }
    this.#bus.forward(peer, message, PLAIN, batch);
    if (this.#bus.congested) waits.peersAreCongested();
  }
}
