// The receiver's part of a session as MQTT demands: QoS 2 identifiers are kept until PUBREL, across connections;
// acknowledgements are sent in the order of arrival, some of them late, so that crashes find messages in flight.
import type { Packet, PublishPacket } from "@wrenmq/codec";
import type { Random } from "../random.ts";
import type { Cancel, World } from "../world.ts";
import type { ClientLink } from "./link.ts";

export class Receiver {
  readonly #world: World;
  readonly #random: Random;
  readonly #deliver: (packet: PublishPacket) => void;
  /** QoS 2 identifiers whose message has arrived and whose PUBREL has not. */
  readonly #held = new Set<number>();
  #acks: Packet[] = [];
  #timer: Cancel | undefined;

  constructor(world: World, deliver: (packet: PublishPacket) => void) {
    this.#world = world;
    this.#random = world.random.fork();
    this.#deliver = deliver;
  }

  /** A connection has ended: pending acknowledgements are dropped. */
  lost(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#acks = [];
  }

  /** The session has ended. */
  forget(): void {
    this.lost();
    this.#held.clear();
  }

  /** @returns was it a packet of a delivery? */
  take(packet: Packet, link: ClientLink | undefined): boolean {
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

  #acknowledge(ack: Packet, link: ClientLink | undefined): void {
    this.#acks.push(ack);
    if (this.#timer !== undefined) return;
    const say = (): void => {
      this.#timer = undefined;
      const acks = this.#acks;
      this.#acks = [];
      for (const one of acks) link?.send(one);
    };
    if (this.#random.chance(0.7)) say();
    else this.#timer = this.#world.setTimer(say, this.#random.between(1, 30));
  }
}
