// A client that keeps to the standard, with a session of its own: it may be slow to answer, and its connection may be cut
// at any time. It counts what it has accepted.
import type { Packet, PublishPacket } from "@wrenmq/codec";
import { type BrokerFixture, type RawClient, text } from "@wrenmq/testkit";

interface Outgoing {
  readonly packet: PublishPacket;
  released: boolean;
}

export interface Accepted {
  readonly payload: string;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

export class ModelClient {
  readonly clientId: string;
  readonly accepted: Accepted[] = [];
  /** Payloads that it sent again: to the broker a PUBLISH of QoS 1 is then a new message. [MQTT-4.3.2-5] */
  readonly resent: Set<string> = new Set();
  /** Answers nothing until it is told to. */
  lazy = false;
  connection: RawClient | undefined;
  readonly #fixture: BrokerFixture;
  #outgoing: Outgoing[] = [];
  #inbound = new Set<number>();
  #lastPacketId = 0;
  #awaitsConnack = false;
  /** Session Present of the last CONNACK. */
  present = false;

  constructor(fixture: BrokerFixture, clientId: string) {
    this.#fixture = fixture;
    this.clientId = clientId;
  }

  get connected(): boolean {
    return this.connection !== undefined;
  }

  connect(version: 4 | 5, cleanStart: boolean, expiry: number, receiveMaximum: number): void {
    const before = this.connection;
    const client = this.#fixture.open(version);
    this.#awaitsConnack = true;
    client.send({
      type: "connect",
      protocolVersion: version,
      clientId: this.clientId,
      cleanStart,
      keepAlive: 0,
      ...(version === 5 ? { properties: { sessionExpiryInterval: expiry, receiveMaximum } } : {}),
    });
    // The connection that is taken over may have packets under way: they are lost to it.
    this.connection = client;
    this.#fixture.clock.run();
    if (before !== undefined && !before.closed) throw new Error("the older connection was not closed");
    const wasLazy = this.lazy;
    this.lazy = false;
    this.#answer(1);
    this.lazy = wasLazy;
    this.run();
  }

  /** @param packet answered by its SUBACK or UNSUBACK */
  ask(packet: Packet): void {
    this.connection?.send(packet);
    this.run();
  }

  publish(topic: string, payload: string, qos: 0 | 1 | 2, lost: boolean): void {
    const packetId = this.#nextPacketId();
    const packet: PublishPacket = {
      type: "publish",
      topic,
      payload: new TextEncoder().encode(payload),
      qos,
      retain: false,
      dup: false,
      ...(qos > 0 ? { packetId } : {}),
    };
    if (qos > 0) this.#outgoing.push({ packet, released: false });
    this.connection?.send(packet);
    if (lost) this.cut();
    else this.run();
  }

  /** How many of its messages the broker has not settled. */
  get open(): number {
    return this.#outgoing.length;
  }

  nextPacketId(): number {
    return this.#nextPacketId();
  }

  cut(): void {
    this.connection?.destroy();
    this.connection = undefined;
    this.#fixture.clock.run();
  }

  disconnect(): void {
    this.connection?.send({ type: "disconnect", reasonCode: 0 });
    this.connection = undefined;
    this.#fixture.clock.run();
  }

  /** Lets everything happen; answers unless it is lazy. */
  run(): void {
    for (;;) {
      this.#fixture.clock.run();
      if (this.#answer(Number.POSITIVE_INFINITY) === 0) return;
    }
  }

  /** Messages that it sent and that the broker may have had: forgotten, as after a loss of its own session. */
  forget(): void {
    this.#outgoing = [];
    this.#inbound.clear();
  }

  #answer(limit: number): number {
    const { connection } = this;
    if (connection === undefined || (this.lazy && !this.#awaitsConnack)) return 0;
    let count = 0;
    while (connection.unread.length > 0 && count < limit) {
      const packet = connection.shift() as Packet;
      this.#came(connection, packet);
      count++;
    }
    return count;
  }

  #came(connection: RawClient, packet: Packet): void {
    switch (packet.type) {
      case "connack":
        this.#awaitsConnack = false;
        this.present = packet.sessionPresent;
        if (!packet.sessionPresent) this.#inbound.clear();
        for (const { packet: message, released } of this.#outgoing) {
          const packetId = message.packetId as number;
          if (released) connection.send({ type: "pubrel", packetId, reasonCode: 0 });
          else {
            connection.send({ ...message, dup: true });
            this.resent.add(text(message.payload));
          }
        }
        return;
      case "puback":
      case "pubcomp":
        this.#outgoing = this.#outgoing.filter(({ packet: message }) => message.packetId !== packet.packetId);
        return;
      case "pubrec": {
        const one = this.#outgoing.find(({ packet: message }) => message.packetId === packet.packetId);
        if (one !== undefined) one.released = true;
        connection.send({ type: "pubrel", packetId: packet.packetId, reasonCode: 0 });
        return;
      }
      case "pubrel":
        this.#inbound.delete(packet.packetId);
        connection.send({ type: "pubcomp", packetId: packet.packetId, reasonCode: 0 });
        return;
      case "publish":
        this.#message(connection, packet);
        return;
      case "suback":
        if (packet.reasonCodes.some((code) => code >= 0x80)) throw new Error("a subscription was refused");
        return;
      case "unsuback":
        return;
      default:
        throw new Error(`a ${packet.type} came: ${JSON.stringify(packet)}`);
    }
  }

  #message(connection: RawClient, { topic, payload, qos, packetId = 0 }: PublishPacket): void {
    if (qos < 2 || !this.#inbound.has(packetId)) this.accepted.push({ payload: text(payload), topic, qos });
    if (qos === 1) connection.send({ type: "puback", packetId, reasonCode: 0 });
    if (qos !== 2) return;
    this.#inbound.add(packetId);
    connection.send({ type: "pubrec", packetId, reasonCode: 0 });
  }

  #nextPacketId(): number {
    do this.#lastPacketId = (this.#lastPacketId % 200) + 1;
    while (this.#outgoing.some(({ packet }) => packet.packetId === this.#lastPacketId));
    return this.#lastPacketId;
  }
}
