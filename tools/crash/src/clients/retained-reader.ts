// Checks retained messages: each topic must have the last acknowledged update or a later one.
import type { ConnackPacket, ConnectPacket, Packet } from "@wrenmq/codec";
import { type Cancel, numberIn, type Sent, type Stream, type World } from "../world.ts";
import { Client, HANGS } from "./client.ts";

/**
 * Retained messages come in pieces, and nothing says which is the last. What has not come after so many round trips is
 * missing; the reader subscribes again meanwhile.
 */
const ROUNDS = 100;
const ROUNDS_OF_A_SUBSCRIPTION = 25;

export class RetainedReader extends Client {
  readonly #found = new Map<string, number>();
  #finished: ((isAnswered: boolean) => void) | undefined;
  #acknowledged = new Map<Stream, number>();
  #isComplete = false;
  #isSubscribed = false;
  #subscribedAt = 0;

  constructor(world: World, name: string) {
    super(world, name, 4);
  }

  /** Reports what is wrong. Updates may go on meanwhile: those that were acknowledged before the check count. */
  async check(): Promise<void> {
    const { world } = this;
    let giveUp: Cancel | undefined;
    const isAnswered = await new Promise<boolean>((resolve) => {
      this.#finished = resolve;
      giveUp = world.setTimer(() => resolve(false), HANGS);
      this.keepAsking();
      this.come();
    });
    giveUp?.();
    this.leave();
    if (!isAnswered) {
      world.problem(`${this.clientId}: no answer to PINGREQ`);
      return;
    }
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
    for (const stream of this.world.streams)
      if (stream.retain) this.#acknowledged.set(stream, lastAcknowledged(stream.log));
    this.#subscribe();
  }

  protected received(packet: Packet): void {
    if (packet.type === "suback") this.#isSubscribed = true;
    if (packet.type !== "publish") return;
    const { topic, payload, retain } = packet;
    // Live updates come without the flag; they are newer than the check.
    if (!retain && payload.length === 0) this.#found.set(topic, 0);
    else {
      const n = numberIn(topic, payload);
      if (n === undefined) this.world.problem(`${topic}: what is retained is not what was published`);
      else this.#found.set(topic, n);
    }
  }

  protected override answered(): void {
    // What came before this answer was complete at the one before.
    if (this.#isComplete || this.rounds >= ROUNDS) this.#finished?.(true);
    else if (this.rounds >= this.#subscribedAt + ROUNDS_OF_A_SUBSCRIPTION) this.#subscribe();
    this.#isComplete =
      this.#isSubscribed &&
      [...this.#acknowledged.keys()].every((stream) => this.#possible(stream).has(this.#found.get(stream.topic) ?? 0));
  }

  #subscribe(): void {
    this.#found.clear();
    this.#isComplete = false;
    this.#isSubscribed = false;
    this.#subscribedAt = this.rounds;
    const subscription = {
      topicFilter: "r/#",
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    } as const;
    this.link?.send({ type: "subscribe", packetId: 1, subscriptions: [subscription] });
  }

  /** Numbers of the updates that may be there; 0: none. */
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
