// The messages of the stream. A *parcel* is one or more frames of the journal that were written together; it is one
// message, or several where it is longer than a message may be. Numbers are little endian.
//
//   message = "WJ" version:u8 kind:u8 crc:u32 epoch:f64 number:f64 format:u32 zero:u32 body         (crc: of what follows)
//   parcel  = (length:u32 payload[length])*
//
// `epoch` is the number that the owner's first message has in the stream, `number` counts the owner's messages: so no
// two messages are equal, and one that was sent twice is known again. `format` is that of the payloads.
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { StoreError } from "@wrenmq/store";
import { JOURNAL_FORMAT } from "@wrenmq/store-file";

export const HEAD_BYTES = 32;
/** Before each frame of a parcel. */
export const LENGTH_BYTES = 4;
const VERSION = 1;
const MAGIC_0 = 0x57;
const MAGIC_1 = 0x4a;

/** Kinds of messages. A parcel that is one message is BEGINS | ENDS. */
export const BEGINS = 1;
export const ENDS = 2;
export const EPOCH = 4;

export interface Message {
  readonly kind: number;
  readonly epoch: number;
  readonly number: number;
  readonly body: Buffer;
}

/** Writes the head into the first bytes. */
export function finishMessage(message: Buffer, kind: number, epoch: number, number: number): Buffer {
  message[0] = MAGIC_0;
  message[1] = MAGIC_1;
  message[2] = VERSION;
  message[3] = kind;
  message.writeDoubleLE(epoch, 8);
  message.writeDoubleLE(number, 16);
  message.writeUInt32LE(JOURNAL_FORMAT, 24);
  message.writeUInt32LE(0, 28);
  message.writeUInt32LE(crc32(message.subarray(8)), 4);
  return message;
}

/** The first message of an owner: whoever comes after it has to have seen it. */
export function epochMessage(owner: string): Buffer {
  // No two are equal, even if an owner opens its store twice.
  const unique = randomBytes(8);
  return finishMessage(Buffer.concat([Buffer.alloc(HEAD_BYTES), unique, Buffer.from(owner)]), EPOCH, 0, 0);
}

/** The owner that an epoch message names; undefined: it is another message. */
export function ownerIn(message: Uint8Array): string | undefined {
  try {
    const { kind, body } = readMessage(message);
    return kind === EPOCH ? body.toString("utf8", 8) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @returns the message, its body in the same memory
 * @throws StoreError ERR_STORE_FORMAT, ERR_STORE_DAMAGED
 */
export function readMessage(bytes: Uint8Array): Message {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (message.length < HEAD_BYTES || message[0] !== MAGIC_0 || message[1] !== MAGIC_1) {
    throw new StoreError("ERR_STORE_DAMAGED", "it is not a message of WrenMQ");
  }
  const format = message.readUInt32LE(24);
  if ((message[2] as number) > VERSION || format > JOURNAL_FORMAT) {
    throw new StoreError(
      "ERR_STORE_FORMAT",
      `it has format ${message[2]}.${format}, this version of WrenMQ reads up to ${VERSION}.${JOURNAL_FORMAT}`,
    );
  }
  if (crc32(message.subarray(8)) !== message.readUInt32LE(4)) {
    throw new StoreError("ERR_STORE_DAMAGED", "its checksum does not match");
  }
  return {
    kind: message[3] as number,
    epoch: message.readDoubleLE(8),
    number: message.readDoubleLE(16),
    body: message.subarray(HEAD_BYTES),
  };
}

/** The frames of a parcel. */
export function* framesOf(parcel: Buffer): IterableIterator<Buffer> {
  for (let at = 0; at < parcel.length; ) {
    const end = at + LENGTH_BYTES <= parcel.length ? at + LENGTH_BYTES + parcel.readUInt32LE(at) : Number.NaN;
    if (!(end <= parcel.length)) throw new StoreError("ERR_STORE_DAMAGED", "it ends within a frame");
    yield parcel.subarray(at + LENGTH_BYTES, end);
    at = end;
  }
}
