// Bytes as they are written in standards and scripts: "10 0c 00 04 'MQTT' 04 02 …".
import { encodeUtf8 } from "@wrenmq/codec";

/**
 * Bytes of hex digits; spaces are ignored, and text between single quotes stands for its UTF-8.
 * @throws Error for anything else
 */
export function hex(text: string): Uint8Array {
  const bytes: number[] = [];
  const pattern = /\s+|'([^']*)'|([0-9a-fA-F]{2})/gy;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(text);
    if (found === null) throw new Error(`not hex: "${text.slice(at, at + 10)}"`);
    const [, quoted, digits] = found;
    if (quoted !== undefined) bytes.push(...encodeUtf8(quoted));
    else if (digits !== undefined) bytes.push(Number.parseInt(digits, 16));
  }
  return Uint8Array.from(bytes);
}

/** "20 02 00 00" */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
