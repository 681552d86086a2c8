// The public API.
export { ByteWriter, variableByteIntegerLength } from "./byte-writer.ts";
export { decode, decodeBody } from "./decode.ts";
export { encode, encodeInto } from "./encode.ts";
export { InvalidPacketError, MqttError, PacketRangeError } from "./errors.ts";
export { FrameReader, type PacketMemory } from "./frame-reader.ts";
export type {
  AckPacket,
  AckProperties,
  AuthPacket,
  AuthProperties,
  ConnackPacket,
  ConnackProperties,
  ConnectPacket,
  ConnectProperties,
  DisconnectPacket,
  DisconnectProperties,
  Packet,
  PingreqPacket,
  PingrespPacket,
  ProtocolVersion,
  PubackPacket,
  PubcompPacket,
  PublishPacket,
  PublishProperties,
  PubrecPacket,
  PubrelPacket,
  QoS,
  RetainHandling,
  SubackPacket,
  SubscribePacket,
  SubscribeProperties,
  Subscription,
  UnsubackPacket,
  UnsubscribePacket,
  UserProperties,
  Will,
  WillProperties,
} from "./packet.ts";
export type { PacketDecoderOptions } from "./packet-decoder.ts";
export { PacketDecoder } from "./packet-decoder.ts";
export { PacketType } from "./packet-type.ts";
export { decodePublishProperties, encodePublishProperties } from "./packets/publish.ts";
export { PropertyId } from "./property-id.ts";
export { PublishHead } from "./publish-head.ts";
export type { ConnectReturnCode } from "./reason-code.ts";
export { fromV3Connack, isFailure, isReasonCodeAllowed, ReasonCode, toV3Connack, toV3Suback } from "./reason-code.ts";
export { decodeUtf8, encodeUtf8, isWellFormedUtf8, utf8Length } from "./utf8.ts";
