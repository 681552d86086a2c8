// Runs a trace of a client through a broker in this process on a simulated clock, and says where its answers differ from
// those that were recorded. What plugins decided is taken from the trace; messages of others are published as they came.
import { type Broker, createBroker, DEFAULT_LIMITS, SimulatedClock } from "@wrenmq/broker";
import { type Packet, type ProtocolVersion, type QoS, ReasonCode } from "@wrenmq/codec";
import type { Plugin, PublishOptions } from "@wrenmq/plugin-api";
import { memoryPair } from "@wrenmq/transport/memory";
import type { PacketRecord, StateRecord, TracedMessage, TraceHeader, TraceRecord } from "../trace/records.ts";
import { bytesOf, packetOf, propertiesOf } from "../trace/traced-packet.ts";
import { type Difference, differencesOf } from "./compare.ts";
import { RecordedVerdicts } from "./recorded-verdicts.ts";
import { ReplayConnection } from "./replay-connection.ts";
import { RetainedBefore } from "./retained-before.ts";

export type { Difference };

export interface ReplayReport {
  /** Packets of the client that were sent again. */
  readonly sent: number;
  /** Packets of the broker that were compared. */
  readonly compared: number;
  readonly differences: readonly Difference[];
  /** What the replay could not know. */
  readonly notes: readonly string[];
}

/** Milliseconds of simulated time: a trace lasts at most an hour. */
const LONGEST = 7_200_000;
const LISTENER = "replay";
/** Stands for all other subscribers. */
const OTHERS = "wrenmq-replay-others";
/** Records after a PUBLISH among which is how it was routed. */
const NEAR = 50;
/** What the broker does for operators: nothing in the trace causes it. */
const BY_OPERATORS: ReadonlySet<number> = new Set([
  ReasonCode.Banned,
  ReasonCode.ServerShuttingDown,
  ReasonCode.AdministrativeAction,
  ReasonCode.UseAnotherServer,
  ReasonCode.ServerMoved,
]);
/** What the end of a connection without DISCONNECT has. */
const LOST = ReasonCode.UnspecifiedError;
/** Losses that depend on the message and on the client alone. */
const INJECTED_LOSSES: ReadonlySet<string> = new Set(["notAuthorized", "tooLarge", "offline"]);

/**
 * @throws Error when a packet of the trace cannot be one, BrokerError when its limits cannot be
 */
export async function replay(header: TraceHeader, records: readonly TraceRecord[]): Promise<ReplayReport> {
  const run = new Replay(header, records);
  return run.run();
}

class Replay {
  readonly #header: TraceHeader;
  readonly #records: readonly TraceRecord[];
  readonly #clock: SimulatedClock;
  readonly #verdicts: RecordedVerdicts;
  readonly #broker: Broker;
  readonly #connections = new Map<number, ReplayConnection>();
  /** The connection that was open before the trace. */
  #earlier: ReplayConnection | undefined;
  readonly #notes: string[] = [];
  readonly #retained: RetainedBefore;
  #sent = 0;

  constructor(header: TraceHeader, records: readonly TraceRecord[]) {
    this.#header = header;
    this.#records = records;
    this.#clock = new SimulatedClock(header.at);
    this.#verdicts = new RecordedVerdicts(records);
    this.#retained = new RetainedBefore(records);
    const plugin: Plugin = { name: "recorded", setup: () => this.#verdicts.hooks() };
    this.#broker = createBroker({
      listeners: { [LISTENER]: { type: "external" } },
      plugins: [plugin],
      limits: knownLimits(header.limits),
      sys: { intervalSeconds: 0 },
      clock: this.#clock,
    });
  }

  async run(): Promise<ReplayReport> {
    const broker = this.#broker;
    await broker.start();
    try {
      for (const [index, record] of this.#records.entries()) {
        await this.#advanceTo(record.at);
        for (const message of this.#retained.before(index)) {
          broker.retain(message.topic, bytesOf(message.payload), this.#optionsOf(message));
        }
        this.#verdicts.position = index;
        this.#perform(record, index);
        await this.#clock.settle();
      }
      await this.#clock.advance(1_000);
    } finally {
      await this.#stop();
    }
    return this.#report();
  }

  #perform(record: TraceRecord, index: number): void {
    switch (record.kind) {
      case "state":
        this.#begin(record);
        return;
      case "packet":
        if (record.direction === "out") this.#connectionOf(record)?.expects({ at: record.at, packet: record.packet });
        else this.#send(record, index);
        return;
      case "disconnected":
        this.#end(record.client, record.connection, record.reasonCode);
        return;
      case "delivered":
        if (!record.waited && !this.#retained.has(index)) this.#inject(record.client, record.message);
        return;
      case "queued":
        if (!this.#retained.has(index)) this.#inject(record.client, record.message);
        return;
      case "dropped":
        if (record.side === "subscriber" && INJECTED_LOSSES.has(record.reason)) {
          this.#inject(record.client, record.message);
        }
        return;
      case "lost":
        this.#notes.push(`${record.records} lines are missing in the trace`);
        return;
      case "authorize":
      case "explain":
      case "refused":
      case "routed":
      case "end":
    }
  }

  /** The client as it was before the trace. */
  #begin(state: StateRecord): void {
    const { client, connected, protocolVersion = 5, subscriptions, queued, inflight } = state;
    if (client !== this.#header.client) return;
    if (queued > 0 || inflight > 0) {
      this.#notes.push(
        `${queued} messages waited and ${inflight} were in flight before the trace: they are not replayed`,
      );
    }
    if (!connected) {
      this.#broker.subscribe(client, OTHERS);
      this.#broker.unsubscribe(client, OTHERS);
      for (const { filter, qos } of subscriptions) this.#broker.subscribe(client, filter, qos as QoS);
      return;
    }
    const connection = this.#open(protocolVersion as ProtocolVersion);
    this.#earlier = connection;
    connection.send(connectOf(state));
    for (const [index, one] of subscriptions.entries()) {
      const { filter: topicFilter, qos, noLocal, retainAsPublished, subscriptionIdentifier } = one;
      const options = { topicFilter, qos: qos as QoS, noLocal, retainAsPublished, retainHandling: 2 as const };
      connection.send({
        type: "subscribe",
        packetId: (index % 65_535) + 1,
        subscriptions: [options],
        ...(subscriptionIdentifier === undefined ? {} : { properties: { subscriptionIdentifier } }),
      });
    }
    this.#clock.run();
    connection.forget();
  }

  #send(record: PacketRecord, index: number): void {
    const packet = packetOf(record.packet);
    if (packet.type === "connect") {
      this.#verdicts.connection = record.connection;
      this.#connections.set(record.connection, this.#open(packet.protocolVersion));
    }
    if (packet.type === "publish") this.#prepareOthers(packet.topic, record, index);
    if (packet.type === "auth") this.#verdicts.connection = record.connection;
    const connection = this.#connectionOf(record);
    if (connection === undefined) return;
    connection.send(packet);
    this.#sent++;
  }

  /** Had the message other subscribers? The acknowledgement says so. [MQTT5 3.4.2.1] */
  #prepareOthers(topic: string, { client }: PacketRecord, index: number): void {
    const near = this.#records.slice(index + 1, index + NEAR);
    const routed = near.find(
      (one) =>
        one.kind === "routed" && one.message.publisher === client && (topic === "" || one.message.topic === topic),
    );
    if (routed?.kind !== "routed") return;
    const { message, sessions, groups, peers } = routed;
    if (sessions + groups + peers > 0) this.#broker.subscribe(OTHERS, message.topic);
    else this.#broker.unsubscribe(OTHERS, message.topic);
  }

  #end(client: string, number: number, reasonCode: number): void {
    const connection = this.#connections.get(number) ?? this.#earlier;
    if (connection === undefined || connection.isClosed || connection.hasLeft) return;
    if (BY_OPERATORS.has(reasonCode)) this.#broker.disconnect(client, reasonCode as ReasonCode);
    else if (reasonCode === LOST) connection.cut();
  }

  /** Publishes what somebody else has published. */
  #inject(client: string, message: TracedMessage): void {
    if (client !== this.#header.client || message.publisher === client) return;
    this.#broker.publish(message.topic, bytesOf(message.payload), this.#optionsOf(message));
  }

  #optionsOf({ qos, retain, properties, expiresIn }: TracedMessage): PublishOptions {
    const known = properties === undefined ? {} : propertiesOf(properties);
    if (expiresIn !== undefined) known["messageExpiryInterval"] = expiresIn;
    return { qos: qos as QoS, retain, properties: known };
  }

  #connectionOf({ connection: number, client }: PacketRecord): ReplayConnection | undefined {
    const known = this.#connections.get(number);
    if (known !== undefined || client !== this.#header.client || this.#earlier === undefined) return known;
    // The first packets without a CONNECT are those of the connection that was there before.
    const earlier = this.#earlier;
    if ([...this.#connections.values()].includes(earlier)) return undefined;
    this.#connections.set(number, earlier);
    return earlier;
  }

  #open(version: ProtocolVersion): ReplayConnection {
    const [near, far] = memoryPair({ schedule: this.#clock.schedule });
    this.#broker.accept(far, { listener: LISTENER });
    return new ReplayConnection(near, version);
  }

  async #advanceTo(at: number): Promise<void> {
    const end = Math.min(at, this.#header.at + LONGEST);
    const now = this.#clock.now();
    if (end > now) await this.#clock.advance(end - now);
  }

  async #stop(): Promise<void> {
    for (const connection of [...this.#connections.values(), this.#earlier]) connection?.cut();
    await this.#clock.settle();
    const stopping = this.#broker.shutdown();
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    stopping.then(over, over);
    while (!isOver) await this.#clock.advance(10);
    await stopping;
  }

  #report(): ReplayReport {
    const client = this.#header.client ?? "";
    let compared = 0;
    const differences = [...this.#connections].flatMap(([connection, { expected, found }]) => {
      compared += expected.length;
      return differencesOf({ client, connection }, expected, found, this.#header.payloads);
    });
    return { sent: this.#sent, compared, differences, notes: this.#notes };
  }
}

/** Those that this version of the broker has. */
function knownLimits(limits: TraceHeader["limits"]): Partial<typeof DEFAULT_LIMITS> {
  return Object.fromEntries(
    Object.entries(limits).filter(([name, value]) => Object.hasOwn(DEFAULT_LIMITS, name) && value !== null),
  );
}

function connectOf(state: StateRecord): Packet {
  const { client, protocolVersion = 5, keepAlive = 0, username, sessionExpiryInterval } = state;
  const { receiveMaximum, maximumPacketSize } = state;
  const expiry = sessionExpiryInterval ?? NEVER_EXPIRES;
  return {
    type: "connect",
    protocolVersion: protocolVersion as ProtocolVersion,
    clientId: client,
    // There is no session yet; before MQTT 5 the flag also says whether it outlives the connection.
    cleanStart: expiry === 0,
    keepAlive,
    ...(username === undefined ? {} : { username }),
    // Only MQTT 5 has them on the wire.
    properties: {
      sessionExpiryInterval: expiry,
      ...(typeof receiveMaximum === "number" ? { receiveMaximum } : {}),
      ...(typeof maximumPacketSize === "number" ? { maximumPacketSize } : {}),
    },
  };
}

const NEVER_EXPIRES = 0xffff_ffff;
