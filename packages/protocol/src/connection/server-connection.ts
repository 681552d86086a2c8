// The server's side of one MQTT connection: bytes in, packets and effects out. It owns the state machine (which packet
// may come when). No sockets, no clock, no other clients.
import {
  type AuthPacket,
  type ConnectPacket,
  type DisconnectPacket,
  decodeBody,
  encode,
  FrameReader,
  MqttError,
  type Packet,
  PacketType,
  type ProtocolVersion,
  ReasonCode,
  type SubscribePacket,
  type UnsubscribePacket,
} from "@wrenmq/codec";
import { isShared } from "@wrenmq/topics";
import type { Counters } from "../counters.ts";
import { copyBytes } from "../memory/copy-bytes.ts";
import type { Outbox } from "../memory/outbox.ts";
import { SpareMemory } from "../memory/packet-memory.ts";
import type { TopicTable } from "../message/topic-table.ts";
import { Link, type LinkOwner } from "../session/link.ts";
import { AckKind } from "../session/outbound-transitions.ts";
import type { Session } from "../session/session.ts";
import { type Millis, NEVER, type Seconds } from "../time.ts";
import type { Capabilities } from "./capabilities.ts";
import {
  acceptance,
  effectiveKeepAlive,
  linkOptions,
  refusal,
  refusalLinkOptions,
  smallestAcceptance,
} from "./connack.ts";
import { checkConnect, dialectOfBrokenConnect } from "./connect-rules.ts";
import { ConnectionState, mayArrive } from "./connection-state.ts";
import {
  type ConnectAccepted,
  type ConnectAnswer,
  type ConnectRefused,
  type Effects,
  PARKED,
  type ReauthenticateAnswer,
} from "./effects.ts";
import { EnhancedAuthentication } from "./enhanced-authentication.ts";
import { firstBytesProblem } from "./first-bytes.ts";
import { InboundPublish } from "./inbound-publish.ts";
import { LARGEST_CONNECT, MOST_ITEMS, MOST_ITEMS_OF_CONNECT } from "./packet-limits.ts";
import { sendableCode } from "./sendable-code.ts";
import { mayOvertake, WaitingPackets } from "./waiting-packets.ts";

/** What all connections of a listener share. */
export interface ConnectionSettings {
  readonly capabilities: Capabilities;
  readonly topics: TopicTable;
  readonly counters: Counters;
  /** Messages of one connection that may wait for acknowledgement before the next PUBLISH waits. */
  readonly maxUnsettled: number;
}

/** For a client without an authentication method: it must not send AUTH. */
const NO_AUTHENTICATION = new EnhancedAuthentication(undefined);

const CONNACK_TOO_LARGE: ConnectRefused = {
  kind: "refused",
  reasonCode: ReasonCode.PacketTooLarge,
  reasonString: "CONNACK is larger than the client's Maximum Packet Size",
};

const PINGRESP = encode({ type: "pingresp" });

/** For large packets of all connections. */
const spareMemory = new SpareMemory();

export class ServerConnection implements LinkOwner {
  state: ConnectionState = ConnectionState.AwaitConnect;
  session: Session | undefined = undefined;
  link: Link | undefined = undefined;
  /** When bytes last arrived. */
  lastReceived: Millis;
  /** Seconds; 0: off. */
  keepAlive: Seconds = 0;
  /** Waits for an answer: until then only packets that `mayOvertake` allows are processed; before CONNACK none. */
  parked: boolean = false;
  /** PUBLISH packets wait while this is true, and until `proceed` is called. */
  holdsPublishes: boolean = false;
  readonly #settings: ConnectionSettings;
  readonly #effects: Effects;
  readonly #outbox: Outbox;
  readonly #frames: FrameReader;
  #version: ProtocolVersion = 4;
  #connect: ConnectPacket | undefined = undefined;
  #inbound: InboundPublish | undefined = undefined;
  /** The request that continues when its answer comes. */
  #subscribing: SubscribePacket | undefined = undefined;
  #unsubscribing: UnsubscribePacket | undefined = undefined;
  #waiting: WaitingPackets | undefined = undefined;
  /** Waiting packets are being processed. */
  #proceeding = false;
  /** DISCONNECT has arrived and waits behind earlier packets. */
  #leaving = false;
  #authentication: EnhancedAuthentication | undefined = undefined;

  constructor(settings: ConnectionSettings, effects: Effects, outbox: Outbox, now: Millis) {
    this.#settings = settings;
    this.#effects = effects;
    this.#outbox = outbox;
    this.#frames = new FrameReader(Math.min(settings.capabilities.maximumPacketSize, LARGEST_CONNECT), spareMemory);
    this.lastReceived = now;
  }

  /** When the client is disconnected unless bytes arrive before. [MQTT-3.1.2-22] */
  get keepAliveDeadline(): Millis {
    if (this.keepAlive === 0) return NEVER;
    return this.lastReceived + this.keepAlive * 1500 + this.#settings.capabilities.keepAliveExtra * 1000;
  }

  /** For the link. */
  get packetSent(): Effects["packetSent"] {
    return this.#effects.packetSent;
  }

  /** Number of messages that were taken from the client and are not acknowledged. */
  get unsettled(): number {
    return this.#inbound?.unsettled ?? 0;
  }

  /** Do packets wait, for an answer or for `proceed`? */
  get waits(): boolean {
    return this.parked || this.#waiting !== undefined;
  }

  /** Has DISCONNECT arrived, so that nothing more is read? It is processed after earlier packets. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** Bytes of incomplete packets and of packets that wait. */
  get buffered(): number {
    return this.#frames.pending + (this.#waiting?.bytes ?? 0);
  }

  /** Bytes from the client; they are used during the call only. */
  receive(bytes: Uint8Array, start: number, end: number, now: Millis): void {
    if (this.state === ConnectionState.Closed) return;
    this.lastReceived = now;
    this.#settings.counters.bytesReceived += end - start;
    const isFirst = this.state === ConnectionState.AwaitConnect && this.#frames.pending === 0 && !this.parked;
    // The first packet must be CONNECT; anything else is not read to its end. [MQTT-3.1.0-1]
    const problem = isFirst && start < end ? firstBytesProblem(bytes, start, end) : undefined;
    if (problem !== undefined) {
      this.#fail(new MqttError(ReasonCode.ProtocolError, problem));
      return;
    }
    this.#frames.push(bytes, start, end);
    if (this.parked && this.state !== ConnectionState.Connected) this.#frames.suspend();
    else this.#process(now);
  }

  /** Processes waiting packets, as far as possible. */
  proceed(now: Millis): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#proceeding) return;
    this.#proceeding = true;
    try {
      while (waiting.length > 0 && !this.parked && this.state === ConnectionState.Connected) {
        if (waiting.header >> 4 === PacketType.Publish && this.#mustHoldPublish) break;
        this.#dispatch(waiting.take(), now);
      }
      if (waiting.length === 0) this.#waiting = undefined;
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      this.#fail(error);
    } finally {
      this.#proceeding = false;
    }
  }

  /** The client has been silent for too long, or took too long to connect. */
  expire(reasonCode: ReasonCode): void {
    if (this.state === ConnectionState.Connected) {
      this.closeLink(reasonCode);
      return;
    }
    this.#settings.counters.failedConnect++;
    this.#close(reasonCode, "server", "no CONNECT in time");
  }

  /**
   * The connection is lost. QoS 0 messages that arrived are still taken; the others are not acknowledged, and the
   * client sends them again. [MQTT-4.4.0-1]
   */
  lost(now: Millis): void {
    const wasConnected = this.state === ConnectionState.Connected;
    this.state = ConnectionState.Closed;
    if (this.link !== undefined) this.link.closed = true;
    if (wasConnected) this.#takeRest(now);
    else this.#waiting = undefined;
  }

  connectResolved(answer: ConnectAnswer, now: Millis): void {
    this.#unpark(now, () => this.#answerConnect(answer, now));
  }

  reauthenticateResolved(answer: ReauthenticateAnswer, now: Millis): void {
    this.#unpark(now, () => this.#answerReauthenticate(answer));
  }

  subscribeResolved(reasonCodes: readonly ReasonCode[], now: Millis): void {
    this.#unpark(now, () => this.#answerSubscribe(reasonCodes, now));
  }

  unsubscribeResolved(reasonCodes: readonly ReasonCode[], now: Millis): void {
    this.#unpark(now, () => this.#answerUnsubscribe(reasonCodes));
  }

  publishResolved(outcome: number, now: Millis): void {
    if (this.state === ConnectionState.Closed) {
      this.parked = false;
      this.#takeRest(now);
    } else this.#unpark(now, () => this.#inbound?.resume(outcome));
  }

  /**
   * The reason code of a message whose outcome was DEFERRED, also after the end of the connection.
   * @returns did it wait here?
   */
  publishSettled(packetId: number, reasonCode: number): boolean {
    if (this.state === ConnectionState.Connected) return this.#inbound?.settled(packetId, reasonCode) === true;
    this.#inbound?.settledAfterEnd(packetId, reasonCode);
    return false;
  }

  /** Ends an accepted connection: sends DISCONNECT if the version has it, then closes. */
  closeLink(reasonCode: ReasonCode, reasonString?: string, serverReference?: string): void {
    if (this.state === ConnectionState.Closed) return;
    const link = this.link;
    if (this.state === ConnectionState.Connected && link?.dialect.sendsDisconnect === true) {
      link.send({
        type: "disconnect",
        reasonCode: sendableCode(reasonCode, PacketType.Disconnect),
        properties: {
          ...(reasonString === undefined ? {} : { reasonString }),
          ...(serverReference === undefined ? {} : { serverReference }),
        },
      });
    }
    this.#close(reasonCode, "server", reasonString ?? "");
  }

  #process(now: Millis): void {
    const frames = this.#frames;
    try {
      while (frames.next()) {
        if (this.#mustWait(frames.header >> 4)) this.#setAside(frames, now);
        else this.#dispatch(frames, now);
        if (this.state === ConnectionState.Closed || (this.parked && this.state !== ConnectionState.Connected)) {
          frames.suspend();
          return;
        }
      }
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      this.#fail(error);
    }
  }

  #unpark(now: Millis, answer: () => void): void {
    if (!this.parked || this.state === ConnectionState.Closed) return;
    this.parked = false;
    try {
      answer();
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      this.#fail(error);
      return;
    }
    this.proceed(now);
    if (!this.parked && (this.state as ConnectionState) !== ConnectionState.Closed) this.#process(now);
  }

  #mustWait(type: number): boolean {
    if (this.parked || this.#waiting !== undefined) return !mayOvertake(type);
    return type === PacketType.Publish && this.#mustHoldPublish;
  }

  get #mustHoldPublish(): boolean {
    if (this.holdsPublishes || this.unsettled >= this.#settings.maxUnsettled) return !this.#leaving;
    return false;
  }

  #setAside(frames: FrameReader, now: Millis): void {
    this.#waiting ??= new WaitingPackets();
    this.#waiting.add(frames);
    if (frames.header >> 4 !== PacketType.Disconnect) return;
    // What was sent before DISCONNECT is processed, whatever holds PUBLISH packets: this client sends no more of them.
    this.#leaving = true;
    this.proceed(now);
  }

  #takeRest(now: Millis): void {
    const waiting = this.#waiting;
    try {
      while (waiting !== undefined && waiting.length > 0 && !this.parked) {
        const isQoS0Publish = waiting.header >> 4 === PacketType.Publish && (waiting.header & 0x06) === 0;
        const frame = waiting.take();
        if (isQoS0Publish && this.#inbound?.receive(frame, now) === true) this.parked = true;
      }
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      this.#waiting = undefined;
    }
    if (!this.parked) this.#waiting = undefined;
  }

  #dispatch(frames: FrameReader, now: Millis): void {
    const { header } = frames;
    const type = header >> 4;
    const { counters } = this.#settings;
    counters.packetsReceived++;
    if (!mayArrive(this.state, type)) throw new MqttError(ReasonCode.ProtocolError, `packet type ${type} out of place`);
    if (this.#effects.packetReceived !== undefined) this.#tellReceived(frames, this.#effects.packetReceived);
    switch (type) {
      case PacketType.Publish:
        counters.publishReceived++;
        if ((this.#inbound as InboundPublish).receive(frames, now)) this.parked = true;
        return;
      case PacketType.Puback:
      case PacketType.Pubrec:
      case PacketType.Pubrel:
      case PacketType.Pubcomp:
        this.#acknowledged(frames, type, now);
        return;
      case PacketType.Pingreq:
        this.#decode(frames);
        this.#link.sendEncoded(PINGRESP); // [MQTT-3.12.4-1]
        return;
      case PacketType.Subscribe:
        this.#subscribe(this.#decode(frames) as SubscribePacket, now);
        return;
      case PacketType.Unsubscribe:
        this.#unsubscribe(this.#decode(frames) as UnsubscribePacket, now);
        return;
      case PacketType.Disconnect:
        this.#disconnected(this.#decode(frames) as DisconnectPacket);
        return;
      case PacketType.Auth:
        this.#authenticate(this.#decode(frames) as AuthPacket, now);
        return;
      default:
        this.#connected(this.#decode(frames) as ConnectPacket, now);
    }
  }

  /** A copy, as an observer may keep it. */
  #tellReceived(frames: FrameReader, tell: (packet: Packet) => void): void {
    const { header, bytes, bodyStart, bodyEnd } = frames;
    const copy = copyBytes(bytes, bodyStart, bodyEnd);
    tell(decodeBody(header, copy, 0, copy.length, this.#version, this.#maxItems));
  }

  get #link(): Link {
    return this.link as Link;
  }

  get #auth(): EnhancedAuthentication {
    return this.#authentication as EnhancedAuthentication;
  }

  #decode(frames: FrameReader): ReturnType<typeof decodeBody> {
    const { header, bytes, bodyStart, bodyEnd } = frames;
    return decodeBody(header, bytes, bodyStart, bodyEnd, this.#version, this.#maxItems);
  }

  get #maxItems(): number {
    return this.state === ConnectionState.Connected ? MOST_ITEMS : MOST_ITEMS_OF_CONNECT;
  }

  #connected(packet: ConnectPacket, now: Millis): void {
    this.#version = packet.protocolVersion;
    this.#connect = packet;
    const { capabilities, counters } = this.#settings;
    this.link = new Link(this.#outbox, this, counters, linkOptions(packet, capabilities));
    const { dialect, maximumPacketSize } = this.#link;
    checkConnect(packet, dialect, capabilities);
    if (maximumPacketSize < smallestAcceptance(dialect, capabilities)) {
      this.#refuse(CONNACK_TOO_LARGE);
      return;
    }
    const method = packet.properties?.authenticationMethod;
    if (method !== undefined) this.#authentication = new EnhancedAuthentication(method);
    this.#answerConnect(this.#effects.connect(packet, now), now);
  }

  #answerConnect(answer: ConnectAnswer | typeof PARKED, now: Millis): void {
    // An observer may have ended the connection already.
    if (this.state === ConnectionState.Closed) return;
    if (answer === PARKED) {
      this.parked = true;
    } else if (answer.kind === "accepted") {
      this.#accept(answer, now);
    } else if (answer.kind === "refused") {
      this.#refuse(answer);
    } else {
      this.state = ConnectionState.Authenticating;
      const { authenticationData } = answer;
      this.#link.send(this.#auth.packet(ReasonCode.ContinueAuthentication, authenticationData)); // [MQTT-4.12.0-2]
    }
  }

  #accept(answer: ConnectAccepted, now: Millis): void {
    const { keepAlive } = this.#connect as ConnectPacket;
    this.#connect = undefined;
    const { capabilities, topics } = this.#settings;
    const link = this.#link;
    const { dialect } = link;
    const { session } = answer;
    this.keepAlive = effectiveKeepAlive(answer.keepAlive ?? keepAlive, dialect, capabilities.keepAliveMaximum);
    const serverKeepAlive = this.keepAlive === keepAlive ? undefined : this.keepAlive;
    const connack = acceptance(answer, dialect, capabilities, serverKeepAlive, this.#authentication?.method);
    if (connack.length > link.maximumPacketSize) {
      session.will = undefined; // The client was not accepted.
      this.#refuse(CONNACK_TOO_LARGE);
      return;
    }
    this.session = session;
    this.#inbound = new InboundPublish(session, link, this.#effects, capabilities, topics);
    this.state = ConnectionState.Connected;
    this.#frames.maxPacketSize = capabilities.maximumPacketSize;
    link.sendEncoded(connack);
    // The client may ask again about identifiers of the earlier connection.
    if (answer.sessionPresent) link.unknownPacketId = ReasonCode.Success;
    session.attach(link, now);
  }

  #refuse(answer: ConnectRefused): void {
    const packet = refusal(answer, this.#link.dialect);
    if (packet !== undefined) this.#link.send(packet);
    this.#close(answer.reasonCode, "server", answer.reasonString ?? "refused");
  }

  #authenticate(packet: AuthPacket, now: Millis): void {
    const isAdmitted = this.state === ConnectionState.Connected;
    (this.#authentication ?? NO_AUTHENTICATION).check(packet, isAdmitted);
    if (!isAdmitted) {
      this.#answerConnect(this.#effects.continueConnect(packet, now), now);
      return;
    }
    const answer = this.#effects.reauthenticate(packet, now);
    if (answer === PARKED) this.parked = true;
    else this.#answerReauthenticate(answer);
  }

  #answerReauthenticate(answer: ReauthenticateAnswer): void {
    this.#auth.isRenewing = answer.kind === "continue";
    if (answer.kind === "refused") {
      this.closeLink(answer.reasonCode, answer.reasonString); // [MQTT-4.12.1-2]
      return;
    }
    const code = answer.kind === "continue" ? ReasonCode.ContinueAuthentication : ReasonCode.Success;
    this.#link.send(this.#auth.packet(code, answer.authenticationData));
  }

  #acknowledged(frames: FrameReader, type: number, now: Millis): void {
    let packetId: number;
    let reasonCode: number = ReasonCode.Success;
    if (frames.bodyEnd - frames.bodyStart === 2 && (frames.header & 0x0f) === (type === PacketType.Pubrel ? 2 : 0)) {
      const { bytes, bodyStart } = frames;
      packetId = ((bytes[bodyStart] as number) << 8) | (bytes[bodyStart + 1] as number);
      if (packetId === 0) throw new MqttError(ReasonCode.ProtocolError, "packet identifier 0");
    } else {
      const packet = this.#decode(frames) as { packetId: number; reasonCode: ReasonCode };
      packetId = packet.packetId;
      reasonCode = packet.reasonCode;
    }
    if (type === PacketType.Pubrel) {
      (this.#inbound as InboundPublish).release(packetId);
      return;
    }
    const kind =
      type === PacketType.Puback
        ? AckKind.Puback
        : type === PacketType.Pubcomp
          ? AckKind.Pubcomp
          : reasonCode >= 0x80
            ? AckKind.PubrecRefused
            : AckKind.Pubrec;
    if (!(this.session as Session).acknowledge(kind, packetId, now)) {
      throw new MqttError(ReasonCode.ProtocolError, `acknowledgement of type ${type} for a message of another QoS`);
    }
  }

  #subscribe(packet: SubscribePacket, now: Millis): void {
    for (const { topicFilter, noLocal } of packet.subscriptions) {
      if (noLocal && isShared(topicFilter)) {
        throw new MqttError(ReasonCode.ProtocolError, "No Local on a shared subscription"); // [MQTT-3.8.3-4]
      }
    }
    this.#subscribing = packet;
    const answer = this.#effects.subscribe(packet, now);
    if (answer === PARKED) this.parked = true;
    else this.#answerSubscribe(answer, now);
  }

  #answerSubscribe(reasonCodes: readonly ReasonCode[], now: Millis): void {
    const { packetId } = this.#subscribing as SubscribePacket;
    this.#subscribing = undefined;
    if (this.state === ConnectionState.Closed) return;
    const codes = reasonCodes.map((code) => sendableCode(code, PacketType.Suback));
    this.#link.send({ type: "suback", packetId, reasonCodes: codes }); // [MQTT-3.8.4-1]
    this.#effects.subscribed(now);
  }

  #unsubscribe(packet: UnsubscribePacket, now: Millis): void {
    this.#unsubscribing = packet;
    const answer = this.#effects.unsubscribe(packet, now);
    if (answer === PARKED) this.parked = true;
    else this.#answerUnsubscribe(answer);
  }

  #answerUnsubscribe(reasonCodes: readonly ReasonCode[]): void {
    const { packetId } = this.#unsubscribing as UnsubscribePacket;
    this.#unsubscribing = undefined;
    this.#link.send({ type: "unsuback", packetId, reasonCodes });
  }

  #disconnected(packet: DisconnectPacket): void {
    const session = this.session;
    if (session !== undefined) {
      const expiry = packet.properties?.sessionExpiryInterval;
      if (expiry !== undefined) {
        if (session.expiryInterval === 0 && expiry > 0) {
          throw new MqttError(ReasonCode.ProtocolError, "Session Expiry Interval raised from 0"); // [MQTT5 3.14.2.2.2]
        }
        session.expiryInterval = expiry === 0xffff_ffff ? Number.POSITIVE_INFINITY : expiry;
      }
      // With any other code the Will is published. [MQTT5 3.1.2.5] [MQTT-3.14.4-3]
      if (packet.reasonCode === ReasonCode.NormalDisconnection) session.will = undefined;
    }
    this.#close(packet.reasonCode, "client", packet.properties?.reasonString ?? "");
  }

  #fail(error: MqttError): void {
    this.#settings.counters.protocolErrors++;
    if (this.state === ConnectionState.Connected) {
      this.closeLink(error.reasonCode, error.message);
      return;
    }
    const atConnect = this.state === ConnectionState.AwaitConnect && this.#frames.header >> 4 === PacketType.Connect;
    const dialect = atConnect ? (this.link?.dialect ?? dialectOfBrokenConnect(this.#frames, error)) : undefined;
    if (dialect === undefined) {
      this.#close(error.reasonCode, "server", error.message);
      return;
    }
    this.link ??= new Link(this.#outbox, this, this.#settings.counters, refusalLinkOptions(dialect));
    this.#refuse({ kind: "refused", reasonCode: error.reasonCode, reasonString: error.message });
  }

  #close(reasonCode: ReasonCode, by: "client" | "server", reason: string): void {
    if (this.state === ConnectionState.Closed) return;
    this.state = ConnectionState.Closed;
    this.#waiting = undefined;
    if (this.link !== undefined) this.link.closed = true;
    this.#effects.close({ reasonCode, by, reason });
  }
}
