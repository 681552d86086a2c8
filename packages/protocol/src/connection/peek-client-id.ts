// Reads the client identifier of a CONNECT that has not been decoded or checked, to find the broker that serves the
// client. That broker decodes and refuses.
import { decodeUtf8 } from "@wrenmq/codec";

const CONNECT = 0x10;
/** The CONNECT has not arrived as far as its client identifier. */
export const PEEK_MORE: unique symbol = Symbol("more");
export type Peeked = string | undefined | typeof PEEK_MORE;

/** @returns undefined: this is no CONNECT, or one with an error before the end of its client identifier */
export function peekClientId(bytes: Uint8Array, start: number, end: number): Peeked {
  if (start >= end) return PEEK_MORE;
  if (bytes[start] !== CONNECT) return undefined;
  const body = afterVariableByteInteger(bytes, start + 1, end, PEEK_MORE);
  if (typeof body !== "number") return body;
  const packetEnd = body + variableByteInteger(bytes, start + 1);
  // Missing bytes are still to come, or lie beyond the end of the packet.
  return peekBody(bytes, body, Math.min(end, packetEnd), end < packetEnd ? PEEK_MORE : undefined);
}

function peekBody(bytes: Uint8Array, body: number, end: number, missing: undefined | typeof PEEK_MORE): Peeked {
  if (body + 2 > end) return missing;
  const nameLength = uint16(bytes, body);
  // "MQTT" or "MQIsdp".
  if (nameLength > 6) return undefined;
  const level = body + 2 + nameLength;
  // Level, flags, keep alive.
  let position = level + 4;
  if (position > end) return missing;
  if (((bytes[level] as number) & 0x7f) >= 5) {
    const properties = afterVariableByteInteger(bytes, position, end, missing);
    if (typeof properties !== "number") return properties;
    position = properties + variableByteInteger(bytes, position);
  }
  if (position + 2 > end) return missing;
  const length = uint16(bytes, position);
  if (position + 2 + length > end) return missing;
  try {
    return decodeUtf8(bytes, position + 2, position + 2 + length);
  } catch {
    return undefined;
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Where the bytes after a Variable Byte Integer begin. */
function afterVariableByteInteger(
  bytes: Uint8Array,
  at: number,
  end: number,
  missing: undefined | typeof PEEK_MORE,
): number | undefined | typeof PEEK_MORE {
  for (let count = 0; count < 4; count++) {
    if (at + count >= end) return missing;
    if ((bytes[at + count] as number) < 0x80) return at + count + 1;
  }
  return undefined;
}

function variableByteInteger(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let shift = 0, index = at; ; shift += 7, index++) {
    const byte = bytes[index] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}
