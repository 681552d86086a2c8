// Frames of a client, right and wrong, and streams of them for property tests.
import fc from "fast-check";

export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly masked?: boolean;
  readonly mask?: readonly number[];
  /** Say the length in this form, whether it needs it or not. */
  readonly form?: 126 | 127 | undefined;
}

export const MASK: readonly number[] = [0x37, 0xfa, 0x21, 0x3d];

export function frame(opcode: number, payload: Uint8Array, options: FrameOptions = {}): number[] {
  const { fin = true, rsv = 0, masked = true, mask = MASK, form } = options;
  const { length } = payload;
  const bytes = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const bit = masked ? 0x80 : 0;
  const chosen = form ?? (length < 126 ? undefined : length < 65_536 ? 126 : 127);
  if (chosen === undefined) bytes.push(bit | length);
  else if (chosen === 126) bytes.push(bit | 126, length >> 8, length & 0xff);
  else bytes.push(bit | 127, 0, 0, 0, 0, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
  if (masked) bytes.push(...mask);
  for (const [index, byte] of payload.entries()) bytes.push(masked ? byte ^ (mask[index & 3] as number) : byte);
  return bytes;
}

const mask = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 255 })));
const size = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.constantFrom(124, 125, 126, 127, 128),
  fc.integer({ min: 0, max: 700 }),
);
const payload = size.map((length) => Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 0xff));
const form = fc.constantFrom(undefined, undefined, undefined, 126 as const, 127 as const);
const short = fc.uint8Array({ maxLength: 125 });
const code = fc.oneof(fc.constantFrom(1000, 1001, 4000), fc.integer({ min: 0, max: 5100 }));

/** A whole message in one or several frames, perhaps with control frames between them. */
const message = fc
  .array(fc.record({ payload, mask, form, ping: fc.option(short) }), { minLength: 1, maxLength: 4 })
  .map((parts) =>
    parts.flatMap((part, index) => [
      ...frame(index === 0 ? 2 : 0, part.payload, { ...part, fin: index === parts.length - 1 }),
      ...(part.ping === null ? [] : frame(part.ping.length % 2 === 0 ? 9 : 10, part.ping, { mask: part.mask })),
    ]),
  );
const close = fc
  .tuple(code, mask)
  .map(([value, bits]) => frame(8, Uint8Array.of(value >> 8, value & 0xff, 0x62, 0x79, 0x65), { mask: bits }));
const odd = fc
  .record({
    opcode: fc.integer({ min: 0, max: 15 }),
    payload,
    mask,
    fin: fc.boolean(),
    rsv: fc.constantFrom(0, 0, 1, 2, 4),
    masked: fc.constantFrom(true, true, true, false),
  })
  .map(({ opcode, payload: bytes, ...options }) => frame(opcode, bytes, options));

/** What a client sends after the handshake: mostly messages, sometimes a mistake. */
export const frameStreams: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: message },
      { weight: 1, arbitrary: close },
      { weight: 1, arbitrary: fc.constant(frame(8, new Uint8Array(0))) },
      { weight: 2, arbitrary: odd },
    ),
    { maxLength: 6 },
  )
  .map((frames) => Buffer.from(frames.flat()));

/** The same bytes in pieces; `cuts` are parts of the whole. */
export function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((part) => Math.floor(part * bytes.length)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index])).filter((piece) => piece.length > 0);
}

export const cuts: fc.Arbitrary<number[]> = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 4 });
