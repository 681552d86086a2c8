// The receiving half of a session as MQTT asks for it: QoS 2 identifiers are remembered until PUBREL, across connections;
// acknowledgements go out in the order of arrival, some of them late, so that crashes find messages in flight.
import type { Packet, PublishPacket } from "@wrenmq/codec";
import type { Random } from "../random.ts";
import type { Link } from "./link.ts";

export class Receiver {
  readonly #random: Random;
  readonly #deliver: (packet: PublishPacket) => void;
  /** QoS 2 identifiers whose message has arrived and whose PUBREL has not. */
  readonly #held = new Set<number>();
  #acks: Packet[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(random: Random, deliver: (packet: PublishPacket) => void) {
    this.#random = random;
    this.#deliver = deliver;
  }

  /** A connection ended: what was not said is not said any more. */
  lost(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#acks = [];
  }

  /** @returns was it a packet of a delivery? */
  take(packet: Packet, link: Link | undefined): boolean {
    if (packet.type === "pubrel") {
      this.#held.delete(packet.packetId);
      this.#acknowledge({ type: "pubcomp", packetId: packet.packetId, reasonCode: 0 }, link);
      return true;
    }
    if (packet.type !== "publish") return false;
    const { qos, packetId = 0 } = packet;
    if (qos === 2 && this.#held.has(packetId)) {
      this.#acknowledge({ type: "pubrec", packetId, reasonCode: 0 }, link);
      return true;
    }
    this.#deliver(packet);
    if (qos === 2) this.#held.add(packetId);
    if (qos > 0) this.#acknowledge({ type: qos === 1 ? "puback" : "pubrec", packetId, reasonCode: 0 }, link);
    return true;
  }

  #acknowledge(ack: Packet, link: Link | undefined): void {
    this.#acks.push(ack);
    if (this.#timer !== undefined) return;
    const say = (): void => {
      this.#timer = undefined;
      const acks = this.#acks;
      this.#acks = [];
      for (const one of acks) link?.send(one);
    };
    if (this.#random.chance(0.7)) say();
    else this.#timer = setTimeout(say, this.#random.between(1, 30));
  }
}
