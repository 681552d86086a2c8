// A client with a lasting session that connects and disconnects. It subscribes before anything is published.
import type { ConnackPacket, ConnectPacket, Packet, ProtocolVersion, PublishPacket, QoS } from "@wrenmq/codec";
import { type Cancel, effectiveQoS, numberIn, type Stream, type World } from "../world.ts";
import { Client, lastingConnect } from "./client.ts";
import { Receiver } from "./receiver.ts";

export interface Filter {
  readonly topicFilter: string;
  readonly qos: QoS;
  /** Is the stream's topic among those of the filter? */
  covers(topic: string): boolean;
}

export class Subscriber extends Client {
  /** Numbers of the messages of each topic, as they came. */
  readonly arrived: Map<string, number[]> = new Map();
  readonly #filter: Filter;
  readonly #receiver: Receiver;
  readonly #receiveMaximum: number;
  #subscribed = false;
  /** Tick since which it is subscribed: a session may have ended with a member of a cluster. */
  #since = 0;
  #whenSubscribed: (() => void) | undefined;
  #timer: Cancel | undefined;

  constructor(world: World, name: string, version: ProtocolVersion, filter: Filter) {
    super(world, name, version);
    this.#filter = filter;
    this.#receiver = new Receiver(world, (packet) => this.#deliver(packet));
    this.#receiveMaximum = world.random.between(3, 60);
  }

  /** Connects, subscribes, and from then on disconnects and reconnects. */
  begin(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenSubscribed = resolve;
      this.come();
    });
  }

  /** Has everything arrived that must? */
  hasAll(streams: readonly Stream[]): boolean {
    return this.#mine(streams).every((stream) => this.#missing(stream).length === 0);
  }

  /** Reports what is wrong with what arrived: lost, twice at QoS 2, in the wrong order. */
  check(streams: readonly Stream[]): void {
    for (const stream of this.#mine(streams)) {
      const { topic } = stream;
      const numbers = this.arrived.get(topic) ?? [];
      const missing = this.#missing(stream);
      if (missing.length > 0) this.#report(topic, `lost ${some(missing)} of ${stream.log.length}`);
      const first = new Set<number>();
      let highest = 0;
      for (const n of numbers) {
        if (first.has(n)) {
          if (effectiveQoS(stream, this.#filter.qos) === 2) this.#report(topic, `${n} came again at QoS 2`);
          continue;
        }
        first.add(n);
        if (stream.log[n - 1] === undefined) this.#report(topic, `${n} was never published`);
        else if (n < highest && !this.#mayComeLate(stream, n)) this.#report(topic, `${n} came after ${highest}`);
        highest = Math.max(highest, n);
      }
    }
  }

  /** Refused and sent again, it comes behind what was taken meanwhile, also when a crash kept its publisher from hearing of it. */
  #mayComeLate({ qos, log }: Stream, n: number): boolean {
    const sent = log[n - 1];
    return sent?.refused === true || (sent?.sentAgain === true && this.world.refuses.includes(qos));
  }

  protected connectPacket(): ConnectPacket {
    return lastingConnect(this.clientId, this.version, this.#receiveMaximum);
  }

  protected accepted({ sessionPresent }: ConnackPacket): void {
    if (this.#subscribed) {
      if (sessionPresent || !this.mayHaveLostSession) {
        if (!sessionPresent) this.world.problem(`${this.clientId}: its session is gone`);
        this.#absentNowAndThen();
        return;
      }
      this.world.tell(`${this.clientId}: its session is gone`);
      this.#receiver.forget();
      this.#subscribed = false;
      this.#since = Infinity;
    }
    const { topicFilter, qos } = this.#filter;
    const subscription = { topicFilter, qos, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const;
    this.link?.send({ type: "subscribe", packetId: 1, subscriptions: [subscription] });
  }

  protected received(packet: Packet): void {
    if (packet.type === "suback") {
      this.#subscribed = true;
      if (this.#since > 0) this.#since = this.world.tick();
      this.#whenSubscribed?.();
      this.#absentNowAndThen();
    } else if (!this.#receiver.take(packet, this.link)) {
      this.world.problem(`${this.clientId}: got ${packet.type} ${"reasonCode" in packet ? packet.reasonCode : ""}`);
    }
  }

  protected override lost(): void {
    this.#timer?.();
    this.#receiver.lost();
  }

  #absentNowAndThen(): void {
    const { random } = this.world;
    this.#timer = this.world.setTimer(
      () => {
        if (!this.world.running) return;
        this.leave();
        this.world.setTimer(() => this.come(), random.between(0, 250));
      },
      random.between(20, 600),
    );
  }

  #deliver({ topic, payload, dup }: PublishPacket): void {
    this.world.delivered++;
    if (dup) this.world.redelivered++;
    const n = numberIn(topic, payload);
    if (n === undefined) {
      this.#report(topic, `came with a payload of ${payload.length} bytes that is not its own`);
      return;
    }
    const numbers = this.arrived.get(topic);
    if (numbers === undefined) this.arrived.set(topic, [n]);
    else numbers.push(n);
  }

  #mine(streams: readonly Stream[]): Stream[] {
    return streams.filter(({ topic }) => this.#filter.covers(topic));
  }

  #missing({ topic, log }: Stream): number[] {
    const numbers = new Set(this.arrived.get(topic));
    return log.flatMap(({ sentAt, ackedAt }, i) =>
      ackedAt > 0 && sentAt > this.#since && !numbers.has(i + 1) ? [i + 1] : [],
    );
  }

  #report(topic: string, what: string): void {
    this.world.problem(`${this.clientId} (MQTT ${this.version}), ${topic}: ${what}`);
  }
}

function some(numbers: readonly number[]): string {
  return numbers.length > 8 ? `${numbers.slice(0, 8).join(" ")} and ${numbers.length - 8} more` : numbers.join(" ");
}
