// Rules for CONNECT beyond its format, and the answer to a CONNECT that breaks them. [MQTT5 3.1, 3.2]
import { type ConnectPacket, type FrameReader, MqttError, ReasonCode, utf8Length } from "@wrenmq/codec";
import { isTopicName } from "@wrenmq/topics";
import { type Dialect, dialectOf } from "../dialect.ts";
import type { Capabilities } from "./capabilities.ts";

/** @throws MqttError with the reason code for CONNACK */
export function checkConnect(packet: ConnectPacket, dialect: Dialect, capabilities: Capabilities): void {
  const { clientId, will } = packet;
  if (clientId === "" && !packet.cleanStart && !dialect.assignsClientIdAlways) {
    throw new MqttError(ReasonCode.ClientIdentifierNotValid, "no client identifier and no Clean Session"); // [MQTT-3.1.3-8]
  }
  if (clientId === "" && !dialect.hasSessionPresent) {
    throw new MqttError(ReasonCode.ClientIdentifierNotValid, "no client identifier"); // MQTT 3.1, section 3.1
  }
  if (utf8Length(clientId) > capabilities.maxClientIdLength) {
    throw new MqttError(ReasonCode.ClientIdentifierNotValid, "the client identifier is too long");
  }
  if (will !== undefined) {
    if (!isTopicName(will.topic))
      throw new MqttError(ReasonCode.TopicNameInvalid, "the Will Topic is not a topic name");
    const { responseTopic } = will.properties ?? {};
    if (responseTopic !== undefined && !isTopicName(responseTopic)) {
      throw new MqttError(ReasonCode.ProtocolError, "Response Topic of the Will is not a topic name");
    }
    if (will.qos > capabilities.maximumQoS)
      throw new MqttError(ReasonCode.QoSNotSupported, "Will QoS is not supported");
    if (will.retain && !capabilities.retainAvailable) {
      throw new MqttError(ReasonCode.RetainNotSupported, "Will Retain is not supported");
    }
  }
}

/** In the protocol level. */
const BRIDGE = 0x80;

/** The dialect in which a CONNECT that could not be decoded may be answered; undefined: only by closing. */
export function dialectOfBrokenConnect(frame: FrameReader, error: MqttError): Dialect | undefined {
  const { bytes, bodyStart, bodyEnd } = frame;
  if (bodyEnd - bodyStart < 7 || bytes[bodyStart] !== 0) return undefined;
  const length = bytes[bodyStart + 1] as number;
  const levelAt = bodyStart + 2 + length;
  if (levelAt >= bodyEnd) return undefined;
  const name = String.fromCharCode(...bytes.subarray(bodyStart + 2, levelAt));
  const level = bytes[levelAt] as number;
  if (name !== "MQTT" && name !== "MQIsdp") return undefined;
  // The CONNACK of an unknown version is unknown too. A client that also speaks an older version can read that of
  // 3.1.1, and falls back. [MQTT-3.1.2-2]
  if (error.reasonCode === ReasonCode.UnsupportedProtocolVersion) return dialectOf(4);
  return (level & ~BRIDGE) === 5 ? dialectOf(5) : undefined;
}
