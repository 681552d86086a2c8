// Sessions that end by a clean start or by expiry. An ended session must not come back after a restart; one that has
// not ended must be there.
import type { ConnackPacket, ConnectPacket, Packet, ProtocolVersion } from "@wrenmq/codec";
import type { Cancel, World } from "../world.ts";
import { Client, lastingConnect } from "./client.ts";
import { Receiver } from "./receiver.ts";

type Step =
  /** Connects to a lasting session; subscribes if it is new. */
  | "last"
  /** Ends the session: clean start, and no expiry interval. */
  | "end"
  /** MQTT 5: connects to a session that outlives its connection by a second. */
  | "fade";

/** Milliseconds: the expiry interval of sessions that fade. */
const FADES_AFTER = 1_000;
/**
 * Milliseconds after which it is over for certain. The broker notes the time before it closes the connection, and
 * compares it when it reads CONNECT: there is no race, only rounding.
 */
const GONE_AFTER = FADES_AFTER + 10;

export class EndingSession extends Client {
  readonly #receiver: Receiver;
  #step: Step = "last";
  #present: boolean | "unknown" = false;
  #subscribed = false;
  /** It has sent DISCONNECT and waits until the broker closes the connection; then until its session has expired. */
  #isPatient = false;
  #timer: Cancel | undefined;
  checks: number = 0;

  constructor(world: World, name: string, version: ProtocolVersion) {
    super(world, name, version);
    this.#receiver = new Receiver(world, ({ topic }) => {
      if (!this.#subscribed) this.world.problem(`${this.clientId}: ${topic} came to a session without subscriptions`);
    });
  }

  protected connectPacket(): ConnectPacket {
    const { clientId, version } = this;
    const packet = lastingConnect(clientId, version, 20);
    if (this.#step === "end") {
      packet.cleanStart = true;
      delete packet.properties;
    } else if (this.#step === "fade") packet.properties = { sessionExpiryInterval: FADES_AFTER / 1000 };
    return packet;
  }

  protected accepted({ sessionPresent }: ConnackPacket): void {
    const isUncertain = this.#present === true && this.mayHaveLostSession;
    const expected = this.#step === "end" ? false : isUncertain ? "unknown" : this.#present;
    if (expected !== "unknown") {
      this.checks++;
      if (sessionPresent !== expected) {
        this.world.problem(`${this.clientId} (MQTT ${this.version}): its session is ${expected ? "gone" : "back"}`);
      }
    }
    const found = sessionPresent ? "its session is there" : "new";
    this.world.tell(`${this.clientId} is in to ${this.#step}: ${found} (expected: ${presence(expected)})`);
    if (!sessionPresent) {
      this.#subscribed = false;
      if (isUncertain) this.#receiver.forget();
    }
    this.#present = this.#step !== "end";
    if (this.#step !== "end" && !this.#subscribed) {
      this.#subscribed = true;
      const subscription = {
        topicFilter: "t/#",
        qos: 1,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 2,
      } as const;
      this.link?.send({ type: "subscribe", packetId: 1, subscriptions: [subscription] });
    }
    this.#timer = this.world.setTimer(() => this.#goOn(), this.world.random.between(20, 300));
  }

  protected received(packet: Packet): void {
    if (packet.type !== "suback") this.#receiver.take(packet, this.link);
  }

  protected override lost(hadConnack: boolean): void {
    this.#timer?.();
    this.#receiver.lost();
    // Without CONNACK it is unknown whether there is a session now. A fading session expires from now on, or from the
    // restart; one that may have been ended may be there or not.
    if (this.#step === "fade" || (!hadConnack && !this.#present)) this.#present = "unknown";
    if (this.#step === "end") this.#present = hadConnack ? false : "unknown";
    this.world.tell(`${this.clientId} is out: ${presence(this.#present)}`);
    if (!this.#isPatient) return;
    // Only a broker that has read the DISCONNECT closes the connection, if it was not killed. One that is killed later
    // may begin the expiry anew at its restart.
    const { crashes } = this.world;
    const isSure = this.metNoCrash;
    this.#comeBack(GONE_AFTER, () => {
      if (isSure && this.world.crashes === crashes) this.#present = false;
    });
  }

  #goOn(): void {
    const { world } = this;
    if (!world.running) return;
    this.#isPatient = this.#step === "fade" && world.random.chance(0.5);
    if (this.#isPatient) this.goodbye({ type: "disconnect", reasonCode: 0 });
    else {
      this.leave();
      this.#comeBack(world.random.between(1, 300));
    }
  }

  #comeBack(pause: number, before: () => void = () => {}): void {
    const { world } = this;
    this.#timer = world.setTimer(() => {
      this.#isPatient = false;
      this.#step = world.random.pick(this.version === 5 ? ["last", "end", "fade"] : ["last", "end"]);
      before();
      if (world.running) this.come();
    }, pause);
  }
}

function presence(present: boolean | "unknown"): string {
  return present === "unknown" ? present : present ? "there" : "none";
}
