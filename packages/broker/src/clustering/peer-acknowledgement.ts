// Answers a peer for a message that it has sent, when the acknowledgement barrier is passed.
import { type ClusterBus, ForwardResult, type Peer } from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { AckReceiver } from "../routing/ack-barrier.ts";

/** The peer waits for an answer. */
export class PeerAcknowledgement implements AckReceiver {
  readonly #bus: ClusterBus;
  readonly #peer: Peer;
  readonly #isHeld: boolean;

  constructor(bus: ClusterBus, peer: Peer, isHeld: boolean) {
    this.#bus = bus;
    this.#peer = peer;
    this.#isHeld = isHeld;
  }

  acknowledge(sequences: readonly number[], reasonCode: ReasonCode): void {
    for (const sequence of sequences) this.#bus.acknowledge(this.#peer, sequence, resultOf(reasonCode));
  }

  isHeld(): boolean {
    return this.#isHeld;
  }
}

export function resultOf(reasonCode: ReasonCode): ForwardResult {
  if (reasonCode >= 0x80) return ForwardResult.Refused;
  return reasonCode === ReasonCode.NoMatchingSubscribers ? ForwardResult.Nobody : ForwardResult.Received;
}
