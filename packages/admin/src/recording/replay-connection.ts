// One connection of a replayed client: sends what was recorded, and keeps what the simulated broker answers.
import { encode, type Packet, PacketDecoder, type ProtocolVersion } from "@wrenmq/codec";
import type { ExternalConnection } from "@wrenmq/transport";
import type { TracedPacket } from "../trace/records.ts";

export interface Recorded {
  readonly at: number;
  readonly packet: TracedPacket;
}

/** Outgoing packet identifiers by the order in which they were first used: they may differ between two runs. */
class Order {
  readonly #places = new Map<number, number>();
  readonly #ids: number[] = [];

  sent(packet: { readonly type: string; readonly packetId?: unknown; readonly dup?: unknown }): void {
    const { type, packetId, dup } = packet;
    if (type !== "publish" || typeof packetId !== "number" || (dup === true && this.#places.has(packetId))) return;
    this.#places.set(packetId, this.#ids.length);
    this.#ids.push(packetId);
  }

  placeOf(packetId: number): number | undefined {
    return this.#places.get(packetId);
  }

  idAt(place: number): number | undefined {
    return this.#ids[place];
  }
}

const ACKNOWLEDGES: ReadonlySet<string> = new Set(["puback", "pubrec", "pubcomp"]);

export class ReplayConnection {
  readonly version: ProtocolVersion;
  /** What was recorded. */
  readonly expected: Recorded[] = [];
  /** What the simulated broker has sent. */
  readonly found: Packet[] = [];
  isClosed: boolean = false;
  /** The client has sent DISCONNECT. */
  hasLeft: boolean = false;
  readonly #transport: ExternalConnection;
  readonly #recordedOrder = new Order();
  readonly #replayedOrder = new Order();

  constructor(transport: ExternalConnection, version: ProtocolVersion) {
    this.version = version;
    this.#transport = transport;
    const decoder = new PacketDecoder({ version });
    transport.attach({
      data: (bytes, start, end) => {
        for (const packet of decoder.push(bytes.slice(start, end))) {
          this.#replayedOrder.sent(packet);
          this.found.push(packet);
        }
      },
      drain: () => {},
      closed: () => {
        this.isClosed = true;
      },
    });
  }

  expects(recorded: Recorded): void {
    this.expected.push(recorded);
    this.#recordedOrder.sent(recorded.packet);
  }

  /** @throws InvalidPacketError, PacketRangeError: the packet cannot be one */
  send(packet: Packet): void {
    if (this.isClosed) return;
    if (packet.type === "disconnect") this.hasLeft = true;
    const { type } = packet;
    const bytes = encode(ACKNOWLEDGES.has(type) ? this.#translated(packet) : packet, this.version);
    this.#transport.write(bytes);
  }

  /** What was answered until now does not count. */
  forget(): void {
    this.found.length = 0;
  }

  cut(): void {
    this.#transport.destroy();
  }

  /** An acknowledgement of the same message. */
  #translated(packet: Packet): Packet {
    const { packetId = 0 } = packet as { readonly packetId?: number };
    const place = this.#recordedOrder.placeOf(packetId);
    const id = place === undefined ? undefined : this.#replayedOrder.idAt(place);
    return id === undefined ? packet : ({ ...packet, packetId: id } as Packet);
  }
}
