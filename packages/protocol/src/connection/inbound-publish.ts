// Handles one PUBLISH from the client: topic, alias, quota, QoS 2 duplicates, and acknowledgements in the order of
// arrival.
import {
  decodePublishProperties,
  type FrameReader,
  MqttError,
  PacketType,
  PublishHead,
  type PublishProperties,
  type QoS,
  ReasonCode,
} from "@wrenmq/codec";
import { isTopicName } from "@wrenmq/topics";
import type { Dialect } from "../dialect.ts";
import { copyBytes } from "../memory/copy-bytes.ts";
import { type Layout, Message, PublishFrame } from "../message/message.ts";
import type { Topic } from "../message/topic.ts";
import { InboundAliases } from "../message/topic-aliases.ts";
import type { TopicTable } from "../message/topic-table.ts";
import type { Link } from "../session/link.ts";
import type { Session } from "../session/session.ts";
import { type Millis, NEVER } from "../time.ts";
import type { Capabilities } from "./capabilities.ts";
import { DEFERRED, type Effects, PUBLISH_PARKED } from "./effects.ts";
import { MOST_ITEMS } from "./packet-limits.ts";
import { PendingAcks, UNKNOWN } from "./pending-acks.ts";
import { sendableCode } from "./sendable-code.ts";

/** Filled for each PUBLISH: decoding ends before anything else can begin. */
const head = new PublishHead();

export class InboundPublish {
  readonly #session: Session;
  readonly #link: Link;
  readonly #dialect: Dialect;
  readonly #effects: Effects;
  readonly #capabilities: Capabilities;
  readonly #topics: TopicTable;
  /** The topic of the last message. */
  #topic: Topic | undefined = undefined;
  #aliases: InboundAliases | undefined = undefined;
  #pending: PendingAcks | undefined = undefined;
  #parked: { readonly message: Message; readonly packetId: number } | undefined = undefined;
  /**
   * Messages that count against the quota: QoS 1 until PUBACK, QoS 2 until PUBCOMP or a refusal. Of this connection.
   */
  #open = 0;

  constructor(session: Session, link: Link, effects: Effects, capabilities: Capabilities, topics: TopicTable) {
    this.#session = session;
    this.#link = link;
    this.#dialect = link.dialect;
    this.#effects = effects;
    this.#capabilities = capabilities;
    this.#topics = topics;
  }

  /** Number of messages that were taken and are not acknowledged. */
  get unsettled(): number {
    return this.#pending?.size ?? 0;
  }

  /**
   * @returns true: the answer comes later, nothing more may be read from this client until then
   * @throws MqttError when the client broke the protocol
   */
  receive(frame: FrameReader, now: Millis): boolean {
    const version = this.#dialect.version;
    head.read(frame, version);
    const bytes = frame.bytes;
    const qos = head.qos as QoS;
    if (qos > this.#capabilities.maximumQoS)
      throw new MqttError(ReasonCode.QoSNotSupported, `QoS ${qos} is not supported`);
    if (head.retain && !this.#capabilities.retainAvailable)
      throw new MqttError(ReasonCode.RetainNotSupported, "retain is not supported");
    let properties: PublishProperties | undefined;
    let expiresAt = NEVER;
    let topic: Topic;
    let reusable = true;
    if (head.propertiesEnd > head.propertiesStart) {
      const given = decodePublishProperties(bytes, head.propertiesStart, head.propertiesEnd, MOST_ITEMS);
      topic = this.#aliasedTopic(bytes, given.topicAlias);
      checkProperties(given);
      reusable = given.topicAlias === undefined && given.messageExpiryInterval === undefined;
      if (given.messageExpiryInterval !== undefined) expiresAt = now + given.messageExpiryInterval * 1000;
      properties = forwarded(given);
    } else {
      topic = this.#topicAt(bytes, head.topicStart, head.topicEnd);
    }
    const packetId = head.packetId;
    this.#link.counters.publishBytesReceived += head.payloadEnd - head.payloadStart;
    if (qos > 0 && !this.#mayBegin(qos, packetId)) return false;
    const message = new Message(
      topic,
      bytes,
      head.payloadStart,
      head.payloadEnd,
      qos,
      head.retain,
      properties,
      expiresAt,
      this.#session.clientId,
      false,
    );
    if (reusable) {
      const start = frame.frameStart;
      const layout = (qos > 0 ? this.#dialect.layout + 1 : this.#dialect.layout) as Layout;
      message.useFrame(layout, new PublishFrame(bytes, start, frame.bodyEnd, qos > 0 ? head.packetIdAt - start : 0));
    }
    const outcome = this.#effects.publish(message, packetId, now);
    if (outcome === PUBLISH_PARKED) {
      message.keep();
      message.releaseFrames();
      this.#parked = { message, packetId };
      return true;
    }
    if (message.kept) message.releaseFrames();
    if (qos > 0) this.#settleOrDefer(qos as 1 | 2, packetId, outcome);
    return false;
  }

  /** The outcome of the message for which `receive` has returned true. */
  resume(outcome: number): void {
    const parked = this.#parked;
    if (parked === undefined) return;
    this.#parked = undefined;
    const { message, packetId } = parked;
    if (message.qos > 0) this.#settleOrDefer(message.qos as 1 | 2, packetId, outcome);
  }

  /**
   * The reason code of a message whose outcome was DEFERRED.
   * @returns did it wait here?
   */
  settled(packetId: number, reasonCode: number): boolean {
    const pending = this.#pending;
    if (pending === undefined) return false;
    const qos = pending.settle(packetId, reasonCode);
    if (qos === 2) {
      this.#session.inbound?.answered(packetId);
      if (reasonCode >= 0x80) this.#session.releaseInbound(packetId);
    }
    if (qos !== 0 && this.#endsLink(reasonCode)) return true;
    while (pending.isReady) {
      const { packetId: first, qos, reasonCode } = pending;
      if (qos === 1 || reasonCode >= 0x80) this.#open--;
      this.#acknowledge(qos, first, reasonCode);
      pending.shift();
    }
    if (pending.size === 0) this.#pending = undefined;
    return qos !== 0;
  }

  /** The same after the end of the connection: the session keeps the result for the client's next connection. */
  settledAfterEnd(packetId: number, reasonCode: number): void {
    if (this.#pending?.settle(packetId, reasonCode) === 2) this.#session.settleInbound(packetId, reasonCode);
  }

  /** PUBREL: the client will not send the message again. [MQTT-4.3.3-11] */
  release(packetId: number): void {
    const known = this.#session.releaseInbound(packetId);
    if (known && this.#open > 0) this.#open--;
    this.#link.ack(PacketType.Pubcomp, packetId, known ? ReasonCode.Success : this.#link.unknownPacketId);
  }

  /** @returns false: the message was taken before, and is acknowledged again */
  #mayBegin(qos: QoS, packetId: number): boolean {
    const held = qos === 2 && this.#session.inbound?.has(packetId) === true;
    if (held) {
      // [MQTT-4.3.3-10]. While its first acknowledgement is pending the second would overtake it.
      if (this.#pending?.has(packetId) === true) return false;
      if (this.#session.inbound?.isUnanswered(packetId) === true) this.#waitFor(packetId);
      else this.#link.ack(PacketType.Pubrec, packetId, ReasonCode.Success);
      return false;
    }
    // [MQTT5 3.3.4]: beyond the announced Receive Maximum. Earlier versions know no such limit.
    if (this.#dialect.negativeAcks && this.#open >= this.#capabilities.receiveMaximum) {
      throw new MqttError(ReasonCode.ReceiveMaximumExceeded, "more messages in flight than the Receive Maximum allows");
    }
    return true;
  }

  #settleOrDefer(qos: 1 | 2, packetId: number, outcome: number): void {
    if (this.#endsLink(outcome)) return;
    const isTold = outcome !== DEFERRED && this.#pending === undefined;
    const isHeld = qos === 2 && outcome < 0x80;
    if (isHeld) this.#session.holdInbound(packetId, isTold);
    if (isHeld || !isTold) this.#open++;
    if (isTold) {
      this.#acknowledge(qos, packetId, outcome);
      return;
    }
    if (isHeld && outcome === DEFERRED) this.#session.inbound?.defer(packetId);
    this.#pending ??= new PendingAcks();
    this.#pending.add(packetId, qos, outcome === DEFERRED ? UNKNOWN : outcome);
  }

  /** For a QoS 2 message that came over an earlier connection. */
  #waitFor(packetId: number): void {
    this.#open++;
    this.#pending ??= new PendingAcks();
    this.#pending.add(packetId, 2, UNKNOWN);
  }

  #acknowledge(qos: 1 | 2, packetId: number, reasonCode: number): void {
    const type = qos === 1 ? PacketType.Puback : PacketType.Pubrec;
    this.#link.ack(type, packetId, reasonCode === 0 ? 0 : sendableCode(reasonCode as ReasonCode, type));
  }

  /**
   * Before MQTT 5 a PUBLISH cannot be refused: what will never be allowed is acknowledged and dropped, what has failed
   * is not acknowledged. At once, before later messages are taken that the client would then send in another order.
   */
  #endsLink(reasonCode: number): boolean {
    if (reasonCode < 0x80 || this.#dialect.negativeAcks || isFinal(reasonCode)) return false;
    this.#link.owner.closeLink(reasonCode as ReasonCode, "the message could not be taken");
    return true;
  }

  #topicAt(bytes: Uint8Array, start: number, end: number): Topic {
    const last = this.#topic;
    if (last?.equals(bytes, start, end)) return last;
    if (start === end) {
      const code = this.#dialect.hasProperties ? ReasonCode.ProtocolError : ReasonCode.TopicNameInvalid;
      throw new MqttError(code, "empty topic name"); // [MQTT-4.7.3-1]
    }
    const topic = this.#topics.read(bytes, start, end, this.#capabilities);
    if (topic.kept) this.#topic = topic;
    return topic;
  }

  #aliasedTopic(bytes: Uint8Array, alias: number | undefined): Topic {
    if (alias === undefined) return this.#topicAt(bytes, head.topicStart, head.topicEnd);
    if (alias === 0 || alias > this.#capabilities.topicAliasMaximum) {
      throw new MqttError(ReasonCode.TopicAliasInvalid, `topic alias ${alias}`); // [MQTT-3.3.2-8], [MQTT-3.3.2-9]
    }
    if (head.topicStart === head.topicEnd) {
      const topic = this.#aliases?.get(alias);
      if (topic === undefined) throw new MqttError(ReasonCode.ProtocolError, `topic alias ${alias} was not set`);
      return topic;
    }
    const topic = this.#topicAt(bytes, head.topicStart, head.topicEnd);
    topic.keep();
    this.#aliases ??= new InboundAliases();
    this.#aliases.set(alias, topic);
    return topic;
  }
}

function checkProperties(properties: PublishProperties): void {
  if (properties.subscriptionIdentifiers !== undefined) {
    throw new MqttError(ReasonCode.ProtocolError, "Subscription Identifier in a PUBLISH of a client"); // [MQTT-3.3.4-6]
  }
  if (properties.responseTopic !== undefined && !isTopicName(properties.responseTopic)) {
    throw new MqttError(ReasonCode.ProtocolError, "Response Topic is not a topic name"); // [MQTT-3.3.2-14]
  }
}

/** The properties for subscribers: all but alias and expiry, which belong to each connection. */
function forwarded(given: PublishProperties): PublishProperties | undefined {
  const { topicAlias: _alias, messageExpiryInterval: _expiry, ...rest } = given;
  if (rest.correlationData !== undefined) rest.correlationData = copyBytes(rest.correlationData);
  return Object.keys(rest).length > 0 ? rest : undefined;
}

/** A refusal that would be the same if the client sent the message again. */
function isFinal(reasonCode: number): boolean {
  return reasonCode !== ReasonCode.QuotaExceeded && reasonCode !== ReasonCode.UnspecifiedError;
}
