// A client that sends exactly what a test wants, right or wrong, and records every byte that comes back.
import {
  type ConnackPacket,
  type ConnectPacket,
  decodeBody,
  encode,
  FrameReader,
  type Packet,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  type ReasonCode,
  type SubackPacket,
  type Subscription,
  type UnsubackPacket,
} from "@wrenmq/codec";
import type { ExternalConnection } from "@wrenmq/transport";
import { concat, hex, toHex } from "./hex.ts";
import type { Pace } from "./pace.ts";
import { difference, show } from "./subset.ts";

/** A packet and its bytes. */
export interface Received<P extends Packet = Packet> {
  readonly packet: P;
  readonly bytes: Uint8Array;
}

type Of<T extends Packet["type"]> = Extract<Packet, { type: T }>;
/** Only the given fields are compared, at any depth. */
type Partly<T> = T extends Uint8Array
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Partly<T[K]> | undefined }
    : T;

export type ConnectOptions = Partial<Omit<ConnectPacket, "type" | "protocolVersion">>;
export type PublishOptions = Partial<Omit<PublishPacket, "type" | "topic" | "payload">>;
export type SubscribeOptions = Partial<Omit<Subscription, "topicFilter">> & {
  readonly subscriptionIdentifier?: number;
};

export class RawClient {
  readonly version: ProtocolVersion;
  /** Everything that has arrived, read or not. */
  readonly history: Received[] = [];
  /** Number of bytes that have arrived. */
  bytesReceived: number = 0;
  closed: boolean = false;
  readonly #connection: ExternalConnection;
  readonly #pace: Pace;
  readonly #frames = new FrameReader();
  /** Packets that have arrived and were not read. */
  #unread: Received[] = [];
  #lastPacketId = 0;
  #writing: Uint8Array[] = [];
  #busy = false;

  constructor(connection: ExternalConnection, version: ProtocolVersion, pace: Pace) {
    this.#connection = connection;
    this.version = version;
    this.#pace = pace;
    connection.attach({
      data: (bytes, start, end) => this.#arrived(bytes, start, end),
      drain: () => this.#drained(),
      closed: () => {
        this.closed = true;
      },
    });
  }

  #arrived(bytes: Uint8Array, start: number, end: number): void {
    const copy = new Uint8Array(bytes.subarray(start, end));
    this.bytesReceived += copy.length;
    const frames = this.#frames;
    frames.push(copy, 0, copy.length);
    while (frames.next()) {
      const { frameStart, bodyStart, bodyEnd } = frames;
      const frame = new Uint8Array(frames.bytes.subarray(frameStart, bodyEnd));
      const body = bodyStart - frameStart;
      const received = { packet: decodeBody(frames.header, frame, body, frame.length, this.version), bytes: frame };
      this.history.push(received);
      this.#unread.push(received);
    }
  }

  #drained(): void {
    this.#busy = false;
    while (!this.#busy && this.#writing.length > 0)
      this.#busy = !this.#connection.write(this.#writing.shift() as Uint8Array);
  }

  // ── sending
  // ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Hex, bytes or packets, in one write. */
  send(...what: readonly (string | Uint8Array | Packet)[]): void {
    const bytes = concat(...what.map((one) => this.encode(one)));
    if (this.#busy) this.#writing.push(bytes);
    else this.#busy = !this.#connection.write(bytes);
  }

  encode(what: string | Uint8Array | Packet): Uint8Array {
    if (typeof what === "string") return hex(what);
    return what instanceof Uint8Array ? what : encode(what, this.version);
  }

  /** Closes the connection without DISCONNECT. */
  async cut(): Promise<void> {
    this.#connection.destroy();
    await this.#pace.quiet();
  }

  /** Closes the connection and does not wait. */
  destroy(): void {
    this.#connection.destroy();
  }

  /** Stops reading: the broker's bytes pile up. */
  freeze(): void {
    this.#connection.pause();
  }

  thaw(): void {
    this.#connection.resume();
  }

  nextPacketId(): number {
    this.#lastPacketId = (this.#lastPacketId % 65_535) + 1;
    return this.#lastPacketId;
  }

  // ── receiving
  // ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Packets that have arrived and were not read. */
  get unread(): readonly Received[] {
    return this.#unread;
  }

  /** The next packet if it is there already, for simulations that do not wait. */
  shift(): Packet | undefined {
    return this.#unread.shift()?.packet;
  }

  /** Drops what has arrived, for tests with very many packets. */
  forget(): void {
    this.history.length = 0;
    this.#unread = [];
  }

  /**
   * The next packet with its bytes.
   * @throws Error when none comes
   */
  async receive(): Promise<Received> {
    await this.#pace.until(() => this.#unread.length > 0 || this.closed);
    const received = this.#unread.shift();
    if (received === undefined) throw new Error(this.closed ? "the connection was closed" : "no packet came");
    return received;
  }

  /** The next packet, which must have this type and these fields. */
  async expect<T extends Packet["type"]>(type: T, fields?: Partly<Of<T>>): Promise<Of<T>> {
    const { packet } = await this.receive();
    const found = difference(packet, { ...fields, type });
    if (found !== undefined) throw new Error(`${found} in ${show(packet)}`);
    return packet as Of<T>;
  }

  /** The next packet, byte for byte. */
  async expectHex(expected: string): Promise<void> {
    const { bytes } = await this.receive();
    if (toHex(bytes) !== toHex(hex(expected))) throw new Error(`${toHex(bytes)} instead of ${toHex(hex(expected))}`);
  }

  /** All packets that arrive until nothing is left to do. */
  async rest(): Promise<Packet[]> {
    if (!this.closed) await this.#pace.quiet();
    const rest = this.#unread.map(({ packet }) => packet);
    this.#unread = [];
    return rest;
  }

  /** The payloads of the PUBLISH packets among `rest()`, as text. */
  async messages(): Promise<string[]> {
    return (await this.rest()).flatMap((packet) => (packet.type === "publish" ? [text(packet.payload)] : []));
  }

  async expectNothing(): Promise<void> {
    const rest = await this.rest();
    if (rest.length > 0) throw new Error(`nothing was expected, ${show(rest)} came`);
    if (this.closed) throw new Error("nothing was expected, the connection was closed");
  }

  /** The connection is closed, and nothing comes before that. */
  async expectClosed(): Promise<void> {
    const last = await this.lastWords();
    if (last.length > 0) throw new Error(`the end was expected, ${show(last)} came first`);
  }

  /**
   * The connection is closed.
   * @returns what came before that
   */
  async lastWords(): Promise<Packet[]> {
    await this.#pace.until(() => this.closed);
    if (!this.closed)
      throw new Error(`the connection is still open; unread: ${show(this.unread.map((one) => one.packet))}`);
    return this.rest();
  }

  /** The connection is alive: a ping is answered, and nothing else comes. */
  async expectAlive(): Promise<void> {
    this.send({ type: "pingreq" });
    await this.expect("pingresp");
  }

  // ── whole exchanges ───────────────────────────────────────────────────────────────────────────────────────────────

  connectPacket(options: ConnectOptions = {}): ConnectPacket {
    return {
      type: "connect",
      protocolVersion: this.version,
      clientId: "",
      cleanStart: true,
      keepAlive: 0,
      ...options,
    };
  }

  async connect(options: ConnectOptions = {}): Promise<ConnackPacket> {
    this.send(this.connectPacket(options));
    return this.expect("connack", { reasonCode: 0 });
  }

  async subscribe(filters: string | readonly string[], options: SubscribeOptions = {}): Promise<SubackPacket> {
    const { subscriptionIdentifier, ...rest } = options;
    const packetId = this.nextPacketId();
    const names = typeof filters === "string" ? [filters] : filters;
    this.send({
      type: "subscribe",
      packetId,
      subscriptions: names.map((topicFilter) => ({
        topicFilter,
        qos: 0,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
        ...rest,
      })),
      ...(subscriptionIdentifier === undefined ? {} : { properties: { subscriptionIdentifier } }),
    });
    return this.expect("suback", { packetId });
  }

  async unsubscribe(...topicFilters: readonly string[]): Promise<UnsubackPacket> {
    const packetId = this.nextPacketId();
    this.send({ type: "unsubscribe", packetId, topicFilters });
    return this.expect("unsuback", { packetId });
  }

  publishPacket(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): PublishPacket {
    const qos = options.qos ?? 0;
    return {
      type: "publish",
      topic,
      payload: typeof payload === "string" ? new TextEncoder().encode(payload) : payload,
      qos,
      retain: false,
      dup: false,
      ...(qos > 0 ? { packetId: this.nextPacketId() } : {}),
      ...options,
    };
  }

  /**
   * Publishes and completes the exchange.
   * @returns the reason code; 0 for QoS 0
   */
  async publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<number> {
    const packet = this.publishPacket(topic, payload, options);
    this.send(packet);
    if (packet.qos === 0) {
      await this.#pace.until(() => true);
      return 0;
    }
    const packetId = packet.packetId as number;
    if (packet.qos === 1) return (await this.expect("puback", { packetId })).reasonCode;
    const { reasonCode } = await this.expect("pubrec", { packetId });
    if (reasonCode >= 0x80) return reasonCode;
    this.send({ type: "pubrel", packetId, reasonCode: 0 });
    await this.expect("pubcomp", { packetId, reasonCode: 0 });
    return reasonCode;
  }

  /** The next packet must be this message; acknowledges it as its QoS demands. */
  async take(topic: string, payload: string, fields: Partly<PublishPacket> = {}): Promise<PublishPacket> {
    const packet = await this.expect<"publish">("publish", { topic, ...fields });
    if (text(packet.payload) !== payload) throw new Error(`payload "${text(packet.payload)}" instead of "${payload}"`);
    await this.acknowledge(packet);
    return packet;
  }

  async acknowledge({ qos, packetId = 0 }: { readonly qos: QoS; readonly packetId?: number }): Promise<void> {
    if (qos === 1) this.send({ type: "puback", packetId, reasonCode: 0 });
    if (qos !== 2) return;
    this.send({ type: "pubrec", packetId, reasonCode: 0 });
    await this.pick("pubrel", packetId);
    this.send({ type: "pubcomp", packetId, reasonCode: 0 });
  }

  /** An acknowledgement that may follow other packets, which stay unread. */
  async pick(type: "puback" | "pubrec" | "pubrel" | "pubcomp", packetId: number): Promise<void> {
    const find = (): number =>
      this.#unread.findIndex(({ packet }) => packet.type === type && packet.packetId === packetId);
    await this.#pace.until(() => find() >= 0 || this.closed);
    const index = find();
    if (index < 0) throw new Error(`${type} ${packetId} did not come`);
    this.#unread.splice(index, 1);
  }

  async disconnect(reasonCode: ReasonCode = 0): Promise<void> {
    this.send({ type: "disconnect", reasonCode });
    await this.lastWords();
  }
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
