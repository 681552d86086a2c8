import { PacketIdSet } from "./packet-id-set.ts";

// Packet identifiers of inbound QoS 2 messages whose PUBREL has not arrived [MQTT-4.3.3-10], and which of them have no
// acknowledgement yet: sent again, on this connection or a later one, such a message waits for the same outcome.
export class HeldIdentifiers {
  readonly #held = new PacketIdSet();
  #unanswered: PacketIdSet | undefined = undefined;

  get size(): number {
    return this.#held.size;
  }

  has(packetId: number): boolean {
    return this.#held.has(packetId);
  }

  add(packetId: number): void {
    this.#held.add(packetId);
  }

  delete(packetId: number): boolean {
    this.#unanswered?.delete(packetId);
    return this.#held.delete(packetId);
  }

  isUnanswered(packetId: number): boolean {
    return this.#unanswered?.has(packetId) === true;
  }

  /** The message must not be acknowledged yet. */
  defer(packetId: number): void {
    this.#unanswered ??= new PacketIdSet();
    this.#unanswered.add(packetId);
  }

  /** @returns false: it was acknowledged before */
  answered(packetId: number): boolean {
    return this.#unanswered?.delete(packetId) === true;
  }
}
