// Whether bytes from the network are a topic name, without a string: what `decodeUtf8` and `isTopicName`, the plain twins,
// say of them.
import { isWellFormedUtf8, MqttError, ReasonCode } from "@wrenmq/codec";

/** Of topic names and filters, beyond the standard. */
export interface TopicLimits {
  /** Bytes of UTF-8. */
  readonly maxTopicLength: number;
  readonly maxTopicLevels: number;
}

/** Those of the standard: a name has at most 65,535 bytes. */
export const UNLIMITED: TopicLimits = { maxTopicLength: 65_535, maxTopicLevels: 65_536 };

const HASH = 0x23;
const PLUS = 0x2b;
const SLASH = 0x2f;

/**
 * @returns how many levels it has
 * @throws MqttError 0x81 for ill-formed text, 0x90 for what is not a topic name or is over the limits
 */
export function checkTopicName(bytes: Uint8Array, start: number, end: number, limits: TopicLimits): number {
  checkLength(end - start, limits);
  let seen = 0;
  let levels = 1;
  let isName = end > start; // [MQTT-4.7.3-1]
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    seen |= byte;
    if (byte > SLASH) continue;
    if (byte === SLASH) levels++;
    else if (byte === HASH || byte === PLUS)
      isName = false; // [MQTT-3.3.2-2]
    else if (byte === 0) throw new MqttError(ReasonCode.MalformedPacket, "a string contains U+0000"); // [MQTT-1.5.4-2]
  }
  if (seen >= 0x80 && !isWellFormedUtf8(bytes, start, end)) {
    throw new MqttError(ReasonCode.MalformedPacket, "a string is not well-formed UTF-8"); // [MQTT-1.5.4-1]
  }
  checkLevels(levels, limits);
  if (!isName) throw new MqttError(ReasonCode.TopicNameInvalid, "not a valid topic name");
  return levels;
}

/** @throws MqttError 0x90 */
export function checkLength(length: number, { maxTopicLength }: TopicLimits): void {
  if (length > maxTopicLength) throw overLimits(`${length} bytes`);
}

/** @throws MqttError 0x90 */
export function checkLevels(levels: number, { maxTopicLevels }: TopicLimits): void {
  if (levels > maxTopicLevels) throw overLimits(`${levels} levels`);
}

function overLimits(what: string): MqttError {
  return new MqttError(ReasonCode.TopicNameInvalid, `topic name of ${what} is over the limit`);
}
