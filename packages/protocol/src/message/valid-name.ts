// Checks without making a string whether bytes from the network are a valid topic name, four bytes at a time. A name that is
// not plain ASCII, or not valid, is checked again byte by byte. The plain twins are `decodeUtf8` and `isTopicName`.
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
/** Four times the bits in which "#" and "+" do not differ, and four times what they have there. */
const WILDCARD_BITS = 0xf7f7_f7f7 | 0;
const WILDCARDS = 0x2323_2323;
const ONES = 0x0101_0101;
const HIGH_BITS = 0x8080_8080 | 0;

/** @throws MqttError 0x81 for ill-formed text, 0x90 for what is not a topic name or is over the limits */
export function checkTopicName(bytes: Uint8Array, start: number, end: number, limits: TopicLimits): void {
  const length = end - start;
  if (length > limits.maxTopicLength) throw overLimits(`${length} bytes`);
  let suspects = length === 0 ? HIGH_BITS : 0; // [MQTT-4.7.3-1]
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    const wildcards = (word & WILDCARD_BITS) ^ WILDCARDS;
    // The high bit of a byte is set where it is not ASCII; where it, or its difference from a wildcard, is 0.
    suspects |= word | ((word - ONES) & ~word) | ((wildcards - ONES) & ~wildcards);
  }
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0 || byte === HASH || byte === PLUS || byte >= 0x80) suspects = HIGH_BITS;
  }
  if ((suspects & HIGH_BITS) !== 0) checkBytes(bytes, start, end, limits);
  else checkLevels(bytes, start, end, limits);
}

function checkBytes(bytes: Uint8Array, start: number, end: number, limits: TopicLimits): void {
  let isName = end > start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0) throw new MqttError(ReasonCode.MalformedPacket, "a string contains U+0000"); // [MQTT-1.5.4-2]
    if (byte === HASH || byte === PLUS) isName = false; // [MQTT-3.3.2-2]
  }
  if (!isWellFormedUtf8(bytes, start, end)) {
    throw new MqttError(ReasonCode.MalformedPacket, "a string is not well-formed UTF-8"); // [MQTT-1.5.4-1]
  }
  checkLevels(bytes, start, end, limits);
  if (!isName) throw new MqttError(ReasonCode.TopicNameInvalid, "not a valid topic name");
}

/** Is a name, which is valid, within the limits? @throws MqttError 0x90 */
export function checkLimits(bytes: Uint8Array, start: number, end: number, limits: TopicLimits): void {
  if (end - start > limits.maxTopicLength) throw overLimits(`${end - start} bytes`);
  checkLevels(bytes, start, end, limits);
}

export function isWithin(bytes: Uint8Array, start: number, end: number, limits: TopicLimits): boolean {
  return end - start <= limits.maxTopicLength && !hasMoreLevels(bytes, start, end, limits.maxTopicLevels);
}

function checkLevels(bytes: Uint8Array, start: number, end: number, { maxTopicLevels }: TopicLimits): void {
  if (hasMoreLevels(bytes, start, end, maxTopicLevels)) throw overLimits(`${levelsOf(bytes, start, end)} levels`);
}

/** Each level but the first takes a byte at least: there is seldom anything to count. */
function hasMoreLevels(bytes: Uint8Array, start: number, end: number, most: number): boolean {
  return end - start >= most && levelsOf(bytes, start, end) > most;
}

function levelsOf(bytes: Uint8Array, start: number, end: number): number {
  let levels = 1;
  for (let at = start; at < end; at++) if (bytes[at] === SLASH) levels++;
  return levels;
}

function overLimits(what: string): MqttError {
  return new MqttError(ReasonCode.TopicNameInvalid, `topic name of ${what} is over the limit`);
}
