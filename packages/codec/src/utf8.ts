// UTF-8 as MQTT wants it: well-formed, without surrogates, without U+0000, a BOM kept. [MQTT5 1.5.4]
// The only place in the codec that looks for something the platform may have: Node's string slicing.
import { InvalidPacketError, malformed } from "./errors.ts";

type Slice = (this: Uint8Array, start: number, end: number) => string;
interface Platform {
  Buffer?: { prototype: { latin1Slice?: Slice; utf8Slice?: Slice } };
  TextDecoder: new (
    label: string,
    options: { fatal: boolean; ignoreBOM: boolean },
  ) => { decode(bytes: Uint8Array): string };
}
const platform: Platform = globalThis as unknown as Platform;

/** Up to this length a string is put together here: cheaper than a call into the platform. */
const SHORT = 8;

let latin1Slice: Slice | undefined;
let utf8Slice: Slice | undefined;

/** Chosen at first use, not at load, so that importing has no side effects. */
function choosePlatform(): void {
  const node = platform.Buffer?.prototype;
  latin1Slice = node?.latin1Slice;
  utf8Slice = node?.utf8Slice;
  if (latin1Slice !== undefined && utf8Slice !== undefined) return;
  const decoder = new platform.TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  latin1Slice = utf8Slice = function (start, end) {
    return decoder.decode(this.subarray(start, end));
  };
}

/**
 * The string in `bytes` from `start` up to `end`; both have to lie inside `bytes`.
 * @throws MqttError 0x81 for ill-formed UTF-8, an encoded surrogate or U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2]
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  let seen = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0) throw malformed("a string contains U+0000");
    seen |= byte;
  }
  if (seen >= 0x80) {
    if (!isWellFormedUtf8(bytes, start, end)) throw malformed("a string is not well-formed UTF-8");
    if (utf8Slice === undefined) choosePlatform();
    return (utf8Slice as Slice).call(bytes, start, end);
  }
  if (end - start <= SHORT) {
    let text = "";
    for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] as number);
    return text;
  }
  if (latin1Slice === undefined) choosePlatform();
  return (latin1Slice as Slice).call(bytes, start, end);
}

/** Is this well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF)? U+0000 counts as such. */
export function isWellFormedUtf8(bytes: Uint8Array, start: number = 0, end: number = bytes.length): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at++] as number;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (more > end - at) return false;
    // The second byte's range depends on the first: that is what excludes overlong forms, surrogates and > U+10FFFF.
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const second = bytes[at++] as number;
    if (second < lowest || second > highest) return false;
    for (let rest = more; rest > 1; rest--) {
      if (((bytes[at++] as number) & 0xc0) !== 0x80) return false;
    }
  }
  return true;
}

/** How many bytes `text` has in UTF-8; a lone surrogate, which has no UTF-8, counts three. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // Both halves of a surrogate pair add one, to the two units that are counted already.
    length += unit < 0x800 || isHalfOfPair(text, at, unit) ? 1 : 2;
  }
  return length;
}

function isHalfOfPair(text: string, at: number, unit: number): boolean {
  if ((unit & 0xfc00) === 0xd800) return (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
  return (unit & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}

/**
 * Writes `text` into `bytes` at `start`, where there must be room for it, and returns the position after it.
 * @throws InvalidPacketError for a lone surrogate or U+0000, which no MQTT string may contain
 */
export function writeUtf8(bytes: Uint8Array, start: number, text: string): number {
  const length = text.length;
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0 || unit >= 0x80) return writeFrom(bytes, start + at, text, at);
    bytes[start + at] = unit;
  }
  return start + length;
}

/** Writes the text from the first character that is not plain ASCII. */
function writeFrom(bytes: Uint8Array, start: number, text: string, first: number): number {
  let position = start;
  for (let at = first; at < text.length; at++) {
    let unit = text.charCodeAt(at);
    if (unit < 0x80) {
      if (unit === 0) throw new InvalidPacketError("a string contains U+0000");
      bytes[position++] = unit;
    } else if (unit < 0x800) {
      bytes[position++] = 0xc0 | (unit >> 6);
      bytes[position++] = 0x80 | (unit & 0x3f);
    } else {
      if ((unit & 0xf800) === 0xd800) {
        unit = text.codePointAt(at) as number;
        if (unit < 0x1_0000) throw new InvalidPacketError("a string contains a lone surrogate");
        at++;
        bytes[position++] = 0xf0 | (unit >> 18);
        bytes[position++] = 0x80 | ((unit >> 12) & 0x3f);
      } else {
        bytes[position++] = 0xe0 | (unit >> 12);
      }
      bytes[position++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[position++] = 0x80 | (unit & 0x3f);
    }
  }
  return position;
}

/**
 * The bytes of `text`, without a length in front.
 * @throws InvalidPacketError for a lone surrogate or U+0000
 */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  writeUtf8(bytes, 0, text);
  return bytes;
}
