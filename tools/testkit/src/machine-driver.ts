// The protocol's server side alone: connections without I/O, whose effects are recorded and answered at once. No
// broker, no clock: the test sets `now`. One driver is one server; sessions outlive its connections.
import {
  decodeUtf8,
  encode,
  type Packet,
  PacketDecoder,
  type ProtocolVersion,
  type ReasonCode,
  type SubscribePacket,
} from "@wrenmq/codec";
import {
  Arena,
  type Capabilities,
  type ConnectAnswer,
  type ConnectionEnd,
  Counters,
  DEFAULT_CAPABILITIES,
  type DropReason,
  type Effects,
  type Message,
  Outbox,
  type Parkable,
  type PublishOutcome,
  type ReauthenticateAnswer,
  ServerConnection,
  Session,
  type SessionLimits,
  TopicTable,
} from "@wrenmq/protocol";
import { hex } from "./hex.ts";

export interface MachineOptions {
  readonly capabilities?: Partial<Capabilities>;
  readonly limits?: Partial<SessionLimits>;
  /** The result of a PUBLISH. Default: success. */
  readonly publish?: (message: Message, connection: DrivenConnection, packetId: number) => PublishOutcome;
  /** Messages that may wait for acknowledgement before the next PUBLISH waits. Default: any number. */
  readonly maxUnsettled?: number;
  /** Default: a session of its client identifier. */
  readonly connect?: (connection: DrivenConnection) => Parkable<ConnectAnswer>;
  readonly continueConnect?: (connection: DrivenConnection) => Parkable<ConnectAnswer>;
  readonly reauthenticate?: (connection: DrivenConnection) => Parkable<ReauthenticateAnswer>;
  readonly subscribe?: (packet: SubscribePacket) => Parkable<readonly ReasonCode[]>;
}

/** The effects of the machine, in order. */
export type Effect =
  | { readonly what: "connect"; readonly clientId: string }
  | { readonly what: "publish"; readonly topic: string; readonly payload: string; readonly qos: number }
  | { readonly what: "subscribe" | "unsubscribe"; readonly filters: readonly string[] }
  | { readonly what: "close"; readonly end: ConnectionEnd };

export interface Dropped {
  readonly clientId: string;
  readonly payload: string;
  readonly reason: DropReason;
}

export class MachineDriver {
  now: number = 1_000_000;
  readonly options: MachineOptions;
  readonly capabilities: Capabilities;
  readonly sessions: Map<string, Session> = new Map();
  readonly topics: TopicTable = new TopicTable();
  readonly counters: Counters = new Counters();
  readonly dropped: Dropped[] = [];
  /** 128 KiB hold one slab at most: connections beyond it use memory of their own. */
  readonly arena: Arena = new Arena(new Uint8Array(1024 * 1024));

  constructor(options: MachineOptions = {}) {
    this.options = options;
    this.capabilities = { ...DEFAULT_CAPABILITIES, ...options.capabilities };
  }

  open(): DrivenConnection {
    return new DrivenConnection(this);
  }

  session(clientId: string): Session {
    let session = this.sessions.get(clientId);
    if (session !== undefined) return session;
    session = new Session({
      clientId,
      limits: {
        maxQueuedMessages: 1_000,
        maxQueuedBytes: 1024 * 1024,
        overflow: "drop-new",
        backpressureTimeout: Number.POSITIVE_INFINITY,
        ...this.options.limits,
      },
      events: {
        dropped: (owner, message, reason) =>
          this.dropped.push({ clientId: owner.clientId, payload: textOf(message.payload), reason }),
        delivered: undefined,
        acknowledged: undefined,
        congested: () => {},
        caughtUp: () => {},
        mayReceive: () => true,
      },
    });
    this.sessions.set(clientId, session);
    return session;
  }
}

export class DrivenConnection implements Effects {
  readonly driver: MachineDriver;
  readonly machine: ServerConnection;
  readonly outbox: Outbox;
  readonly effects: Effect[] = [];
  readonly packetReceived: undefined;
  /** Why the connection has ended. */
  end: ConnectionEnd | undefined = undefined;
  #version: ProtocolVersion = 4;

  constructor(driver: MachineDriver) {
    this.driver = driver;
    this.outbox = new Outbox(driver.arena, { outputReady: () => {}, outputLarge: () => {} });
    const { capabilities, topics, counters } = driver;
    const { maxUnsettled = Number.POSITIVE_INFINITY } = driver.options;
    this.machine = new ServerConnection(
      { capabilities, topics, counters, maxUnsettled },
      this,
      this.outbox,
      driver.now,
    );
  }

  get isOpen(): boolean {
    return this.end === undefined;
  }

  /** Bytes, hex or packets from the client. */
  receive(what: string | Uint8Array | Packet, version: ProtocolVersion = this.#version): void {
    const bytes = typeof what === "string" ? hex(what) : what instanceof Uint8Array ? what : encode(what, version);
    this.machine.receive(bytes, 0, bytes.length, this.driver.now);
  }

  /** Takes the bytes that are ready to be sent. */
  taken(): Uint8Array {
    const bytes = new Uint8Array(this.outbox.take());
    if (bytes.length > 0) this.outbox.taken(true);
    return bytes;
  }

  /** Takes the packets that are ready to be sent. */
  packets(version: ProtocolVersion = this.#version): Packet[] {
    return new PacketDecoder({ version }).push(this.taken());
  }

  /** The connection is lost. */
  cut(): void {
    this.machine.lost(this.driver.now);
    this.outbox.discard();
    if (this.machine.session?.link === this.machine.link) this.machine.session?.detach(this.driver.now);
  }

  connect(packet: Parameters<Effects["connect"]>[0]): Parkable<ConnectAnswer> {
    this.#version = packet.protocolVersion;
    this.effects.push({ what: "connect", clientId: packet.clientId });
    if (this.driver.options.connect !== undefined) return this.driver.options.connect(this);
    const { sessions } = this.driver;
    if (packet.cleanStart) sessions.delete(packet.clientId);
    const sessionPresent = sessions.has(packet.clientId);
    const session = this.driver.session(packet.clientId);
    session.expiryInterval =
      packet.protocolVersion === 5 ? (packet.properties?.sessionExpiryInterval ?? 0) : packet.cleanStart ? 0 : 3600;
    session.will = packet.will;
    return { kind: "accepted", session, sessionPresent, assignedClientId: undefined, sessionExpiryInterval: undefined };
  }

  continueConnect(): Parkable<ConnectAnswer> {
    return this.driver.options.continueConnect?.(this) ?? { kind: "refused", reasonCode: 0x87 };
  }

  reauthenticate(): Parkable<ReauthenticateAnswer> {
    return this.driver.options.reauthenticate?.(this) ?? { kind: "refused", reasonCode: 0x87 };
  }

  publish(message: Message, packetId: number): PublishOutcome {
    const { topic, qos } = message;
    this.effects.push({ what: "publish", topic, payload: textOf(message.payload), qos });
    return this.driver.options.publish?.(message, this, packetId) ?? 0;
  }

  subscribe(packet: SubscribePacket): Parkable<readonly ReasonCode[]> {
    this.effects.push({ what: "subscribe", filters: packet.subscriptions.map(({ topicFilter }) => topicFilter) });
    return this.driver.options.subscribe?.(packet) ?? packet.subscriptions.map(({ qos }) => qos);
  }

  subscribed(): void {}

  unsubscribe(packet: Parameters<Effects["unsubscribe"]>[0]): Parkable<readonly ReasonCode[]> {
    this.effects.push({ what: "unsubscribe", filters: packet.topicFilters });
    return packet.topicFilters.map(() => 0 as const);
  }

  close(end: ConnectionEnd): void {
    this.end = end;
    this.effects.push({ what: "close", end });
    const { session } = this.machine;
    if (session !== undefined && session.link === this.machine.link) session.detach(this.driver.now);
  }
}

function textOf(bytes: Uint8Array): string {
  return decodeUtf8(bytes, 0, bytes.length);
}
