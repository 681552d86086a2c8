// The client identifier of a CONNECT that has not been decoded (nor checked): enough to find out who is to serve the
// client. Whoever serves it decodes and refuses.
import { decodeUtf8 } from "@wrenmq/codec";

const CONNECT = 0x10;
/** The CONNECT has not arrived as far as its client identifier. */
export const PEEK_MORE: unique symbol = Symbol("more");

/** @returns undefined: this is no CONNECT, or one with an error before its client identifier */
export function peekClientId(bytes: Uint8Array, start: number, end: number): string | undefined | typeof PEEK_MORE {
  if (start >= end) return PEEK_MORE;
  if (bytes[start] !== CONNECT) return undefined;
  const body = afterVariableByteInteger(bytes, start + 1, end);
  if (typeof body !== "number") return body;
  if (body + 2 > end) return PEEK_MORE;
  const level = body + 2 + uint16(bytes, body);
  // Level, flags, keep alive.
  let position = level + 4;
  if (position > end) return level - body > 8 ? undefined : PEEK_MORE;
  if (((bytes[level] as number) & 0x7f) >= 5) {
    const properties = afterVariableByteInteger(bytes, position, end);
    if (typeof properties !== "number") return properties;
    position = properties + variableByteInteger(bytes, position);
  }
  if (position + 2 > end) return PEEK_MORE;
  const length = uint16(bytes, position);
  if (position + 2 + length > end) return PEEK_MORE;
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
function afterVariableByteInteger(bytes: Uint8Array, at: number, end: number): number | undefined | typeof PEEK_MORE {
  for (let count = 0; count < 4; count++) {
    if (at + count >= end) return PEEK_MORE;
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
