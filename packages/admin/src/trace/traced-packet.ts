// Packets and messages as a trace has them: passwords and authentication data never, payloads if they are asked for. And
// back: packets to send again.
import type { Packet } from "@wrenmq/codec";
import type { TracedBytes, TracedMessage, TracedPacket } from "./records.ts";

export interface PayloadOptions {
  readonly payloads: boolean;
  /** Bytes of each payload that are shown. */
  readonly most: number;
}

/** Bytes of a packet under these names are never recorded. */
const SECRET: ReadonlySet<string> = new Set(["password", "authenticationData"]);

export function tracedPacket(packet: Packet, options: PayloadOptions): TracedPacket {
  return traced(packet, options) as TracedPacket;
}

interface MessageParts {
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly publisher: string;
  readonly payload: Uint8Array;
  readonly properties?: object | undefined;
  readonly expiresAt: number;
}

export function tracedMessage(message: MessageParts, now: number, options: PayloadOptions): TracedMessage {
  const { topic, qos, retain, publisher, payload, properties, expiresAt } = message;
  return {
    topic,
    qos,
    retain,
    publisher,
    payload: tracedBytes(payload, options),
    ...(properties === undefined ? {} : { properties: traced(properties, options) as Record<string, unknown> }),
    ...(Number.isFinite(expiresAt) && expiresAt < Number.MAX_SAFE_INTEGER
      ? { expiresIn: Math.max(0, Math.ceil((expiresAt - now) / 1000)) }
      : {}),
  };
}

function traced(value: unknown, options: PayloadOptions): unknown {
  if (value instanceof Uint8Array) return tracedBytes(value, options);
  if (Array.isArray(value)) return value.map((one) => traced(one, options));
  if (typeof value !== "object" || value === null) return value;
  const found: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (inner !== undefined) found[key] = SECRET.has(key) ? { hidden: true } : traced(inner, options);
  }
  return found;
}

function tracedBytes(bytes: Uint8Array, { payloads, most }: PayloadOptions): TracedBytes {
  const { length } = bytes;
  if (!payloads) return { length };
  const isCut = length > most;
  const shown = isCut ? bytes.subarray(0, most) : bytes;
  const cut = isCut ? { truncated: true as const } : {};
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { length, utf8: decoder.decode(shown, { stream: isCut }), ...cut };
  } catch {
    return { length, base64: btoa(Array.from(shown, (byte) => String.fromCharCode(byte)).join("")), ...cut };
  }
}

/** Bytes that were not recorded are zeros, as many as there were: sizes and limits stay as they were. */
export function bytesOf({ length, utf8, base64 }: TracedBytes): Uint8Array {
  const bytes = new Uint8Array(length);
  if (utf8 !== undefined) bytes.set(new TextEncoder().encode(utf8).subarray(0, length));
  else if (base64 !== undefined) {
    bytes.set(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).subarray(0, length));
  }
  return bytes;
}

/** The packet to send again; what is hidden is one byte. */
export function packetOf(packet: TracedPacket): Packet {
  return untraced(packet) as Packet;
}

export function propertiesOf(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return untraced(properties) as Record<string, unknown>;
}

function untraced(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untraced);
  if (typeof value !== "object" || value === null) return value;
  if ("hidden" in value) return Uint8Array.of(0x78);
  if ("length" in value && typeof value.length === "number") return bytesOf(value as TracedBytes);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, untraced(inner)]));
}
