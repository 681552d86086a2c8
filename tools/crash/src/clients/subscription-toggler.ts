// A lasting session that subscribes and unsubscribes: what was published while it was certainly subscribed must arrive,
// what was published while it was certainly not must not.
import type { ConnackPacket, ConnectPacket, Packet, ProtocolVersion, PublishPacket } from "@wrenmq/codec";
import { type Cancel, numberIn, type Stream, type World } from "../world.ts";
import { Client, lastingConnect } from "./client.ts";
import { Receiver } from "./receiver.ts";

/** Ticks: subscribed for certain from `from` to before `until`, and possibly from `asked` to before `gone`. */
interface Period {
  readonly asked: number;
  from: number;
  until: number;
  gone: number;
}

export class SubscriptionToggler extends Client {
  readonly #topicFilter: string;
  readonly #receiver: Receiver;
  readonly #periods: Period[] = [];
  readonly #arrived = new Map<string, number[]>();
  #wanted: "subscribe" | "unsubscribe" = "subscribe";
  #answered = true;
  #wasPresent = false;
  #timer: Cancel | undefined;

  constructor(world: World, name: string, version: ProtocolVersion, topicFilter: string) {
    super(world, name, version);
    this.#topicFilter = topicFilter;
    this.#receiver = new Receiver(world, (packet) => this.#deliver(packet));
  }

  hasAll(streams: readonly Stream[]): boolean {
    return this.#mine(streams).every((stream) => this.#missing(stream).length === 0);
  }

  check(streams: readonly Stream[]): void {
    for (const stream of this.#mine(streams)) {
      const missing = this.#missing(stream);
      if (missing.length > 0) this.#report(stream.topic, `lost ${missing.slice(0, 8).join(" ")}`);
      const seen = new Set<number>();
      for (const n of this.#arrived.get(stream.topic) ?? []) {
        const sent = stream.log[n - 1];
        if (sent === undefined) this.#report(stream.topic, `${n} was never published`);
        else if (!this.#periods.some(({ asked, gone }) => gone > sent.sentAt && (sent.ackedAt || gone) > asked)) {
          this.#report(stream.topic, `${n} came although nothing was subscribed`);
        }
        if (seen.has(n) && stream.qos === 2) this.#report(stream.topic, `${n} came again at QoS 2`);
        seen.add(n);
      }
    }
  }

  protected connectPacket(): ConnectPacket {
    return lastingConnect(this.clientId, this.version, 20);
  }

  protected accepted({ sessionPresent }: ConnackPacket): void {
    if (this.#wasPresent && !sessionPresent) {
      if (this.mayHaveLostSession) this.#beginAnew();
      else this.world.problem(`${this.clientId}: its session is gone`);
    }
    this.#wasPresent = true;
    if (this.#answered) this.#later();
    else this.#ask();
  }

  protected received(packet: Packet): void {
    if (packet.type === "suback" || packet.type === "unsuback") {
      this.#answered = true;
      const period = this.#periods.at(-1);
      if (period === undefined) return;
      if (packet.type === "suback") period.from = this.world.tick();
      else period.gone = this.world.tick();
      this.#wanted = packet.type === "suback" ? "unsubscribe" : "subscribe";
      this.#later();
    } else if (!this.#receiver.take(packet, this.link)) {
      this.world.problem(`${this.clientId}: got ${packet.type}`);
    }
  }

  protected override lost(): void {
    this.#timer?.();
    this.#receiver.lost();
  }

  /** The session has ended, with its subscription and its queue. */
  #beginAnew(): void {
    this.#receiver.forget();
    for (const period of this.#periods) period.from = Infinity;
    const period = this.#periods.at(-1);
    if (period !== undefined) period.gone = Math.min(period.gone, this.world.tick());
    this.#answered = true;
    this.#wanted = "subscribe";
  }

  #later(): void {
    const { random } = this.world;
    this.#timer = this.world.setTimer(
      () => {
        if (!this.world.running) return;
        if (random.chance(0.2)) {
          this.cut();
          return;
        }
        const tick = this.world.tick();
        const period = this.#periods.at(-1);
        if (this.#wanted === "subscribe") {
          this.#periods.push({ asked: tick, from: Infinity, until: Infinity, gone: Infinity });
        } else if (period !== undefined) period.until = tick;
        this.#answered = false;
        this.#ask();
      },
      random.between(20, 200),
    );
  }

  #ask(): void {
    const topicFilter = this.#topicFilter;
    if (this.#wanted === "unsubscribe") {
      this.link?.send({ type: "unsubscribe", packetId: 2, topicFilters: [topicFilter] });
      return;
    }
    const subscription = { topicFilter, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const;
    this.link?.send({ type: "subscribe", packetId: 1, subscriptions: [subscription] });
  }

  #deliver({ topic, payload }: PublishPacket): void {
    const n = numberIn(topic, payload);
    if (n === undefined) {
      this.#report(topic, "came with a payload that is not its own");
      return;
    }
    const numbers = this.#arrived.get(topic);
    if (numbers === undefined) this.#arrived.set(topic, [n]);
    else numbers.push(n);
  }

  #mine(streams: readonly Stream[]): Stream[] {
    const prefix = this.#topicFilter.replace(/#$/, "");
    return streams.filter(({ topic }) => topic.startsWith(prefix));
  }

  #missing({ topic, log }: Stream): number[] {
    const numbers = new Set(this.#arrived.get(topic));
    return log.flatMap(({ sentAt, ackedAt }, i) => {
      const certain = this.#periods.some(({ from, until }) => sentAt > from && ackedAt > 0 && ackedAt < until);
      return certain && !numbers.has(i + 1) ? [i + 1] : [];
    });
  }

  #report(topic: string, what: string): void {
    this.world.problem(`${this.clientId} (MQTT ${this.version}), ${topic}: ${what}`);
  }
}
