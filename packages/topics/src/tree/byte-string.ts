// What the trees keep and compare: UTF-8 as a string with one character (0 to 255) for each byte. Topics arrive as bytes,
// so that they can be matched as they are, and text that is plain ASCII, as nearly all is, is its own byte string.
// Lone surrogates, which have no UTF-8, get the three bytes they would have: whatever string comes in comes out again.

/** Characters that are made at once: each is an argument of a call. */
const AT_ONCE = 1_024;

export function byteString(text: string): string {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x80) return encoded(text, at);
  return text;
}

export function textOf(bytes: string): string {
  for (let at = 0; at < bytes.length; at++) if (bytes.charCodeAt(at) >= 0x80) return decoded(bytes, at);
  return bytes;
}

/** The byte string of the bytes from `start` to `end`. */
export function byteStringOf(bytes: Uint8Array, start: number, end: number): string {
  let result = "";
  for (let from = start; from < end; from += AT_ONCE) {
    result += String.fromCharCode.apply(
      null,
      bytes.subarray(from, Math.min(end, from + AT_ONCE)) as unknown as number[],
    );
  }
  return result;
}

/** Writes the text's bytes at the beginning of `target`, which has room for three for each of its units. @returns the end */
export function writeBytes(text: string, target: Uint8Array): number {
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      target[end++] = unit;
    } else if (unit < 0x800) {
      target[end++] = 0xc0 | (unit >> 6);
      target[end++] = 0x80 | (unit & 0x3f);
    } else {
      const point = text.codePointAt(at) as number;
      if (point >= 0x1_0000) {
        at++;
        target[end++] = 0xf0 | (point >> 18);
        target[end++] = 0x80 | ((point >> 12) & 0x3f);
      } else {
        target[end++] = 0xe0 | (point >> 12);
      }
      target[end++] = 0x80 | ((point >> 6) & 0x3f);
      target[end++] = 0x80 | (point & 0x3f);
    }
  }
  return end;
}

function encoded(text: string, ascii: number): string {
  const bytes = new Uint8Array((text.length - ascii) * 3);
  const end = writeBytes(text.slice(ascii), bytes);
  let result = text.slice(0, ascii);
  for (let at = 0; at < end; at++) result += String.fromCharCode(bytes[at] as number);
  return result;
}

function decoded(bytes: string, ascii: number): string {
  let result = bytes.slice(0, ascii);
  for (let at = ascii; at < bytes.length; ) {
    const lead = bytes.charCodeAt(at++);
    const more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    let point = more === 0 ? lead : lead & (0x3f >> more);
    for (let rest = more; rest > 0; rest--) point = (point << 6) | (bytes.charCodeAt(at++) & 0x3f);
    result += String.fromCodePoint(point);
  }
  return result;
}
