// The frame of the journal: sizes, magic numbers and checksums. docs/durability.md has the drawing.
//
//   file  = head (40 bytes) frame*
//   head  = magic[16] version:u32 fileNumber:u32 firstFrame:f64 crc:u32 zero:u32
//   frame = magic:u32 crc:u32 length:u32 oldest:u32 number:f64 synced:f64 payload[length]      (one batch = one frame)
//
// `synced` is the last frame that was known to be on disk when this one was written. It tells damage (a bad frame that
// was on disk once) from a tear (one that never got there). `oldest` is the first file of the journal at that time: what
// is missing after it has not been cleaned up, it is lost.
import { crc32 } from "node:zlib";
import type { RecordWriter } from "./record-writer.ts";

export const FORMAT_VERSION = 2;
export const HEAD_BYTES = 40;
export const FRAME_HEAD_BYTES = 32;
/** Offsets in files are stored in 32 bits. */
export const MAX_FRAME_BYTES = 0xe0000000;

const FILE_MAGIC = "WrenMQ journal\r\n";
export const FRAME_MAGIC: Buffer = Buffer.from([0xa7, 0x57, 0x71, 0xf1]);
const FRAME_MAGIC_NUMBER = FRAME_MAGIC.readUInt32LE(0);

export interface FileHead {
  readonly version: number;
  readonly fileNumber: number;
  readonly firstFrame: number;
}

export function fileHead(fileNumber: number, firstFrame: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(FILE_MAGIC, 0, "latin1");
  head.writeUInt32LE(FORMAT_VERSION, 16);
  head.writeUInt32LE(fileNumber, 20);
  head.writeDoubleLE(firstFrame, 24);
  head.writeUInt32LE(crc32(head.subarray(0, 32)), 32);
  return head;
}

/** @returns undefined when these are not the first bytes of a journal file, or are damaged */
export function readFileHead(head: Buffer): FileHead | undefined {
  if (head.length < HEAD_BYTES || head.toString("latin1", 0, 16) !== FILE_MAGIC) return undefined;
  if (crc32(head.subarray(0, 32)) !== head.readUInt32LE(32)) return undefined;
  return { version: head.readUInt32LE(16), fileNumber: head.readUInt32LE(20), firstFrame: head.readDoubleLE(24) };
}

export interface FrameHead {
  readonly crc: number;
  readonly length: number;
  readonly oldest: number;
  readonly number: number;
  readonly synced: number;
}

/** Reserves space for the header of a frame; the operations follow. */
export function beginFrame(writer: RecordWriter): void {
  writer.reset();
  writer.skip(FRAME_HEAD_BYTES);
}

/** Fills in the header of the frame. */
export function finishFrame(writer: RecordWriter, number: number, synced: number, oldest: number): Buffer {
  const frame = writer.view();
  FRAME_MAGIC.copy(frame);
  frame.writeUInt32LE(frame.length - FRAME_HEAD_BYTES, 8);
  frame.writeUInt32LE(oldest, 12);
  frame.writeDoubleLE(number, 16);
  frame.writeDoubleLE(synced, 24);
  frame.writeUInt32LE(crc32(frame.subarray(8)), 4);
  return frame;
}

/** @returns undefined when no frame begins here; the checksum tells whether the frame is complete */
export function readFrameHead(bytes: Buffer, at: number): FrameHead | undefined {
  if (bytes.length - at < FRAME_HEAD_BYTES || bytes.readUInt32LE(at) !== FRAME_MAGIC_NUMBER) return undefined;
  return {
    crc: bytes.readUInt32LE(at + 4),
    length: bytes.readUInt32LE(at + 8),
    oldest: bytes.readUInt32LE(at + 12),
    number: bytes.readDoubleLE(at + 16),
    synced: bytes.readDoubleLE(at + 24),
  };
}

/** @param frame header and payload */
export function frameIsWhole(frame: Buffer, head: FrameHead): boolean {
  return crc32(frame.subarray(8)) === head.crc;
}
