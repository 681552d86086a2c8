// Records one trace: installs taps at the client's connections and at messages, makes lines of what they see, and takes
// the taps away at the end. The broker calls it in the middle of its work: it waits for nothing.
import type { Broker, Clock } from "@wrenmq/broker";
import type { StoredMessage } from "@wrenmq/plugin-api";
import { topicMatches } from "@wrenmq/topics";
import type { LineQueue } from "../streams/line-queue.ts";
import type { StateRecord, TraceHeader, TraceLine, TraceRecord } from "../trace/records.ts";
import { type PayloadOptions, tracedMessage, tracedPacket } from "../trace/traced-packet.ts";
import { VERSION_OF_BROKER } from "./version.ts";

/** Bytes of a payload that are recorded. */
const LONGEST_PAYLOAD = 65_536;
/** Questions to plugins about messages that a client did not get. */
const MOST_EXPLAINED = 100;

export interface RecordingOptions {
  readonly client: string | undefined;
  readonly topic: string | undefined;
  readonly seconds: number;
  readonly payloads: boolean;
  readonly maxBytes: number;
  /**
   * Each line has a `moment`: microseconds of a clock that all processes of the machine share; and a tick comes ten times a
   * second, so that nobody waits for one who has nothing to say.
   */
  readonly hasMoments: boolean;
}

/** Everything before it has been recorded. On the way only: it is not in the trace. */
export interface Tick {
  readonly kind: "tick";
  readonly at: number;
}

export interface RecordingParts {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly queue: LineQueue<TraceLine | Tick>;
}

/** Milliseconds between two ticks. */
const TICK = 100;

type Draft = TraceRecord extends infer One ? (One extends TraceRecord ? Omit<One, "at"> : never) : never;

export class Recorder {
  readonly #parts: RecordingParts;
  readonly #options: RecordingOptions;
  readonly #payloads: PayloadOptions;
  readonly #ends: (() => void)[] = [];
  readonly #explained = new Set<string>();
  #bytes = 0;
  #records = 0;
  #isOver = false;

  constructor(parts: RecordingParts, options: RecordingOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#payloads = { payloads: options.payloads, most: LONGEST_PAYLOAD };
  }

  start(): void {
    const { broker, clock, queue } = this.#parts;
    const { client, topic, seconds, payloads, maxBytes } = this.#options;
    const { operations } = broker;
    const header: TraceHeader = {
      kind: "header",
      at: operations.now(),
      version: VERSION_OF_BROKER.trace,
      broker: VERSION_OF_BROKER.broker,
      ...(client === undefined ? {} : { client }),
      ...(topic === undefined ? {} : { topic }),
      seconds,
      payloads,
      maxBytes,
      limits: { ...broker.limits },
    };
    queue.push(this.#momentous(header), 0);
    this.#ends.push(clock.at(clock.now() + seconds * 1000, () => this.#finish("time")));
    if (this.#options.hasMoments) this.#tick();
    if (client !== undefined) this.#follow(client);
    if (topic !== undefined) this.#ends.push(operations.watchMessages(topic, (message) => this.#routed(message)));
    this.#ends.push(
      operations.tapMessages({
        delivered: (id, message, { qos, retain, waited }) => {
          if (!this.#concerns(id, message)) return;
          this.#record({ kind: "delivered", client: id, message: this.#message(message), qos, retain, waited });
        },
        queued: (id, message, facts) => {
          if (!this.#concerns(id, message)) return;
          this.#record({ kind: "queued", client: id, message: this.#message(message), ...facts });
        },
        dropped: (id, message, reason, side) => {
          if (!this.#concerns(id, message)) return;
          this.#record({ kind: "dropped", client: id, side, message: this.#message(message), reason });
          if (reason === "notAuthorized" && side === "subscriber") this.#explain(id, message.topic);
        },
      }),
    );
  }

  #tick(): void {
    const { queue, broker } = this.#parts;
    const timer = setInterval(() => {
      if (queue.admits(0)) queue.push(this.#momentous({ kind: "tick", at: broker.operations.now() }), 0);
    }, TICK);
    timer.unref();
    this.#ends.push(() => clearInterval(timer));
  }

  /** Takes the taps away. */
  stop(): void {
    this.#isOver = true;
    for (const end of this.#ends.splice(0)) end();
  }

  #follow(client: string): void {
    const { operations } = this.#parts.broker;
    const state = this.#stateOf(client);
    if (state !== undefined) this.#record(state);
    const end = operations.tapClient(client, {
      packet: (connection, direction, packet) => {
        this.#record({ kind: "packet", client, connection, direction, packet: tracedPacket(packet, this.#payloads) });
      },
      authorized: (action, topic, { reasonCode, rule }) => {
        this.#record({ kind: "authorize", client, action, topic, reasonCode, ...(rule === undefined ? {} : { rule }) });
      },
      published: (message) => {
        const { topic } = this.#options;
        // Then it is seen by the watch of the topic.
        if (topic === undefined || !topicMatches(topic, message.topic)) {
          this.#routed({ ...message, expiresAt: Number.POSITIVE_INFINITY });
        }
      },
      refused: (connection, { reasonCode, rule }) => {
        this.#record({ kind: "refused", client, connection, reasonCode, ...(rule === undefined ? {} : { rule }) });
      },
      disconnected: (connection, reasonCode) => {
        this.#record({ kind: "disconnected", client, connection, reasonCode });
      },
    });
    this.#ends.push(end);
  }

  #stateOf(id: string): Omit<StateRecord, "at"> | undefined {
    const view = this.#parts.broker.operations.session(id);
    if (view === undefined) return undefined;
    const { client, connected, expiryInterval, queued, inflight } = view;
    const { protocolVersion, keepAlive, cleanStart, username } = client;
    const { receiveMaximum, maximumPacketSize } = view.connection() ?? {};
    return {
      kind: "state",
      client: id,
      connected,
      ...(connected ? { protocolVersion, keepAlive, cleanStart } : {}),
      ...(username === undefined ? {} : { username }),
      ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
      ...(maximumPacketSize === undefined ? {} : { maximumPacketSize }),
      sessionExpiryInterval: Number.isFinite(expiryInterval) ? expiryInterval : null,
      subscriptions: [...view.subscriptions].map(([filter, record]) => {
        const { qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier } = record;
        const identifier = subscriptionIdentifier === undefined ? {} : { subscriptionIdentifier };
        return { filter, qos, noLocal, retainAsPublished, retainHandling, ...identifier };
      }),
      queued,
      inflight,
    };
  }

  /** Is it about the client, a message of it, or the topic? */
  #concerns(id: string, { publisher, topic: name }: StoredMessage): boolean {
    const { client, topic } = this.#options;
    if (client !== undefined && (id === client || publisher === client)) return true;
    return topic !== undefined && topicMatches(topic, name);
  }

  #routed(message: StoredMessage): void {
    const route = this.#parts.broker.operations.routeOf(message.topic);
    this.#record({ kind: "routed", message: this.#message(message), ...route });
  }

  #message(message: StoredMessage): ReturnType<typeof tracedMessage> {
    return tracedMessage(message, this.#parts.broker.operations.now(), this.#payloads);
  }

  /** Which plugin keeps the message from the client? They are asked once for each topic. */
  #explain(client: string, topic: string): void {
    const key = `${client} ${topic}`;
    if (this.#explained.has(key) || this.#explained.size >= MOST_EXPLAINED) return;
    this.#explained.add(key);
    this.#parts.broker.explain({ client, action: "receive", topic }).then(
      (opinions) => {
        if (!this.#isOver) {
          this.#record({
            kind: "explain",
            client,
            action: "receive",
            topic,
            opinions: opinions.map(({ plugin, decision, rule }) => ({
              plugin,
              decision,
              ...(rule === undefined ? {} : { rule }),
            })),
          });
        }
      },
      () => {
        // The plugin's failure has been logged and counted.
      },
    );
  }

  #record(draft: Draft): void {
    if (this.#isOver) return;
    const { queue, broker } = this.#parts;
    const { kind, ...rest } = draft;
    const record = { kind, at: broker.operations.now(), ...rest } as TraceRecord;
    const bytes = JSON.stringify(record).length;
    if (!queue.admits(bytes)) return;
    queue.push(this.#momentous(record), bytes);
    this.#records++;
    this.#bytes += bytes;
    if (this.#bytes >= this.#options.maxBytes) this.#finish("bytes");
  }

  #finish(reason: "time" | "bytes"): void {
    if (this.#isOver) return;
    this.stop();
    const { queue, broker } = this.#parts;
    queue.push(this.#momentous({ kind: "end", at: broker.operations.now(), reason, records: this.#records }), 0);
  }

  #momentous<Line extends TraceLine | Tick>(line: Line): Line {
    if (!this.#options.hasMoments) return line;
    const [seconds, nanoseconds] = process.hrtime();
    return Object.assign(line, { moment: seconds * 1e6 + nanoseconds / 1e3 });
  }
}
