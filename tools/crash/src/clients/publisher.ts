// Publishes numbered messages at QoS 1 and 2 and keeps its part of the session as MQTT demands: what is not
// acknowledged is sent again with the same packet identifier and DUP, in the same order; after PUBREC it is PUBREL that
// is sent again.
import type { ConnackPacket, ConnectPacket, Packet, ProtocolVersion, PublishPacket } from "@wrenmq/codec";
import { type Cancel, payloadOf, type Sent, type Stream, type World } from "../world.ts";
import { Client, lastingConnect } from "./client.ts";

/** Few identifiers, so that each is reused soon: a broker that still holds one would swallow a message. */
const PACKET_IDS = 40;
/** Milliseconds between two rounds of publishing. */
const PACE = 3;

interface InFlight {
  readonly packet: PublishPacket;
  readonly sent: Sent;
  released: boolean;
}

export class Publisher extends Client {
  readonly #streams: Stream[];
  readonly #window: number;
  /** In the order in which they were sent first. */
  readonly #inFlight = new Map<number, InFlight>();
  #wasPresent = false;
  #timer: Cancel | undefined;

  constructor(world: World, name: string, version: ProtocolVersion, qos: "1" | "2" | "both") {
    super(world, name, version);
    const levels = qos === "both" ? ([1, 2] as const) : ([qos === "1" ? 1 : 2] as const);
    this.#streams = levels.flatMap((level) =>
      [0, 1].flatMap((i) => [
        world.stream(`t/${name}/${i}/q${level}`, level, false),
        world.stream(`r/${name}/${i}/q${level}`, level, true),
      ]),
    );
    this.#window = world.random.between(4, 30);
  }

  /** Everything that was sent is acknowledged. */
  get isDone(): boolean {
    return this.#inFlight.size === 0;
  }

  /** What is not acknowledged, for people. */
  get missing(): string {
    const packets = [...this.#inFlight].map(
      ([packetId, { packet, released }]) => `${packetId} QoS ${packet.qos}${released ? " released" : ""}`,
    );
    return `${this.connected ? "connected" : "not connected"}: ${packets.join(", ")}`;
  }

  protected connectPacket(): ConnectPacket {
    return lastingConnect(this.clientId, this.version, 100);
  }

  protected accepted({ sessionPresent }: ConnackPacket): void {
    if (this.#wasPresent && !sessionPresent) {
      if (this.mayHaveLostSession) this.#forget();
      else this.world.problem(`${this.clientId}: its session is gone`);
    }
    this.#wasPresent = true;
    for (const [packetId, { packet, sent, released }] of this.#inFlight) {
      sent.sentAgain = true;
      this.link?.send(released ? { type: "pubrel", packetId, reasonCode: 0 } : { ...packet, dup: true });
    }
    this.#publish();
  }

  protected override lost(): void {
    this.#timer?.();
  }

  protected received(packet: Packet): void {
    const { world } = this;
    if (packet.type !== "puback" && packet.type !== "pubrec" && packet.type !== "pubcomp") {
      world.problem(`${this.clientId}: got ${packet.type} ${"reasonCode" in packet ? packet.reasonCode : ""}`);
      return;
    }
    const { packetId, reasonCode } = packet;
    const found = this.#inFlight.get(packetId);
    if (found === undefined || found.released !== (packet.type === "pubcomp")) {
      world.problem(`${this.clientId}: ${packet.type} for ${packetId}, which does not wait for it`);
      return;
    }
    const { sent } = found;
    if (packet.type === "pubcomp" || packet.type === "puback" || reasonCode >= 0x80) this.#inFlight.delete(packetId);
    if (packet.type === "pubcomp") return;
    if (reasonCode >= 0x80) {
      sent.refused = true;
      // A member that learns that the others have declared it dead refuses what it has not answered.
      const mayRefuse = world.refuses.includes(found.packet.qos) || world.isDying;
      if (!mayRefuse || reasonCode !== 0x97) {
        world.problem(`${this.clientId}: a message was refused with ${reasonCode}`);
      }
      return;
    }
    sent.ackedAt = world.tick();
    world.acknowledged++;
    if (packet.type === "pubrec") {
      found.released = true;
      this.link?.send({ type: "pubrel", packetId, reasonCode: 0 });
    }
  }

  /** The session is gone, and its messages in flight with it: they may have been delivered all the same. */
  #forget(): void {
    for (const { sent } of this.#inFlight.values()) if (sent.ackedAt === 0) sent.refused = true;
    this.#inFlight.clear();
  }

  #publish(): void {
    const { world } = this;
    for (let left = world.random.between(0, 10); left > 0 && world.running; left--) {
      if (this.#inFlight.size < this.#window) this.#publishOne(world.random.pick(this.#streams));
    }
    this.#timer = this.world.setTimer(() => this.#publish(), PACE);
  }

  #publishOne({ topic, qos, retain, log }: Stream): void {
    const { random } = this.world;
    const clears = retain && random.chance(0.25);
    const sent: Sent = { sentAt: this.world.tick(), ackedAt: 0, refused: false, sentAgain: false, clears };
    log.push(sent);
    const length = random.chance(0.03) ? 20_000 : random.between(0, 1_000);
    const payload = clears ? new Uint8Array(0) : payloadOf(topic, log.length, length);
    let packetId = 1;
    while (this.#inFlight.has(packetId)) packetId++;
    if (packetId > PACKET_IDS) throw new Error("the window is larger than the number of identifiers");
    const packet: PublishPacket = { type: "publish", topic, payload, qos, retain, dup: false, packetId };
    this.#inFlight.set(packetId, { packet, sent, released: false });
    this.link?.send(packet);
  }
}
