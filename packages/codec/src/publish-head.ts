// Where the parts of a PUBLISH lie, as numbers: what a broker needs to pass a message on without building an object of it.
// `decode` builds the whole packet; a differential test holds the two against each other.
import { MqttError } from "./errors.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { ProtocolVersion } from "./packet.ts";
import { ReasonCode } from "./reason-code.ts";

/** Offsets into the frame's bytes. Made once and filled again for each PUBLISH. */
export class PublishHead {
  qos: number = 0;
  dup: boolean = false;
  retain: boolean = false;
  topicStart: number = 0;
  topicEnd: number = 0;
  /** 0 when qos is 0. */
  packetId: number = 0;
  /** Offset of the packet identifier; 0 when qos is 0. */
  packetIdAt: number = 0;
  /** The properties without their length; equal when there are none. */
  propertiesStart: number = 0;
  propertiesEnd: number = 0;
  payloadStart: number = 0;
  payloadEnd: number = 0;

  /** @throws MqttError when the parts do not fit into the packet or the flags are wrong */
  read(frame: FrameReader, version: ProtocolVersion): void {
    const { bytes, header, bodyEnd: end } = frame;
    const qos = (header >> 1) & 3;
    if (qos === 3) throw new MqttError(ReasonCode.MalformedPacket, "PUBLISH with QoS 3"); // [MQTT-3.3.1-4]
    this.qos = qos;
    // MQTT 3.1 defines DUP for QoS 1 and 2 only, and does not require a check at QoS 0.
    this.dup = (header & 8) !== 0 && (qos > 0 || version > 3);
    this.retain = (header & 1) !== 0;
    if (qos === 0 && this.dup) throw new MqttError(ReasonCode.MalformedPacket, "PUBLISH with QoS 0 and DUP"); // [MQTT-3.3.1-2]
    let position = frame.bodyStart + 2;
    if (position > end) throw tooShort();
    this.topicStart = position;
    position += ((bytes[position - 2] as number) << 8) | (bytes[position - 1] as number);
    this.topicEnd = position;
    if (qos > 0) {
      if (position + 2 > end) throw tooShort();
      this.packetIdAt = position;
      this.packetId = ((bytes[position] as number) << 8) | (bytes[position + 1] as number);
      if (this.packetId === 0) throw new MqttError(ReasonCode.ProtocolError, "PUBLISH with packet identifier 0");
      position += 2;
    } else {
      this.packetIdAt = 0;
      this.packetId = 0;
    }
    if (version === 5) {
      if (position >= end) throw tooShort();
      let length = bytes[position++] as number;
      if (length >= 0x80) {
        length &= 0x7f;
        for (let shift = 7; ; shift += 7) {
          if (position >= end || shift > 21) throw tooShort();
          const byte = bytes[position++] as number;
          length |= (byte & 0x7f) << shift;
          if (byte < 0x80) {
            if (byte === 0)
              throw new MqttError(ReasonCode.MalformedPacket, "Property Length is not in its shortest form");
            break;
          }
        }
      }
      this.propertiesStart = position;
      position += length;
      this.propertiesEnd = position;
    } else {
      this.propertiesStart = position;
      this.propertiesEnd = position;
    }
    if (position > end) throw tooShort();
    this.payloadStart = position;
    this.payloadEnd = end;
  }
}

function tooShort(): MqttError {
  return new MqttError(ReasonCode.MalformedPacket, "PUBLISH is shorter than its parts");
}
