// Looks at retained messages: each topic has to hold the last acknowledged update or one that came after it.
import type { ConnackPacket, ConnectPacket, Packet } from "@wrenmq/codec";
import { numberIn, type Sent, type Stream, type World } from "../world.ts";
import { Client } from "./client.ts";

/** Milliseconds. Replay comes in pieces; a ping behind the last of them says that it is over. */
const PATIENCE = 10_000;

export class RetainedReader extends Client {
  readonly #found = new Map<string, number>();
  #deadline: NodeJS.Timeout | undefined;
  #finished: (() => void) | undefined;
  #acknowledged = new Map<Stream, number>();
  #isComplete = false;
  #pinged = false;

  constructor(world: World, name: string) {
    super(world, name, 4);
  }

  /** Reports what is wrong. Updates may go on meanwhile: what was acknowledged before the question counts. */
  async check(): Promise<void> {
    const { world } = this;
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve;
      this.#deadline = setTimeout(resolve, PATIENCE);
    });
    this.come();
    await finished;
    clearTimeout(this.#deadline);
    this.leave();
    const streams = world.streams.filter(({ retain }) => retain);
    for (const stream of streams) {
      const n = this.#found.get(stream.topic) ?? 0;
      if (!this.#possible(stream).has(n)) {
        const what = n === 0 ? "nothing is retained" : `update ${n} is retained`;
        const { length } = stream.log;
        world.problem(`${stream.topic}: ${what}, ${this.#acknowledged.get(stream)} was acknowledged, ${length} sent`);
      }
    }
    for (const topic of this.#found.keys()) {
      if (!streams.some((stream) => stream.topic === topic)) world.problem(`${topic} is retained`);
    }
  }

  protected connectPacket(): ConnectPacket {
    return { type: "connect", protocolVersion: 4, clientId: this.clientId, cleanStart: true, keepAlive: 0 };
  }

  protected accepted(_packet: ConnackPacket): void {
    this.#found.clear();
    this.#pinged = false;
    this.#isComplete = false;
    for (const stream of this.world.streams)
      if (stream.retain) this.#acknowledged.set(stream, lastAcknowledged(stream.log));
    const subscription = {
      topicFilter: "r/#",
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    } as const;
    this.link?.send({ type: "subscribe", packetId: 1, subscriptions: [subscription] });
  }

  protected received(packet: Packet): void {
    if (packet.type === "publish") {
      const { topic, payload, retain } = packet;
      // Live updates come without the flag; they are newer than what the question was about.
      if (!retain && payload.length === 0) this.#found.set(topic, 0);
      else {
        const n = numberIn(topic, payload);
        if (n === undefined) this.world.problem(`${topic}: what is retained is not what was published`);
        else this.#found.set(topic, n);
      }
    }
    if (packet.type === "pingresp" && this.#isComplete) this.#finished?.();
    if (packet.type === "pingresp") this.#pinged = false;
    this.#isComplete = [...this.#acknowledged.keys()].every((stream) =>
      this.#possible(stream).has(this.#found.get(stream.topic) ?? 0),
    );
    if (!this.#pinged && packet.type !== "publish") {
      this.#pinged = true;
      setTimeout(() => this.link?.send({ type: "pingreq" }), 20);
    }
  }

  /** Numbers of the updates that may be there; 0: nothing. */
  #possible(stream: Stream): Set<number> {
    const possible = new Set<number>();
    const last = this.#acknowledged.get(stream) ?? 0;
    if (last === 0) possible.add(0);
    for (let n = Math.max(last, 1); n <= stream.log.length; n++) possible.add(stream.log[n - 1]?.clears ? 0 : n);
    return possible;
  }
}

function lastAcknowledged(log: readonly Sent[]): number {
  return log.findLastIndex(({ ackedAt }) => ackedAt > 0) + 1;
}
