// A client that keeps to the standard, the pure server machine, and a network between them that loses what is under way.
import { encode, encodeUtf8, type Packet, PacketDecoder, type PublishPacket } from "@wrenmq/codec";
import { DEFERRED } from "../../src/index.ts";
import { type DrivenConnection, MachineDriver } from "./machine.ts";
import { message } from "./messages.ts";

export type Event =
  | { readonly do: "publish" | "deliver"; readonly qos: 1 | 2 }
  /** Bytes move: towards the server, towards the client. */
  | { readonly do: "up" | "down"; readonly bytes: number }
  /** An acknowledgement that the server put off may be sent. */
  | { readonly do: "settle" }
  | { readonly do: "cut" };

/** What the server allows a client to have in flight, and the other way round. */
const WINDOW = 4;

interface Outgoing {
  readonly payload: string;
  readonly qos: 1 | 2;
  packetId: number;
  released: boolean;
}

export class LossyNetwork {
  readonly driver: MachineDriver;
  /** Messages that the server took, and that the client took, in order. */
  readonly atServer: string[] = [];
  readonly atClient: string[] = [];
  readonly #version: 4 | 5;
  readonly #unsettled: { readonly connection: DrivenConnection; readonly packetId: number }[] = [];
  #connection!: DrivenConnection;
  #decoder!: PacketDecoder;
  #up: number[] = [];
  #down: number[] = [];
  #connected = false;
  // The client's session.
  #waiting: Outgoing[] = [];
  #inFlight: Outgoing[] = [];
  readonly #inbound = new Set<number>();
  #lastPacketId = 0;
  #sent = { client: 0, server: 0 };

  /** @param defers the server acknowledges later, as it does when it has to write down first */
  constructor(version: 4 | 5, defers: boolean) {
    this.#version = version;
    this.driver = new MachineDriver({
      capabilities: { receiveMaximum: WINDOW },
      limits: { maxQueuedMessages: 10_000 },
      publish: (one, connection, packetId) => {
        this.atServer.push(String.fromCharCode(...one.payload));
        if (!defers || one.qos === 0) return 0;
        this.#unsettled.push({ connection, packetId });
        return DEFERRED;
      },
    });
    this.#connect();
  }

  play(events: readonly Event[]): void {
    for (const event of events) {
      if (event.do === "publish") {
        this.#waiting.push({
          payload: `c${event.qos}-${++this.#sent.client}`,
          qos: event.qos,
          packetId: 0,
          released: false,
        });
        this.#start();
      } else if (event.do === "deliver") {
        const one = message(this.driver.topics, "t", `s${event.qos}-${++this.#sent.server}`, { qos: event.qos });
        const options = { qos: event.qos, retain: false, subscriptionIdentifiers: undefined };
        this.driver.session("me").deliver(one, options, this.driver.now);
      } else if (event.do === "up") this.#moveUp(event.bytes);
      else if (event.do === "down") this.#moveDown(event.bytes);
      else if (event.do === "settle") this.#settle();
      else this.#cut();
    }
  }

  /** No more losses: until nothing moves any more. */
  heal(): void {
    this.#cut();
    for (let round = 0; round < 10_000; round++) {
      this.#settle();
      const moved = this.#moveUp(1_000_000) + this.#moveDown(1_000_000);
      if (moved === 0 && this.#unsettled.length === 0) return;
    }
    throw new Error("the exchange does not come to an end");
  }

  /** What is left anywhere. */
  get residue(): Record<string, number> {
    const session = this.driver.session("me");
    return {
      waiting: this.#waiting.length,
      inFlight: this.#inFlight.length,
      inbound: this.#inbound.size,
      serverWindow: session.window.size,
      serverQueue: session.queued,
      serverInbound: session.inbound?.size ?? 0,
    };
  }

  get connection(): DrivenConnection {
    return this.#connection;
  }

  #connect(): void {
    this.#connection = this.driver.open();
    this.#decoder = new PacketDecoder({ version: this.#version });
    this.#connected = false;
    this.#send({
      type: "connect",
      protocolVersion: this.#version,
      clientId: "me",
      cleanStart: false,
      keepAlive: 0,
      ...(this.#version === 5 ? { properties: { sessionExpiryInterval: 0xffff_ffff, receiveMaximum: WINDOW } } : {}),
    });
  }

  #cut(): void {
    this.#connection.cut();
    this.#up = [];
    this.#down = [];
    this.#connect();
  }

  #send(packet: Packet): void {
    this.#up.push(...encode(packet, this.#version));
  }

  #moveUp(count: number): number {
    const bytes = this.#up.splice(0, count);
    if (bytes.length > 0) this.#connection.receive(Uint8Array.from(bytes));
    return bytes.length;
  }

  #moveDown(count: number): number {
    this.#down.push(...this.#connection.taken());
    const bytes = this.#down.splice(0, count);
    for (const packet of this.#decoder.push(Uint8Array.from(bytes))) this.#came(packet);
    return bytes.length;
  }

  #settle(): void {
    const one = this.#unsettled.shift();
    if (one?.connection === this.#connection) this.#connection.machine.publishSettled(one.packetId, 0);
  }

  #start(): void {
    while (this.#connected && this.#waiting.length > 0 && this.#inFlight.length < WINDOW) {
      const one = this.#waiting.shift() as Outgoing;
      do this.#lastPacketId = (this.#lastPacketId % 6) + 1;
      while (this.#inFlight.some(({ packetId }) => packetId === this.#lastPacketId));
      one.packetId = this.#lastPacketId;
      this.#inFlight.push(one);
      this.#send(publishOf(one, false));
    }
  }

  #came(packet: Packet): void {
    switch (packet.type) {
      case "connack":
        this.#connected = true;
        for (const one of this.#inFlight) {
          if (one.released) this.#send({ type: "pubrel", packetId: one.packetId, reasonCode: 0 });
          else this.#send(publishOf(one, true));
        }
        this.#start();
        return;
      case "puback":
      case "pubcomp":
        this.#inFlight = this.#inFlight.filter(({ packetId }) => packetId !== packet.packetId);
        this.#start();
        return;
      case "pubrec": {
        const one = this.#inFlight.find(({ packetId }) => packetId === packet.packetId);
        if (one !== undefined) one.released = true;
        this.#send({ type: "pubrel", packetId: packet.packetId, reasonCode: 0 });
        return;
      }
      case "pubrel":
        this.#inbound.delete(packet.packetId);
        this.#send({ type: "pubcomp", packetId: packet.packetId, reasonCode: 0 });
        return;
      case "publish":
        this.#message(packet);
        return;
      default:
        throw new Error(`a ${packet.type} came`);
    }
  }

  #message({ qos, packetId = 0, payload }: PublishPacket): void {
    if (qos === 1 || !this.#inbound.has(packetId)) this.atClient.push(String.fromCharCode(...payload));
    if (qos === 2) this.#inbound.add(packetId);
    this.#send({ type: qos === 1 ? "puback" : "pubrec", packetId, reasonCode: 0 });
  }
}

function publishOf({ payload, qos, packetId }: Outgoing, dup: boolean): PublishPacket {
  return { type: "publish", topic: "t", payload: encodeUtf8(payload), qos, packetId, dup, retain: false };
}
