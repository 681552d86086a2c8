// What a golden vector and a reject vector look like. Hex is written in groups that follow the fields of the packet.
import type { Packet, ProtocolVersion } from "@wrenmq/codec";

export interface Vector {
  name: string;
  versions: readonly ProtocolVersion[];
  hex: string;
  packet: Packet;
  /** Other bytes for the same packet, which are understood but not written. */
  alsoDecodes?: readonly string[];
}

export interface RejectVector {
  name: string;
  versions: readonly ProtocolVersion[];
  hex: string;
  /** The reason code of the MqttError. */
  reason: number;
  /** It is the Remaining Length that is wrong; in all other vectors it has to be right. */
  badLength?: boolean;
}

export const ALL: readonly ProtocolVersion[] = [3, 4, 5];
export const V3: readonly ProtocolVersion[] = [3, 4];
export const V5: readonly ProtocolVersion[] = [5];

export function fromHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(/\s/g, "");
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`not hex: ${hex}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}
