// Errors of the codec: what a peer did wrong (MqttError, on decoding) and what our caller did wrong (the other two, on
// encoding). MqttError is thrown by the codec and the protocol core only.
import { ReasonCode } from "./reason-code.ts";

/** The peer broke the protocol: close its connection with `reasonCode`. */
export class MqttError extends Error {
  override readonly name: string = "MqttError";
  readonly reasonCode: ReasonCode;
  /** @param message what was wrong, with the section of the standard where it helps */
  constructor(reasonCode: ReasonCode, message: string) {
    super(message);
    this.reasonCode = reasonCode;
  }
}

/** The packet given to an encoder cannot exist: a value of the wrong type, or values that contradict each other. */
export class InvalidPacketError extends TypeError {
  override readonly name: string = "InvalidPacketError";
  readonly code: "ERR_INVALID_PACKET" = "ERR_INVALID_PACKET";
}

/** A value in the packet given to an encoder is too large, too long or otherwise outside the field's range. */
export class PacketRangeError extends RangeError {
  override readonly name: string = "PacketRangeError";
  readonly code: "ERR_PACKET_RANGE" = "ERR_PACKET_RANGE";
}

/** The bytes do not follow the format of the packet. [MQTT5 4.13.1] */
export function malformed(message: string): MqttError {
  return new MqttError(ReasonCode.MalformedPacket, message);
}

/** The bytes can be decoded, but the standard forbids their content. [MQTT5 4.13.1] */
export function violation(message: string): MqttError {
  return new MqttError(ReasonCode.ProtocolError, message);
}
