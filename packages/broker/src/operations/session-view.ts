// One session as operators see it. A view: values are computed when they are read, so listing all sessions costs one
// small object each.
import type { ClientInfo } from "@wrenmq/plugin-api";
import type { Millis, Seconds, SubscriptionRecord } from "@wrenmq/protocol";
import type { TlsInfo, TransportName } from "@wrenmq/transport";
import type { Drop } from "../sessions/drop-history.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";

/** Queued messages that are examined one by one. */
const MOST_LOOKED_AT = 10_000;

export interface QueueReport {
  /** Number of queued messages. */
  readonly messages: number;
  /** Bytes of those in memory. */
  readonly bytes: number;
  /** Of the first 10,000 in memory. */
  readonly qos1: number;
  readonly qos2: number;
  /** Epoch seconds at which the oldest was queued; undefined: the queue is empty, or it comes from before a restart. */
  readonly oldestSince: Seconds | undefined;
}

export interface InflightReport {
  readonly packetId: number;
  /** What the client has to send next. */
  readonly awaits: "PUBACK" | "PUBREC" | "PUBCOMP";
  /**
   * undefined: the message has arrived already, or the session ends with its connection and so keeps no messages in
   * flight.
   */
  readonly topic: string | undefined;
}

export interface ConnectionReport {
  readonly transport: TransportName;
  /** Bytes of this connection. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Bytes that wait to be sent. */
  readonly backlog: number;
  /** True: the client does not read, and as many bytes wait as may. */
  readonly blocked: boolean;
  readonly tls: Pick<TlsInfo, "protocol" | "servername" | "authorized"> | undefined;
  /** The client's Receive Maximum in CONNECT. [MQTT5 3.1.2.11.3] */
  readonly receiveMaximum: number | undefined;
  readonly maximumPacketSize: number | undefined;
}

const AWAITS = ["PUBACK", "PUBREC", "PUBCOMP"] as const;

export class SessionView {
  readonly #entry: SessionEntry;

  constructor(entry: SessionEntry) {
    this.#entry = entry;
  }

  get clientId(): string {
    return this.#entry.session.clientId;
  }

  get username(): string | undefined {
    return this.#entry.session.username;
  }

  /** As it was at its last connection; made up for a session without a connection since the start. */
  get client(): ClientInfo {
    return this.#entry.client;
  }

  get connected(): boolean {
    return this.#entry.connection !== undefined;
  }

  /** undefined while connected. */
  get disconnectedAt(): Millis | undefined {
    return this.#entry.session.disconnectedAt;
  }

  /** Infinity: it never expires. */
  get expiryInterval(): Seconds {
    return this.#entry.session.expiryInterval;
  }

  get queued(): number {
    return this.#entry.session.queued;
  }

  get queuedBytes(): number {
    return this.#entry.session.queue?.bytes ?? 0;
  }

  /** Epoch seconds at which the oldest message was queued; undefined as in {@link QueueReport}. */
  get oldestSince(): Seconds | undefined {
    const { queue, queued } = this.#entry.session;
    if (queued === 0) return undefined;
    for (const { queuedAt } of queue?.residents() ?? []) return queuedAt > 0 ? queuedAt : undefined;
    return undefined;
  }

  /** QoS 1 and 2 messages that were sent and are not acknowledged. */
  get inflight(): number {
    return this.#entry.session.window.size;
  }

  /** QoS 2 messages of the client whose PUBREL has not arrived. */
  get inflightIn(): number {
    return this.#entry.session.inbound?.size ?? 0;
  }

  /** Number of lost messages; 0 also without a history (`dropHistory`). */
  get dropped(): number {
    return this.#entry.drops?.total ?? 0;
  }

  get droppedByReason(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#entry.drops?.byReason ?? []);
  }

  /** Newest first. */
  get lastDrops(): readonly Drop[] {
    return this.#entry.drops?.last ?? [];
  }

  get subscriptions(): ReadonlyMap<string, SubscriptionRecord> {
    return this.#entry.session.subscriptions;
  }

  /** Does it hold publishers because its queue is at its bound? */
  get congested(): boolean {
    return this.#entry.session.congested;
  }

  /** Is it in the store? */
  get stored(): boolean {
    return this.#entry.stored;
  }

  get hasWill(): boolean {
    return this.#entry.session.will !== undefined || this.#entry.pendingWill !== undefined;
  }

  queue(): QueueReport {
    const { queue } = this.#entry.session;
    const counts = { qos1: 0, qos2: 0 };
    const { oldestSince } = this;
    let looked = 0;
    for (const { qos } of queue?.residents() ?? []) {
      if (++looked > MOST_LOOKED_AT) break;
      counts[qos === 1 ? "qos1" : "qos2"]++;
    }
    return { messages: this.queued, bytes: this.queuedBytes, ...counts, oldestSince };
  }

  /** In the order in which they were sent. */
  inflightMessages(limit: number): InflightReport[] {
    const reports: InflightReport[] = [];
    for (const [packetId, state, delivery] of this.#entry.session.window.entries()) {
      if (reports.length >= limit) break;
      reports.push({ packetId, awaits: AWAITS[state - 1] ?? "PUBACK", topic: delivery?.message.topic });
    }
    return reports;
  }

  /** undefined: it is not connected */
  connection(): ConnectionReport | undefined {
    const { connection, session } = this.#entry;
    if (connection === undefined) return undefined;
    const { info } = connection.transport;
    const { link } = session;
    return {
      transport: info.transport,
      bytesReceived: connection.bytesReceived,
      bytesSent: connection.bytesSent,
      backlog: connection.outbox.backlog,
      blocked: link?.blocked ?? false,
      tls: info.tls && {
        protocol: info.tls.protocol,
        servername: info.tls.servername,
        authorized: info.tls.authorized,
      },
      receiveMaximum: link?.receiveMaximum,
      maximumPacketSize: link === undefined || link.maximumPacketSize === Infinity ? undefined : link.maximumPacketSize,
    };
  }
}
