// Clients with wills: connected at the crash, cut off, or disconnected normally; and the witness that must receive the
// wills.
import type { ConnackPacket, ConnectPacket, Packet, ProtocolVersion, PublishPacket } from "@wrenmq/codec";
import type { Cancel, World } from "../world.ts";
import { Client, lastingConnect } from "./client.ts";
import { Receiver } from "./receiver.ts";

/** What must happen to the will of one connection. */
type Fate = "must" | "never" | "either";

/** Subscribes to every will, at QoS 2: each must come once. */
export class Witness extends Client {
  readonly #heard = new Map<string, number>();
  readonly #receiver: Receiver;
  #subscribed = false;
  #whenSubscribed: (() => void) | undefined;

  constructor(world: World, name: string) {
    super(world, name, 5);
    this.#receiver = new Receiver(world, ({ payload }: PublishPacket) => {
      const will = new TextDecoder().decode(payload);
      this.#heard.set(will, this.times(will) + 1);
      this.world.tell(`${will} is heard of`);
    });
  }

  times(will: string): number {
    return this.#heard.get(will) ?? 0;
  }

  get all(): IterableIterator<string> {
    return this.#heard.keys();
  }

  begin(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenSubscribed = resolve;
      this.come();
    });
  }

  protected connectPacket(): ConnectPacket {
    return lastingConnect(this.clientId, this.version, 20);
  }

  protected accepted({ sessionPresent }: ConnackPacket): void {
    if (this.#subscribed) {
      if (sessionPresent || !this.mayHaveLostSession) {
        if (!sessionPresent) this.world.problem(`${this.clientId}: its session is gone`);
        return;
      }
      this.#receiver.forget();
    }
    const subscription = {
      topicFilter: "w/#",
      qos: 2,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 2,
    } as const;
    this.link?.send({ type: "subscribe", packetId: 1, subscriptions: [subscription] });
  }

  protected received(packet: Packet): void {
    if (packet.type === "suback") {
      // What was sent before, while there was no session, is lost.
      if (this.#subscribed) for (const call of this.world.onLoss) call();
      this.#subscribed = true;
      this.#whenSubscribed?.();
    } else this.#receiver.take(packet, this.link);
  }

  protected override lost(): void {
    this.#receiver.lost();
  }
}

export class WillClient extends Client {
  readonly #witness: Witness;
  /** Seconds. */
  readonly #delay: number;
  readonly #fates = new Map<string, Fate>();
  #life = 0;
  /** Epoch milliseconds at which the last connection ended; undefined: no connection has had a CONNACK. */
  #cutAt: number | undefined;
  #previous: string | undefined;
  #askedBefore = false;
  #leftAt: number | undefined;
  #saidGoodbye = false;
  #timer: Cancel | undefined;

  /** @param delay seconds, for MQTT 5 */
  constructor(world: World, name: string, version: ProtocolVersion, delay: number, witness: Witness) {
    super(world, name, version);
    this.#delay = version === 5 ? delay : 0;
    this.#witness = witness;
  }

  get isSettled(): boolean {
    return [...this.#fates].every(([will, fate]) => fate !== "must" || this.#witness.times(will) > 0);
  }

  /** What should have been heard of may have been lost with a member of a cluster, or with the session of the witness. */
  forgive(): void {
    for (const [will, fate] of this.#fates) {
      if (fate === "must" && this.#witness.times(will) === 0) this.#fates.set(will, "either");
    }
  }

  check(): void {
    for (const [will, fate] of this.#fates) {
      const times = this.#witness.times(will);
      if (times > 1) this.world.problem(`will ${will} was sent ${times} times`);
      if (fate === "must" && times === 0) this.world.problem(`will ${will} (MQTT ${this.version}) was not sent`);
      if (fate === "never" && times > 0) this.world.problem(`will ${will} (MQTT ${this.version}) was sent`);
    }
  }

  protected connectPacket(): ConnectPacket {
    const previous = this.#previous;
    if (previous !== undefined && this.#fates.get(previous) === "must" && this.#delay > 0) {
      // The broker may see this connection before the delay is over: CONNACK will tell.
      if (this.#witness.times(previous) === 0) this.#fates.set(previous, "either");
    }
    this.#askedBefore = true;
    const payload = new TextEncoder().encode(this.#will);
    const will = { topic: `w/${this.clientId}`, payload, qos: 2, retain: false } as const;
    const { clientId, version } = this;
    const packet: ConnectPacket = {
      type: "connect",
      protocolVersion: version,
      clientId,
      cleanStart: this.#delay === 0,
      keepAlive: 0,
      will,
    };
    if (version === 5 && this.#delay > 0) {
      packet.properties = { sessionExpiryInterval: 600 };
      packet.will = { ...will, properties: { willDelayInterval: this.#delay } };
    }
    return packet;
  }

  protected accepted(): void {
    const previous = this.#previous;
    if (previous !== undefined && this.#cutAt !== undefined && this.#fates.get(previous) === "either") {
      const inTime = this.world.now() < this.#cutAt + this.#delay * 1000;
      if (inTime && !this.#saidGoodbye) this.#fates.set(previous, "never");
    }
    this.world.tell(`${this.#will} lives`);
    this.#fates.set(this.#will, "must");
    this.#leftAt = undefined;
    this.#saidGoodbye = false;
    this.#timer = this.world.setTimer(() => this.#die(), this.world.random.between(50, 900));
  }

  protected received(packet: Packet): void {
    this.world.problem(`${this.clientId}: got ${packet.type}`);
  }

  protected override lost(hadConnack: boolean): void {
    this.#timer?.();
    if (!hadConnack) {
      // It is unknown whether the broker has accepted this CONNECT.
      if (this.#askedBefore) this.#fates.set(this.#will, "either");
      this.#nextLife(false);
      return;
    }
    // The broker has closed the connection itself: it has read the DISCONNECT. If it was killed meanwhile, nobody knows:
    // the DISCONNECT may have been written to a process that was dead already.
    const isSure = this.metNoCrash && !this.world.forgets;
    if (this.#saidGoodbye) this.#fates.set(this.#will, isSure ? "never" : "either");
    this.world.tell(`${this.#will} is gone: ${this.#fates.get(this.#will)}`);
    this.#nextLife(true);
    this.leave();
    const { running, random } = this.world;
    if (!running) return;
    // Some stay away until their will is published, others reconnect before the delay is over.
    if (this.#delay > 0 && random.chance(0.5)) this.#comeBackAfter(this.#previous as string);
    else this.#timer = this.world.setTimer(() => this.#return(), random.between(1, 400));
  }

  get #will(): string {
    return `${this.clientId}:${this.#life}`;
  }

  #nextLife(hadConnack: boolean): void {
    if (hadConnack) {
      this.#previous = this.#will;
      this.#cutAt = this.#leftAt ?? this.world.now();
    } else if (this.#askedBefore) this.#previous = undefined;
    this.#askedBefore = false;
    this.#life++;
  }

  #die(): void {
    const { random, running } = this.world;
    if (!running) return;
    this.#leftAt = this.world.now();
    if (random.chance(0.5)) this.cut();
    else if (random.chance(0.3) && this.version === 5) this.goodbye({ type: "disconnect", reasonCode: 4 });
    else {
      this.#saidGoodbye = true;
      this.goodbye({ type: "disconnect", reasonCode: 0 });
    }
  }

  /** At the end of the run no client reconnects: its will would never be published. */
  #return(): void {
    if (this.world.running) this.come();
  }

  #comeBackAfter(will: string): void {
    this.#timer = this.world.setTimer(() => {
      if (!this.world.running) return;
      if (this.#fates.get(will) !== "must" || this.#witness.times(will) > 0) this.#return();
      else this.#comeBackAfter(will);
    }, 50);
  }
}
