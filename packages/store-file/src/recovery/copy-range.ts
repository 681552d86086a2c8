// Copies the end of a file.
import { closeSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";

const CHUNK_BYTES = 1024 * 1024;

/** Copies the bytes of `from` after `offset` to the new file `to`. */
export function copyRange(from: string, offset: number, to: string): void {
  const source = openSync(from, "r");
  try {
    const target = openSync(to, "wx");
    try {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      for (let at = offset; ; ) {
        const got = readSync(source, chunk, 0, chunk.length, at);
        if (got === 0) break;
        writeSync(target, chunk, 0, got);
        at += got;
      }
      fsyncSync(target);
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}
